"""A subscription's life in time: its first invoice, each renewal, trial's end, pause's end, and a planned end."""

from app.sandbox import policy
from app.sandbox.billing import collection, invoicing, standing
from app.sandbox.billing.drafts import draft_for, preview, waits_for_invoice
from app.sandbox.ledger import Ledger
from app.sandbox.periods import next_boundary
from app.sandbox.policy import DAY, HOUR
from app.sandbox.store import Doc

FIRST_PAYMENT_WINDOW = 23 * HOUR


def period_of(subscription: Doc) -> tuple[int, int]:
    """The present billing period, in Unix seconds."""
    item = subscription["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def set_period(ledger: Ledger, subscription: Doc, period: tuple[int, int]) -> None:
    """Give every item this period and expect the renewal at its end, with its announcement some days before."""
    for item in subscription["items"]["data"]:
        item["current_period_start"], item["current_period_end"] = period
    ledger.set_timer("renew", subscription["id"], period[1])
    days = policy.load(ledger).upcoming_days
    announced = period[1] - days * DAY
    ledger.set_timer("upcoming", subscription["id"], announced if days and announced > period[0] else None)


def following_period(subscription: Doc, start: int) -> tuple[int, int]:
    """The period that begins at `start`."""
    recurring = subscription["items"]["data"][0]["price"]["recurring"]
    anchor = subscription["billing_cycle_anchor"]
    return start, next_boundary(anchor, recurring["interval"], recurring["interval_count"], start)


def begin(ledger: Ledger, subscription: Doc, *, hold_payment: bool = False) -> Doc:
    """The first invoice, finalized and charged at once; `hold_payment` leaves the charge to the caller's customer."""
    with ledger.changing(subscription):
        invoice = draft_for(ledger, subscription, "subscription_create", (ledger.now, ledger.now))
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
        waits = subscription["status"] != "unpaid" and not subscription["pause_collection"]
        invoice = draft_for(ledger, subscription, "subscription_cycle", ended, waits=waits)
        subscription["latest_invoice"] = invoice["id"]
    if not waits:
        _hold_back(ledger, subscription, invoice)


def bill_change(ledger: Ledger, subscription: Doc, *, new_period: bool, at_once: bool = False) -> None:
    """What a change of items bills now: a whole `new_period`, or its prorations alone when they go out `at_once`."""
    if not new_period and not (at_once and waits_for_invoice(ledger, subscription)):
        return
    with ledger.changing(subscription, "customer.subscription.updated"):
        period = period_of(subscription)
        invoice = draft_for(ledger, subscription, "subscription_update", period, recurring=new_period)
        subscription["latest_invoice"] = invoice["id"]
    invoicing.finalize_and_collect(ledger, invoice)


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


def announce_renewal(ledger: Ledger, subscription: Doc) -> None:
    """Some days before a renewal that will be charged by itself: `invoice.upcoming`, whose invoice has no id."""
    silent = subscription["cancel_at_period_end"] or subscription["pause_collection"]
    if silent or subscription["status"] not in ("active", "trialing", "past_due"):
        return
    if subscription["collection_method"] == "charge_automatically":
        _, end = period_of(subscription)
        invoice = preview(ledger, subscription, following_period(subscription, end))
        del invoice["id"]
        ledger.emit("invoice.upcoming", invoice)


def _hold_back(ledger: Ledger, subscription: Doc, invoice: Doc) -> None:
    """What becomes of a renewal's draft that nobody collects: it stays one, or is closed by a pause."""
    pause = (subscription["pause_collection"] or {}).get("behavior")
    with ledger.changing(invoice, "invoice.updated"):
        invoice["auto_advance"] = False
    if subscription["status"] == "unpaid" or pause == "keep_as_draft":
        return
    invoicing.finalize(ledger, invoice)
    if invoice["status"] == "open":
        (invoicing.void if pause == "void" else invoicing.mark_uncollectible)(ledger, invoice)
