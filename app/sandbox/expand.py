"""`expand[]`: replaces ids by their objects, and adds the parts that Stripe sends only when asked."""

from collections.abc import Callable
from typing import Any

from app.sandbox import ids
from app.sandbox.errors import bad_param
from app.sandbox.ledger import Ledger, snapshot
from app.sandbox.store import Doc

DEEPEST = 4

Shape = Callable[[Doc], Doc]


def _payments(ledger: Ledger, invoice: Doc) -> Doc:
    records = ledger.linked("invoice_payment", "invoice", invoice["id"])
    return {"object": "list", "data": records[::-1], "has_more": False, "url": f"/v1/invoices/{invoice['id']}/payments"}


def _confirmation(ledger: Ledger, invoice: Doc) -> Doc | None:
    records = ledger.linked("invoice_payment", "invoice", invoice["id"])
    if not records or invoice["status"] != "open":
        return None
    intent = ledger.get("payment_intent", records[-1]["payment"]["payment_intent"])
    return {"client_secret": intent["client_secret"], "type": "payment_intent"}


def _subscriptions(ledger: Ledger, customer: Doc) -> Doc:
    all_of_them = ledger.linked("subscription", "customer", customer["id"])
    running = [subscription for subscription in all_of_them if subscription["status"] != "canceled"]
    return {
        "object": "list",
        "data": running[::-1],
        "has_more": False,
        "url": f"/v1/customers/{customer['id']}/subscriptions",
    }


def _refunds(ledger: Ledger, charge: Doc) -> Doc:
    made = ledger.linked("refund", "payment_intent", charge["payment_intent"])
    return {"object": "list", "data": made[::-1], "has_more": False, "url": f"/v1/charges/{charge['id']}/refunds"}


def _coupon(ledger: Ledger, source: Doc) -> Any:
    """A discount's coupon, whose id is free text; one that was deleted stays an id."""
    if source.get("type") != "coupon":
        raise bad_param("expand", "This property cannot be expanded (coupon).", "parameter_unknown")
    return ledger.find("coupon", source["coupon"]) or source["coupon"]


_ON_REQUEST: dict[tuple[str, str], Callable[[Ledger, Doc], Any]] = {
    ("invoice", "payments"): _payments,
    ("invoice", "confirmation_secret"): _confirmation,
    ("customer", "subscriptions"): _subscriptions,
    ("charge", "refunds"): _refunds,
    ("", "coupon"): _coupon,
}


def expanded(ledger: Ledger, doc: Doc, paths: list[str], shape: Shape = lambda made: made) -> Doc:
    """A copy of `doc` with every path expanded; raises a 400 for one that leads nowhere.

    `shape` is how every object of the answer is to look, the expanded ones included; it may change what it is given.
    """
    result = shape(snapshot(doc))
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEEPEST:
            raise bad_param(
                "expand", f"You cannot expand more than {DEEPEST} levels of a property", "property_too_deep"
            )
        _walk(ledger, result, steps, path, shape)
    return result


def _walk(ledger: Ledger, node: Any, steps: list[str], path: str, shape: Shape) -> None:
    if isinstance(node, list):
        for entry in node:
            _walk(ledger, entry, steps, path, shape)
        return
    if not steps or not isinstance(node, dict):
        return
    step, rest = steps[0], steps[1:]
    on_request = _ON_REQUEST.get((node.get("object", ""), step))
    if on_request is not None and not isinstance(node.get(step), dict):
        node[step] = shape(snapshot({"value": on_request(ledger, node)}))["value"]
    elif step not in node:
        raise bad_param("expand", f"This property cannot be expanded ({path}).", "parameter_unknown")
    elif isinstance(node[step], str):
        node[step] = shape(_object(ledger, node[step], path))
    elif isinstance(node[step], list):
        node[step] = [shape(_object(ledger, entry, path)) if isinstance(entry, str) else entry for entry in node[step]]
    _walk(ledger, node[step], rest, path, shape)


def _object(ledger: Ledger, identifier: str, path: str) -> Doc:
    kind = ids.kind_of(identifier)
    doc = ledger.find(kind, identifier) if kind else None
    if doc is None:
        raise bad_param("expand", f"This property cannot be expanded ({path}).", "parameter_unknown")
    return snapshot(doc)
