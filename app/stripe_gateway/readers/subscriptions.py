"""Reads subscriptions and their items. Basil moved the billing period from the subscription to its items."""

from datetime import datetime

from app.stripe_gateway.readers.fields import Json, flag, metadata, moment, reference, rows, table, text, whole
from app.stripe_gateway.snapshots import SubscriptionItem, SubscriptionSnapshot

TERMINAL_STATUSES = frozenset({"canceled", "incomplete_expired"})


def read_subscription(data: Json) -> SubscriptionSnapshot:
    """A subscription; a whole one read back from `SubscriptionSnapshot.raw` is the same as it was."""
    return SubscriptionSnapshot(
        id=text(data, "id") or "",
        customer_id=reference(data, "customer"),
        status=text(data, "status") or "unknown",
        description=text(data, "description"),
        collection_method=text(data, "collection_method") or text(data, "billing"),  # as it was called until 2019-10-17
        items=tuple(_read_item(item) for item in _items(data)),
        default_payment_method_id=reference(data, "default_payment_method"),
        default_source_id=reference(data, "default_source"),
        latest_invoice_id=reference(data, "latest_invoice"),
        current_period_end=moment(data, "current_period_end") or _earliest_item_end(data),
        cancel_at_period_end=flag(data, "cancel_at_period_end"),
        canceled_at=moment(data, "canceled_at"),
        cancellation_reason=text(data, "cancellation_details", "reason"),
        pause_collection=table(data, "pause_collection"),
        schedule_id=reference(data, "schedule"),
        metadata=metadata(data),
        raw=data,
        livemode=flag(data, "livemode"),
    )


def _items(data: Json) -> list[Json]:
    """The items; where a very old shape has one plan on the subscription itself, that plan as an item."""
    plan = table(data, "plan")
    return rows(data, "items") or ([{"plan": plan, "quantity": data.get("quantity")}] if plan else [])


def _read_item(data: Json) -> SubscriptionItem:
    # A plan is what a price was called before 2020; it has its interval and amount at the top.
    price = table(data, "price") or table(data, "plan") or {}
    recurring = table(price, "recurring") or price
    amount = whole(price, "unit_amount")
    return SubscriptionItem(
        id=text(data, "id") or "",
        price_id=reference(data, "price") or reference(data, "plan"),
        product_id=reference(price, "product"),
        quantity=whole(data, "quantity"),
        unit_amount=whole(price, "amount") if amount is None else amount,
        currency=(text(price, "currency") or "").lower(),
        interval=text(recurring, "interval"),
        interval_count=whole(recurring, "interval_count") or 1,
        nickname=text(price, "nickname"),
    )


def _earliest_item_end(data: Json) -> datetime | None:
    ends = (moment(item, "current_period_end") for item in rows(data, "items"))
    return min((end for end in ends if end is not None), default=None)
