"""Customer portal sessions: a page that sets the customer's default card, and nothing else."""

from app.sandbox import ids
from app.sandbox.door import Route
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params
from app.sandbox.store import Doc


def create(ledger: Ledger, params: Params) -> Doc:
    """A session with a page at `url`.

    After the card is saved the payer goes to the flow's or the session's return address.
    """
    customer = ledger.get("customer", params.required("customer"), "customer")
    params.ignore("configuration", "on_behalf_of")
    identifier = ids.new("bps")
    flow = params.child("flow_data")
    session = {
        "id": identifier,
        "object": "billing_portal.session",
        "configuration": "bpc_1SandboxDefault0000000",
        "created": ledger.now,
        "customer": customer["id"],
        "customer_account": None,
        "flow": None if flow is None else _flow(flow),
        "livemode": False,
        "locale": params.text("locale"),
        "on_behalf_of": None,
        "return_url": params.text("return_url"),
        "url": f"{ledger.base_url}/p/session/{identifier}",
    }
    return ledger.save(session)


def _flow(flow: Params) -> Doc:
    kind = flow.choice(
        "type", "payment_method_update", "subscription_cancel", "subscription_update", "subscription_update_confirm"
    )
    flow.ignore("subscription_cancel", "subscription_update", "subscription_update_confirm")
    completion: Doc = {"type": "portal_homepage", "redirect": None, "hosted_confirmation": None}
    after = flow.child("after_completion")
    if after is not None:
        completion["type"] = after.required("type")
        redirect, confirmation = after.child("redirect"), after.child("hosted_confirmation")
        completion["redirect"] = redirect and {"return_url": redirect.required("return_url")}
        completion["hosted_confirmation"] = confirmation and {"custom_message": confirmation.text("custom_message")}
    return {
        "type": kind,
        "after_completion": completion,
        "subscription_cancel": None,
        "subscription_update": None,
        "subscription_update_confirm": None,
    }


ROUTES: list[Route] = [("POST", "/v1/billing_portal/sessions", create)]
