"""Subscription schedules as plain phases: what of them can be written back, and what a changed plan looks like.

A subscription that a schedule manages takes its prices from the schedule's phases: a change on the subscription
itself would be undone at the next phase. Pure; the calls are in `subscriptions.py`.
Source: POST /v1/subscription_schedules/{schedule} in Stripe's OpenAPI document (past phases can be left out).
"""

from typing import Any

from app.stripe_gateway.readers.fields import Json, rows, table, text, whole

_PHASE_FIELDS = (
    "add_invoice_items",
    "application_fee_percent",
    "automatic_tax",
    "billing_cycle_anchor",
    "billing_thresholds",
    "collection_method",
    "default_payment_method",
    "default_tax_rates",
    "description",
    "discounts",
    "end_date",
    "invoice_settings",
    "items",
    "metadata",
    "on_behalf_of",
    "proration_behavior",
    "start_date",
    "transfer_data",
    "trial_end",
)
_ITEM_FIELDS = ("billing_thresholds", "discounts", "metadata", "price", "quantity", "tax_rates")
_DISCOUNT_FIELDS = ("discount", "coupon", "promotion_code")


def remaining_phases(schedule: Json) -> list[Json]:
    """The current phase and the ones after it, as parameters, without what the current one invoiced at its start."""
    current_start = whole(schedule, "current_phase", "start_date") or 0
    phases = [phase for phase in rows(schedule, "phases") if (whole(phase, "end_date") or 0) > current_start]
    written = [_writable_phase(phase) for phase in phases]
    for phase in written[:1]:
        phase.pop("add_invoice_items", None)
    return written


def with_price(schedule: Json, price_id: str) -> list[Json]:
    """The remaining phases, the current one billing `price_id` alone, in the quantity of its first item."""
    current, *later = remaining_phases(schedule)
    first = current["items"][0] if current.get("items") else {}
    kept = {field: first[field] for field in ("quantity", "tax_rates") if field in first}
    return [{**current, "items": [{**kept, "price": price_id}]}, *later]


def ending_at(schedule: Json, end: int | None) -> list[Json]:
    """The current phase alone, ending at `end` (Unix seconds) where that is sooner than its own end."""
    current, *_ = remaining_phases(schedule)
    own_end = current.get("end_date")
    ends = [moment for moment in (end, own_end) if isinstance(moment, int)]
    return [{**current, "end_date": min(ends)}] if ends else [current]


def restored(before: Json, now: Json) -> list[Json]:
    """The phases of `before` that are still ahead of, or current at, the schedule as it is `now`."""
    return remaining_phases({**before, "current_phase": table(now, "current_phase") or table(before, "current_phase")})


def is_running(schedule: Json) -> bool:
    """Whether the schedule still steers its subscription and has phases to change."""
    return text(schedule, "status") in (None, "active", "not_started") and bool(remaining_phases(schedule))


def _writable_phase(phase: Json) -> Json:
    written = {field: _writable(phase[field]) for field in _PHASE_FIELDS if phase.get(field) not in (None, [], {})}
    written["items"] = [_writable_item(item) for item in rows(phase, "items")]
    if discounts := rows(phase, "discounts"):
        written["discounts"] = [_writable_discount(discount) for discount in discounts]
    if tax := table(phase, "automatic_tax"):
        wanted = [field for field in ("enabled", "liability") if tax.get(field) is not None]
        written["automatic_tax"] = {field: _writable(tax[field]) for field in wanted}
    return {field: value for field, value in written.items() if value not in ({}, [])}


def _writable_item(item: Json) -> Json:
    written = {field: _writable(item[field]) for field in _ITEM_FIELDS if item.get(field) not in (None, [], {})}
    if discounts := rows(item, "discounts"):
        written["discounts"] = [_writable_discount(discount) for discount in discounts]
    return {field: value for field, value in written.items() if value not in ({}, [])}


def _writable_discount(discount: Json) -> Json:
    """One discount by the most specific of the names it has."""
    named = next((field for field in _DISCOUNT_FIELDS if discount.get(field)), None)
    return {named: _writable(discount[named])} if named else {}


def _writable(value: Any) -> Any:
    """`value` without nulls, and with expanded objects by their id."""
    if isinstance(value, list):
        return [_writable(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if text(value, "id") and text(value, "object"):
        return value["id"]
    return {key: _writable(entry) for key, entry in value.items() if entry is not None}
