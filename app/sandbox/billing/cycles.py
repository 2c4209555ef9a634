"""A subscription's life in time: its first invoice, each renewal, trial's end, pause's end, and a planned end."""

from app.sandbox import policy
from app.sandbox.billing import collection, invoicing, standing
from app.sandbox.ledger import Ledger
from app.sandbox.periods import next_boundary
from app.sandbox.policy import DAY, HOUR
from app.sandbox.shapes.invoice import new_invoice, new_line, price_pricing, subscription_parent
from app.sandbox.store import Doc

FIRST_PAYMENT_WINDOW = 23 * HOUR


def period_of(subscription: Doc) -> tuple[int, int]:
    """The present billing period, in Unix seconds."""
    item = subscription["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def set_period(ledger: Ledger, subscription: Doc, period: tuple[int, int]) -> None:
    """Give every item this period and expect the renewal at its end."""
    for item in subscription["items"]["data"]:
        item["current_period_start"], item["current_period_end"] = period
    ledger.set_timer("renew", subscription["id"], period[1])


def following_period(subscription: Doc, start: int) -> tuple[int, int]:
    """The period that begins at `start`."""
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    anchor = subscription["billing_cycle_anchor"]
    return start, next_boundary(anchor, recurring["interval"], recurring["interval_count"], start)


def draft_for(ledger: Ledger, subscription: Doc, reason: str, invoiced: tuple[int, int]) -> Doc:
    """A new draft that bills the items' present period; `invoiced` is the period the invoice itself names."""
    customer = ledger.get("customer", subscription["customer"])
    invoice = new_invoice(
        customer,
        subscription["currency"],
        ledger.now,
        account_name=policy.load(ledger).business_name,
        billing_reason=reason,
        collection_method=subscription["collection_method"],
        parent={
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
        },
        period_start=invoiced[0],
        period_end=invoiced[1],
    )
    if subscription["collection_method"] == "send_invoice":
        invoice["due_date"] = ledger.now + (subscription["days_until_due"] or 30) * DAY
    trial = subscription["status"] == "trialing"
    invoice["lines"]["data"] = [
        _item_line(ledger, invoice, subscription, item, trial) for item in subscription["items"]["data"]
    ]
    invoicing.pull_in_items(ledger, invoice, subscription["id"])
    ledger.add(invoice, "invoice.created")
    return invoice


def begin(ledger: Ledger, subscription: Doc, *, hold_payment: bool = False) -> Doc:
    """The first invoice, finalized and charged at once; `hold_payment` leaves the charge to the caller's customer."""
    invoice = draft_for(ledger, subscription, "subscription_create", (ledger.now, ledger.now))
    with ledger.changing(subscription):
        subscription["latest_invoice"] = invoice["id"]
    invoicing.finalize(ledger, invoice)
    if invoice["status"] == "paid":
        if subscription["status"] == "incomplete":
            with ledger.changing(subscription):
                subscription["status"] = "active"
        return invoice
    if subscription["collection_method"] == "send_invoice":
        with ledger.changing(subscription):
            subscription["status"] = "active"
    elif not hold_payment:
        collection.attempt_by_schedule(ledger, invoice)
    if subscription["status"] == "incomplete":
        ledger.set_timer("incomplete", subscription["id"], ledger.now + FIRST_PAYMENT_WINDOW)
    return invoice


def renew(ledger: Ledger, subscription: Doc) -> None:
    """The period's end: it ends, or the next period begins with a draft invoice."""
    if subscription["status"] in standing.ENDED:
        return
    if subscription["cancel_at_period_end"]:
        standing.end(ledger, subscription, "cancellation_requested")
        return
    ended = period_of(subscription)
    with ledger.changing(subscription, "customer.subscription.updated"):
        if subscription["status"] == "trialing" and (subscription["trial_end"] or 0) <= ledger.now:
            subscription["status"] = "active"
        set_period(ledger, subscription, following_period(subscription, ended[1]))
        invoice = draft_for(ledger, subscription, "subscription_cycle", ended)
        subscription["latest_invoice"] = invoice["id"]
    _send_on_its_way(ledger, subscription, invoice)


def bill_now(ledger: Ledger, subscription: Doc, reason: str = "subscription_update") -> Doc:
    """An invoice for the present period at once, charged at once (a changed interval, or from free to paid)."""
    invoice = draft_for(ledger, subscription, reason, period_of(subscription))
    with ledger.changing(subscription, "customer.subscription.updated"):
        subscription["latest_invoice"] = invoice["id"]
    invoicing.finalize_and_collect(ledger, invoice)
    return invoice


def expire(ledger: Ledger, subscription: Doc) -> None:
    """The first payment did not come within its 23 hours."""
    if subscription["status"] != "incomplete":
        return
    ledger.set_timer("renew", subscription["id"], None)
    invoice = ledger.find("invoice", subscription["latest_invoice"])
    if invoice and invoice["status"] == "open":
        invoicing.void(ledger, invoice)
    with ledger.changing(subscription, "customer.subscription.updated"):
        subscription.update(status="incomplete_expired", ended_at=ledger.now)


def end_pause(ledger: Ledger, subscription: Doc) -> None:
    """`pause_collection.resumes_at` has come."""
    if subscription["pause_collection"] and subscription["status"] not in standing.ENDED:
        with ledger.changing(subscription, "customer.subscription.updated"):
            subscription["pause_collection"] = None


def cancel_as_planned(ledger: Ledger, subscription: Doc) -> None:
    """`cancel_at` has come."""
    if subscription["status"] not in standing.ENDED:
        standing.end(ledger, subscription, "cancellation_requested")


def announce_trial_end(ledger: Ledger, subscription: Doc) -> None:
    """Three days before a trial ends."""
    if subscription["status"] == "trialing":
        ledger.emit("customer.subscription.trial_will_end", subscription)


def _send_on_its_way(ledger: Ledger, subscription: Doc, invoice: Doc) -> None:
    """What becomes of a renewal's draft: it waits its hour, stays a draft, or is closed by a pause."""
    pause = (subscription["pause_collection"] or {}).get("behavior")
    if subscription["status"] == "unpaid" or pause == "keep_as_draft":
        with ledger.changing(invoice, "invoice.updated"):
            invoice["auto_advance"] = False
    elif pause:
        with ledger.changing(invoice):
            invoice["auto_advance"] = False
        invoicing.finalize(ledger, invoice)
        if invoice["status"] == "open":
            (invoicing.void if pause == "void" else invoicing.mark_uncollectible)(ledger, invoice)
    else:
        with ledger.changing(invoice):
            invoice["automatically_finalizes_at"] = ledger.now + HOUR
        ledger.set_timer("finalize", invoice["id"], ledger.now + HOUR)


def _item_line(ledger: Ledger, invoice: Doc, subscription: Doc, item: Doc, trial: bool) -> Doc:
    price, quantity = item["price"], item["quantity"]
    product = ledger.find("product", price["product"]) or {"name": "Plan"}
    text = f"Trial period for {product['name']}" if trial else f"{quantity} × {product['name']}"
    return new_line(
        invoice["id"],
        0 if trial else (price["unit_amount"] or 0) * quantity,
        price["currency"],
        quantity,
        text,
        (item["current_period_start"], item["current_period_end"]),
        subscription_parent(subscription["id"], item["id"]),
        price_pricing(price),
    )
