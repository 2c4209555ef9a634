"""Reads invoices of every API version from 2016 to dahlia into one shape.

Source of the moved fields: Stripe's changelog for 2018-11-08 (status), 2025-03-31.basil (parent, payments, pricing).
"""

from collections.abc import Iterator

from app.stripe_gateway.readers.fields import (
    Json,
    at,
    first_text,
    flag,
    metadata,
    moment,
    moment_or_epoch,
    reference,
    rows,
    table,
    text,
    whole,
)
from app.stripe_gateway.snapshots import InvoiceSnapshot, LineSnapshot


def read_invoice(data: Json) -> InvoiceSnapshot:
    """An invoice; ids of its payment are None when neither `payments` is expanded nor the old fields are there.

    A `next_payment_attempt` counts only where Stripe advances the invoice by itself: imitations leave a date there.
    """
    status = _status(data)
    auto_advance = flag(data, "auto_advance") if "auto_advance" in data else at(data, "closed") is False
    due = whole(data, "amount_due") or 0
    payment = _payment(data)
    intent = table(payment, "payment_intent") or table(data, "payment_intent")
    return InvoiceSnapshot(
        id=text(data, "id") or "",
        customer_id=reference(data, "customer"),
        subscription_id=first_text(_subscription_ids(data)),
        status=status,
        amount_due=due,
        amount_paid=_whole_or(data, "amount_paid", due if status == "paid" else 0),
        amount_remaining=_whole_or(data, "amount_remaining", 0 if status == "paid" else due),
        currency=(text(data, "currency") or "").lower(),
        billing_reason=text(data, "billing_reason"),
        collection_method=_collection_method(data),
        attempted=flag(data, "attempted"),
        attempt_count=whole(data, "attempt_count") or 0,
        next_payment_attempt=moment(data, "next_payment_attempt") if auto_advance or status == "draft" else None,
        auto_advance=auto_advance,
        default_payment_method_id=reference(data, "default_payment_method") or reference(data, "default_source"),
        payment_intent_id=reference(payment, "payment_intent") or reference(data, "payment_intent"),
        charge_id=reference(payment, "charge") or reference(data, "charge") or reference(intent, "latest_charge"),
        hosted_invoice_url=text(data, "hosted_invoice_url"),
        number=text(data, "number"),
        created=moment_or_epoch(data, "created" if "created" in data else "date"),
        due_date=moment(data, "due_date"),
        period_end=moment(data, "period_end"),
        paid_at=moment(data, "status_transitions", "paid_at"),
        paid_out_of_band=_is_paid_out_of_band(data, status, due),
        lines=tuple(read_line(line) for line in rows(data, "lines")),
        livemode=flag(data, "livemode"),
        metadata=metadata(data),
    )


def read_line(data: Json) -> LineSnapshot:
    """One invoice line; basil moved its price into `pricing.price_details`."""
    details = table(data, "pricing", "price_details")
    price = table(details, "price") or table(data, "price") or table(data, "plan")
    recurring = table(price, "recurring") or price
    return LineSnapshot(
        price_id=reference(details, "price") or reference(data, "price") or reference(data, "plan"),
        product_id=reference(details, "product") or reference(price, "product"),
        description=text(data, "description"),
        amount=whole(data, "amount") or 0,
        interval=text(recurring, "interval"),
    )


def _status(data: Json) -> str:
    if status := text(data, "status"):
        return status
    if flag(data, "paid"):
        return "paid"
    if flag(data, "forgiven"):
        return "uncollectible"
    return "open" if flag(data, "attempted") or flag(data, "closed") else "draft"


def _subscription_ids(data: Json) -> Iterator[str | None]:
    yield reference(data, "parent", "subscription_details", "subscription")
    yield reference(data, "subscription")
    for line in rows(data, "lines"):
        yield reference(line, "parent", "subscription_item_details", "subscription")
        yield reference(line, "subscription")


def _payment(data: Json) -> Json | None:
    """What paid or tries to pay: the default of the invoice's payments, else the first of them."""
    payments = rows(data, "payments")
    chosen = next((payment for payment in payments if flag(payment, "is_default")), payments[0] if payments else None)
    return table(chosen, "payment")


def _collection_method(data: Json) -> str:
    # Until 2019-10-17 the field was called `billing`.
    return text(data, "collection_method") or text(data, "billing") or "charge_automatically"


def _is_paid_out_of_band(data: Json, status: str, due: int) -> bool:
    """Basil dropped the flag; since then the amount paid off Stripe says it, or a list with no payment of Stripe's."""
    if "paid_out_of_band" in data:
        return flag(data, "paid_out_of_band")
    if status != "paid" or due == 0:
        return False
    if off_stripe := whole(data, "amount_paid_off_stripe"):
        return off_stripe >= due
    listed = isinstance(at(data, "payments", "data"), list)
    return listed and not any(_is_stripe_payment(row) for row in rows(data, "payments"))


def _is_stripe_payment(row: Json) -> bool:
    settled = text(row, "status") in (None, "paid")
    return settled and text(row, "payment", "type") != "payment_record"


def _whole_or(data: Json, key: str, fallback: int) -> int:
    found = whole(data, key)
    return fallback if found is None else found
