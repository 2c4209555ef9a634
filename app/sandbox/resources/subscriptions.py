"""Subscriptions."""

from app.sandbox import listing
from app.sandbox.billing import cycles, discounts, standing, terms
from app.sandbox.billing.payments import intent_of
from app.sandbox.door import Route
from app.sandbox.errors import StripeRefusal, bad_param, missing, missing_param, wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params
from app.sandbox.periods import next_boundary
from app.sandbox.policy import DAY
from app.sandbox.resources.coupons import read_discounts
from app.sandbox.resources.subscription_terms import read_items, read_terms
from app.sandbox.shapes.subscription import new_subscription
from app.sandbox.store import Doc

_PAYMENT_BEHAVIORS = ("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete")
_DECLINE = ("code", "decline_code", "advice_code", "network_advice_code", "network_decline_code")
_STATUSES = (
    "active",
    "past_due",
    "unpaid",
    "canceled",
    "incomplete",
    "incomplete_expired",
    "trialing",
    "paused",
    "all",
    "ended",
)

_HAS_PRICE = "exists (select 1 from json_each(body, '$.items.data') where json_extract(value, '$.price.id') = ?)"


def create(ledger: Ledger, params: Params) -> Doc:
    """Create a subscription and charge its first invoice, unless a trial comes first."""
    customer = ledger.get("customer", params.required("customer"), "customer")
    behavior = params.choice("payment_behavior", *_PAYMENT_BEHAVIORS) or "allow_incomplete"
    params.ignore("off_session", "proration_behavior", "backdate_start_date", "add_invoice_items", "billing_mode")
    subscription = new_subscription(customer["id"], "", ledger.now)
    items = read_items(ledger, params, subscription, (ledger.now, ledger.now))
    if not items:
        raise missing_param("items")
    subscription["items"]["data"] = items
    subscription["currency"] = (params.text("currency") or items[0]["price"]["currency"]).lower()
    _begin_period(ledger, params, subscription)
    read_terms(ledger, params, subscription, customer)
    _check_payable(ledger, subscription, customer, behavior)
    read_discounts(ledger, params, subscription, subscription=subscription["id"])
    ledger.add(subscription, "customer.subscription.created")
    invoice = cycles.begin(ledger, subscription, hold_payment=behavior == "default_incomplete")
    if behavior == "error_if_incomplete" and subscription["status"] == "incomplete":
        raise _not_paid_at_once(ledger, invoice)
    return subscription


def _not_paid_at_once(ledger: Ledger, invoice: Doc) -> StripeRefusal:
    """The 402 of a subscription that was to be paid or not to be: the decline without its objects, which are gone."""
    intent = intent_of(ledger, invoice) or {}
    if intent.get("status") == "requires_action":
        words = "This subscription's payment needs the customer's approval before it can go through."
        return StripeRefusal(402, words, kind="card_error", code="subscription_payment_intent_requires_action")
    told = intent.get("last_payment_error") or {"message": "Your card was declined.", "code": "card_declined"}
    fields = {name: told[name] for name in _DECLINE if told.get(name)}
    return StripeRefusal(402, told["message"], kind="card_error", **fields)


def update(ledger: Ledger, params: Params, subscription: str) -> Doc:
    """Change items, payment method, pause, planned end and the rest."""
    doc = ledger.get("subscription", subscription)
    if doc["status"] in standing.ENDED:
        raise wrong_state("A canceled subscription can only update its cancellation_details and metadata.")
    customer = ledger.get("customer", doc["customer"])
    params.ignore("off_session", "payment_behavior", "proration_date", "add_invoice_items", "trial_from_plan")
    change = terms.ItemChange(
        prorate=params.choice("proration_behavior", "create_prorations", "none", "always_invoice")
        or "create_prorations",
        anchor=params.choice("billing_cycle_anchor", "now", "unchanged"),
    )
    with ledger.changing(doc, "customer.subscription.updated"):
        read_terms(ledger, params, doc, customer)
        read_discounts(ledger, params, doc, subscription=doc["id"])
        bills_now = _change_trial(ledger, params, doc)
        if "items" in params:
            items = read_items(ledger, params, doc, cycles.period_of(doc))
            bills_now = terms.change_items(ledger, doc, items, change) or bills_now
    cycles.bill_change(ledger, doc, new_period=bills_now, at_once=change.prorate == "always_invoice")
    return doc


def cancel(ledger: Ledger, params: Params, subscription: str) -> Doc:
    """Cancel at once; `invoice_now` and `prorate` are accepted and bill nothing."""
    doc = ledger.get("subscription", subscription)
    if doc["status"] in standing.ENDED:
        raise missing("subscription", subscription)
    params.ignore("invoice_now", "prorate")
    details = params.child("cancellation_details")
    comment = details.text("comment") if details else None
    feedback = details.text("feedback") if details else None
    standing.end(ledger, doc, "cancellation_requested", comment, feedback)
    return doc


def delete_discount(ledger: Ledger, params: Params, subscription: str) -> Doc:
    """Take every discount off."""
    doc = ledger.get("subscription", subscription)
    if not doc["discounts"]:
        raise wrong_state(f"The subscription {subscription} has no discount.")
    last = ledger.get("discount", doc["discounts"][-1])
    with ledger.changing(doc, "customer.subscription.updated"):
        for identifier in list(doc["discounts"]):
            discounts.remove(ledger, doc, identifier)
    return {**{name: value for name, value in last.items() if name != "end"}, "deleted": True}


def retrieve(ledger: Ledger, params: Params, subscription: str) -> Doc:
    """One subscription."""
    return ledger.get("subscription", subscription)


def list_all(ledger: Ledger, params: Params) -> Doc:
    """Subscriptions by customer, status and price; those that ended or live on a test clock only when asked for."""
    status = params.choice("status", *_STATUSES)
    params.ignore("current_period_end", "current_period_start")
    method = params.choice("collection_method", "charge_automatically", "send_invoice")
    extra = {None: "status != 'canceled'", "ended": "status in ('canceled', 'incomplete_expired')"}.get(status, "")
    price = params.text("price")
    values: tuple[str | None, ...] = (price,) if price else ()
    if price is not None:
        extra = f"{extra or '1'} and {_HAS_PRICE}"
    if method is not None:
        extra, values = f"{extra or '1'} and json_extract(body, '$.collection_method') = ?", (*values, method)
    customer, clock = params.text("customer"), params.text("test_clock")
    if clock is not None or customer is None:
        extra = f"{extra or '1'} and json_extract(body, '$.test_clock') is ?"
        values += (clock,)
    equal = {"customer": customer, "status": None if status in (None, "all", "ended") else status}
    return listing.page(ledger, params, "subscription", "/v1/subscriptions", equal, extra, values)


def list_items(ledger: Ledger, params: Params) -> Doc:
    """The items of one subscription."""
    doc = ledger.get("subscription", params.required("subscription"), "subscription")
    params.ignore("limit", "starting_after", "ending_before")
    return {**doc["items"], "url": "/v1/subscription_items"}


def _begin_period(ledger: Ledger, params: Params, subscription: Doc) -> None:
    """The first period: to the end of the trial, to a given anchor, or one whole interval."""
    days, until = params.integer("trial_period_days"), params.text("trial_end")
    trial_end = ledger.now + days * DAY if days else None
    if until not in (None, "now"):
        trial_end = params.integer("trial_end")
    anchor = params.integer("billing_cycle_anchor")
    if trial_end is not None:
        if trial_end <= ledger.now:
            raise bad_param("trial_end", "trial_end must be in the future.", "parameter_invalid_integer")
        _begin_trial(ledger, subscription, ledger.now, trial_end)
        return
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    end = next_boundary(ledger.now, recurring["interval"], recurring["interval_count"], ledger.now)
    if anchor is not None:
        if not ledger.now < anchor <= end:
            raise bad_param(
                "billing_cycle_anchor",
                "billing_cycle_anchor cannot be later than next natural billing date",
                "parameter_invalid_integer",
            )
        subscription["billing_cycle_anchor"], end = anchor, anchor
    cycles.set_period(ledger, subscription, (ledger.now, end))


def _change_trial(ledger: Ledger, params: Params, doc: Doc) -> bool:
    """Another end of the trial, or its end at once (`now`); True when the first paid period begins."""
    until = params.text("trial_end")
    if until is None:
        return False
    if until == "now":
        if doc["status"] != "trialing":
            return False
        doc.update(status="active", trial_end=ledger.now, billing_cycle_anchor=ledger.now)
        ledger.set_timer("trial", doc["id"], None)
        cycles.set_period(ledger, doc, cycles.following_period(doc, ledger.now))
        return True
    trial_end = params.integer("trial_end") or 0
    if trial_end <= ledger.now:
        raise bad_param("trial_end", "trial_end must be in the future.", "parameter_invalid_integer")
    _begin_trial(ledger, doc, cycles.period_of(doc)[0], trial_end)
    return False


def _begin_trial(ledger: Ledger, doc: Doc, start: int, trial_end: int) -> None:
    doc.update(
        status="trialing",
        trial_start=doc["trial_start"] or ledger.now,
        trial_end=trial_end,
        billing_cycle_anchor=trial_end,
    )
    cycles.set_period(ledger, doc, (start, trial_end))
    ledger.set_timer("trial", doc["id"], max(trial_end - 3 * DAY, ledger.now))


def _check_payable(ledger: Ledger, subscription: Doc, customer: Doc, behavior: str) -> None:
    charged = subscription["collection_method"] == "charge_automatically" and subscription["status"] != "trialing"
    has_method = (
        subscription["default_payment_method"]
        or customer["invoice_settings"]["default_payment_method"]
        or customer["default_source"]
    )
    amount = sum((item["price"]["unit_amount"] or 0) * item["quantity"] for item in subscription["items"]["data"])
    if charged and amount and not has_method and behavior != "default_incomplete":
        raise StripeRefusal(
            400,
            "This customer has no attached payment source or default payment method. Please consider adding a default"
            " payment method.",
            code="resource_missing",
        )


ROUTES: list[Route] = [
    ("POST", "/v1/subscriptions", create),
    ("GET", "/v1/subscriptions", list_all),
    ("GET", "/v1/subscriptions/<subscription>", retrieve),
    ("POST", "/v1/subscriptions/<subscription>", update),
    ("DELETE", "/v1/subscriptions/<subscription>", cancel),
    ("DELETE", "/v1/subscriptions/<subscription>/discount", delete_discount),
    ("GET", "/v1/subscription_items", list_items),
]
