"""The invoice that bills a subscription: as a draft, and as the preview that announces it."""

from app.sandbox import ids, policy
from app.sandbox.billing import balances, discounts
from app.sandbox.billing.lines import item_line, price_line, pull_in_items, total_up, waiting_items
from app.sandbox.ledger import Ledger, snapshot
from app.sandbox.policy import DAY, HOUR
from app.sandbox.shapes.invoice import new_invoice
from app.sandbox.store import Doc


def draft_for(
    ledger: Ledger,
    subscription: Doc,
    reason: str,
    invoiced: tuple[int, int],
    *,
    recurring: bool = True,
    waits: bool = False,
) -> Doc:
    """A new draft that bills the items' present period; `invoiced` is the period the invoice itself names.

    Without `recurring` it bills only what waits for an invoice. One that `waits` is finalized and charged an hour
    later; every other is its caller's affair. A discount that is used up leaves the subscription, which the caller
    saves.
    """
    invoice = _blank(ledger, subscription, reason, invoiced)
    invoice["lines"]["data"] = [
        price_line(ledger, invoice, subscription, item, (item["current_period_start"], item["current_period_end"]))
        for item in subscription["items"]["data"]
        if recurring
    ]
    pull_in_items(ledger, invoice, subscription["id"])
    if waits:
        wait(ledger, invoice)
    ledger.add(invoice, "invoice.created")
    discounts.spend(ledger, subscription, invoice)
    return invoice


def wait(ledger: Ledger, draft: Doc) -> None:
    """Finalize a draft in an hour, and charge it then unless it is sent. The caller saves it."""
    due = ledger.now + HOUR
    draft["automatically_finalizes_at"] = due
    draft["next_payment_attempt"] = due if draft["collection_method"] == "charge_automatically" else None
    ledger.set_timer("finalize", draft["id"], due)


def stop_waiting(ledger: Ledger, draft: Doc) -> None:
    """Leave a draft a draft. The caller saves it."""
    draft.update(automatically_finalizes_at=None, next_payment_attempt=None)
    ledger.set_timer("finalize", draft["id"], None)


def preview(ledger: Ledger, subscription: Doc, period: tuple[int, int]) -> Doc:
    """What the renewal for `period` would bill if nothing changed; nothing is kept of it."""
    invoiced = subscription["items"]["data"][0]
    was = (invoiced["current_period_start"], invoiced["current_period_end"])
    invoice = _blank(ledger, subscription, "upcoming", was, created=period[0])
    invoice["id"] = ids.new("upcoming_in")
    invoice["lines"]["data"] = [
        price_line(ledger, invoice, subscription, item, period) for item in subscription["items"]["data"]
    ]
    for item in waiting_items(ledger, invoice, subscription["id"]):
        invoice["lines"]["data"].append(item_line(ledger, invoice, item))
    total_up(ledger, invoice)
    customer = ledger.get("customer", subscription["customer"])
    due, _ = balances.due_after(invoice, customer)
    invoice.update(starting_balance=customer["balance"], amount_due=due, amount_remaining=due)
    if invoice["collection_method"] == "charge_automatically":
        invoice["next_payment_attempt"] = period[0] + HOUR
    return snapshot(invoice)


def waits_for_invoice(ledger: Ledger, subscription: Doc) -> bool:
    """Whether there are items that the subscription's next invoice would bill beside its prices."""
    invoice = {"customer": subscription["customer"], "currency": subscription["currency"]}
    return any(waiting_items(ledger, invoice, subscription["id"]))


def _blank(
    ledger: Ledger, subscription: Doc, reason: str, invoiced: tuple[int, int], created: int | None = None
) -> Doc:
    customer = ledger.get("customer", subscription["customer"])
    invoice = new_invoice(
        customer,
        subscription["currency"],
        ledger.now if created is None else created,
        account_name=policy.load(ledger).business_name,
        billing_reason=reason,
        collection_method=subscription["collection_method"],
        discounts=discounts.in_force(ledger, subscription),
        parent={
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": {"metadata": subscription["metadata"], "subscription": subscription["id"]},
        },
        period_start=invoiced[0],
        period_end=invoiced[1],
    )
    if subscription["collection_method"] == "send_invoice":
        invoice["due_date"] = invoice["created"] + (subscription["days_until_due"] or 30) * DAY
    return invoice
