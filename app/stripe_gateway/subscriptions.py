"""What a final action does to a subscription, and how it is taken back. When to do either is decided elsewhere.

A change that must be undone later is given, and undone from, the snapshot taken before it: store
`SubscriptionSnapshot.raw` first. No change here prorates or charges by itself.
"""

import hashlib
import json
from datetime import datetime

from stripe import RequestOptions

from app.stripe_gateway import schedules
from app.stripe_gateway.client import StripeDoor
from app.stripe_gateway.errors import LACKING
from app.stripe_gateway.readers import read_subscription
from app.stripe_gateway.readers.fields import Json, reference, rows, table, text
from app.stripe_gateway.snapshots import SubscriptionSnapshot


class SubscriptionCalls(StripeDoor):
    """Calls about one subscription; each returns it as it is afterwards.

    The idempotency key given is completed by the parameters sent, as they may depend on what the subscription is at
    the moment of a repeat; setting the same state twice is harmless. All raise `NotFound` and `InvalidRequest`.
    """

    def get_subscription(self, subscription_id: str) -> SubscriptionSnapshot:
        """One subscription; `raw["schedule"]` is the whole schedule where one manages it."""
        raw = self._ask("subscription_write", lambda: self._v1.subscriptions.retrieve(subscription_id))
        schedule_id = reference(raw, "schedule")
        schedule = self._find_schedule(schedule_id) if schedule_id else None
        return read_subscription({**raw, "schedule": schedule} if schedule else raw)

    def cancel_subscription(self, subscription_id: str, *, idempotency_key: str) -> SubscriptionSnapshot:
        """End it now, without a last invoice or proration. It cannot be taken back, and its open invoices stay owed."""
        raw = self._ask(
            "subscription_write",
            lambda: self._v1.subscriptions.cancel(
                subscription_id,
                {"cancellation_details": {"comment": "Payment could not be recovered"}},
                {"idempotency_key": idempotency_key},
            ),
        )
        return read_subscription(raw)

    def cancel_subscription_at_period_end(
        self, subscription: SubscriptionSnapshot, *, idempotency_key: str
    ) -> SubscriptionSnapshot:
        """End it when the period it is in ends; a schedule is made to end then too."""
        schedule = self._find_running_schedule(subscription)
        if schedule is None:
            return self._update(subscription.id, {"cancel_at_period_end": True}, idempotency_key)
        end = int(subscription.current_period_end.timestamp()) if subscription.current_period_end else None
        phases = schedules.ending_at(schedule, end)
        return self._update_schedule(subscription, schedule, phases, idempotency_key, end_behavior="cancel")

    def undo_cancel_at_period_end(self, before: SubscriptionSnapshot, *, idempotency_key: str) -> SubscriptionSnapshot:
        """Let it run on as it did in `before`, the snapshot from before the cancellation was planned."""
        schedule = self._find_running_schedule(before)
        if schedule is None:
            return self._update(before.id, {"cancel_at_period_end": before.cancel_at_period_end}, idempotency_key)
        return self._restore_schedule(before, schedule, idempotency_key)

    def change_price(
        self, subscription: SubscriptionSnapshot, price_id: str, *, idempotency_key: str
    ) -> SubscriptionSnapshot:
        """Make `price_id` the one thing it bills, from the next invoice on, keeping the first item's quantity.

        Where a schedule manages the subscription its current phase is changed, and its later phases stay as planned.
        """
        schedule = self._find_running_schedule(subscription)
        if schedule is None:
            items = _items_for_price(subscription, price_id)
            return self._update(subscription.id, {"items": items, "proration_behavior": "none"}, idempotency_key)
        return self._update_schedule(subscription, schedule, schedules.with_price(schedule, price_id), idempotency_key)

    def restore_items(self, before: SubscriptionSnapshot, *, idempotency_key: str) -> SubscriptionSnapshot:
        """Bring back the prices and quantities of `before`: on the schedule where it still runs, else on the items."""
        schedule = self._find_running_schedule(before)
        if schedule is not None:
            return self._restore_schedule(before, schedule, idempotency_key)
        now = self.get_subscription(before.id)
        items = _items_to_restore(before, now)
        if not items:
            return now
        # Leaving a free price starts a new period and bills at once, although this period has just been paid for.
        same_rhythm = {item.interval for item in before.items} == {item.interval for item in now.items}
        anchor = {"billing_cycle_anchor": "unchanged"} if same_rhythm else {}
        return self._update(before.id, {"items": items, "proration_behavior": "none", **anchor}, idempotency_key)

    def pause_collection(
        self, subscription_id: str, behavior: str, *, idempotency_key: str, resumes_at: datetime | None = None
    ) -> SubscriptionSnapshot:
        """Stop collecting its coming invoices; `behavior` is keep_as_draft, mark_uncollectible or void.

        Its status stays, and invoices that are open already are still collected.
        """
        until = {"resumes_at": int(resumes_at.timestamp())} if resumes_at else {}
        return self._update(subscription_id, {"pause_collection": {"behavior": behavior, **until}}, idempotency_key)

    def resume_collection(self, subscription_id: str, *, idempotency_key: str) -> SubscriptionSnapshot:
        """Collect its coming invoices again."""
        return self._update(subscription_id, {"pause_collection": ""}, idempotency_key)

    def _update(self, subscription_id: str, params: Json, key: str) -> SubscriptionSnapshot:
        options = _options(key, params)
        update = self._v1.subscriptions.update
        # The parameters are built from data, so the contract tests stand in for the library's types.
        raw = self._ask("subscription_write", lambda: update(subscription_id, params, options))  # type: ignore[arg-type]
        return read_subscription(raw)

    def _restore_schedule(self, before: SubscriptionSnapshot, now: Json, key: str) -> SubscriptionSnapshot:
        old = table(before.raw, "schedule") or now
        phases = schedules.restored(old, now) or schedules.remaining_phases(now)
        return self._update_schedule(before, now, phases, key, end_behavior=text(old, "end_behavior"))

    def _update_schedule(
        self,
        subscription: SubscriptionSnapshot,
        schedule: Json,
        phases: list[Json],
        key: str,
        end_behavior: str | None = None,
    ) -> SubscriptionSnapshot:
        params: Json = {"phases": phases, "proration_behavior": "none"}
        if end_behavior:
            params["end_behavior"] = end_behavior
        options = _options(key, params)
        update = self._v1.subscription_schedules.update
        schedule_id = schedule["id"]
        self._ask("subscription_write", lambda: update(schedule_id, params, options))  # type: ignore[arg-type]
        return self.get_subscription(subscription.id)

    def _find_running_schedule(self, subscription: SubscriptionSnapshot) -> Json | None:
        """The schedule as it is now: the one in a snapshot may have moved on or been released."""
        schedule = self._find_schedule(subscription.schedule_id) if subscription.schedule_id else None
        return schedule if schedule and schedules.is_running(schedule) else None

    def _find_schedule(self, schedule_id: str) -> Json | None:
        try:
            return self._ask("subscription_write", lambda: self._v1.subscription_schedules.retrieve(schedule_id))
        except LACKING:
            return None


def _items_for_price(subscription: SubscriptionSnapshot, price_id: str) -> list[Json]:
    """One item at the price, the others removed. An item already at it is kept: Stripe refuses a price twice."""
    items = subscription.items
    kept = next((item for item in items if item.price_id == price_id), items[0] if items else None)
    if kept is None:
        return [{"price": price_id}]
    # A metered item has no quantity to carry over; a licensed price takes one by default.
    removed = [{"id": item.id, "deleted": True} for item in items if item is not kept]
    return [{"id": kept.id, "price": price_id, **_quantity(kept.quantity)}, *removed]


def _items_to_restore(before: SubscriptionSnapshot, now: SubscriptionSnapshot) -> list[Json]:
    """What has to be sent so that the items are as before; empty when they are."""
    standing = {item.id: item for item in now.items}
    wanted = {item.id for item in before.items}
    changes: list[Json] = []
    for item, raw in zip(before.items, rows(before.raw, "items"), strict=False):
        present = standing.get(item.id)
        if present is None:
            changes.append({"price": item.price_id, **_quantity(item.quantity), **_own_settings(raw)})
        elif (present.price_id, present.quantity) != (item.price_id, item.quantity):
            changes.append({"id": item.id, "price": item.price_id, **_quantity(item.quantity)})
    return changes + [{"id": item.id, "deleted": True} for item in now.items if item.id not in wanted]


def _quantity(quantity: int | None) -> Json:
    return {} if quantity is None else {"quantity": quantity}


def _own_settings(raw: Json) -> Json:
    """What a removed item had beside its price."""
    rates = [text(rate, "id") for rate in rows(raw, "tax_rates")]
    own: Json = {"metadata": table(raw, "metadata"), "tax_rates": [rate for rate in rates if rate]}
    return {field: value for field, value in own.items() if value}


def _options(key: str, params: Json) -> RequestOptions:
    digest = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:16]
    return {"idempotency_key": f"{key}:{digest}"}
