"""Which events Recoup wants, and reading those that Stripe keeps (30 days) to find what was missed."""

from collections.abc import Iterator
from datetime import datetime

from app.stripe_gateway.client import StripeDoor
from app.stripe_gateway.errors import LACKING
from app.stripe_gateway.readers import read_event
from app.stripe_gateway.readers.fields import Json
from app.stripe_gateway.snapshots import EventSnapshot

# Never `invoice.created`: Stripe waits for its delivery before finalizing a renewal, so our downtime would hold up
# the operator's billing. Never `*`.
ENABLED_EVENTS: tuple[str, ...] = (
    "account.application.deauthorized",
    "account.updated",
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.failed",
    "charge.refunded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.deleted",
    "customer.source.expiring",
    "customer.source.updated",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.pending_update_expired",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.finalization_failed",
    "invoice.marked_uncollectible",
    "invoice.overdue",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_attempt_required",
    "invoice.payment_failed",
    "invoice.payment_succeeded",
    "invoice.upcoming",
    "invoice.updated",
    "invoice.voided",
    "invoice.will_be_due",
    "invoice_payment.paid",
    "mandate.updated",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.automatically_updated",
    "payment_method.detached",
    "payment_method.updated",
    "radar.early_fraud_warning.created",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
    "subscription_schedule.canceled",
    "subscription_schedule.released",
    "subscription_schedule.updated",
)
_MOST_TYPES = 20  # that one listing may name


class EventCalls(StripeDoor):
    """Calls about events."""

    def list_events(
        self,
        *,
        types: tuple[str, ...] = ENABLED_EVENTS,
        created_after: datetime | None = None,
        ending_before: str | None = None,
        delivery_success: bool | None = None,
    ) -> Iterator[EventSnapshot]:
        """Events that Stripe keeps, page by page, twenty types at a time.

        `ending_before` (an event's id) gives what came after that event, oldest first; without it the newest come
        first. The order holds within each twenty types only, and each event is in the API version of its making.
        An imitation that knows no filters gives every event of these types.
        """
        created = {"gte": int(created_after.timestamp())} if created_after else None
        filters = {"created": created, "delivery_success": delivery_success, "ending_before": ending_before}
        given: Json = {name: value for name, value in filters.items() if value is not None}
        try:
            for some in _groups(types):
                yield from map(read_event, self._walk_events({"types": some, **given}))
        except LACKING:
            if not self._is_imitation:
                raise
            # Whatever it keeps is more than was asked for; an event that comes twice is known by its id.
            everything = map(read_event, self._walk_events({}))
            yield from (event for event in everything if event.type in types)

    def _walk_events(self, params: Json) -> Iterator[Json]:
        walk = self._pages_back if "ending_before" in params else self._pages
        return walk("event_read", lambda p: self._v1.events.list(p), params)


def _groups(types: tuple[str, ...]) -> list[list[str]]:
    return [list(types[start : start + _MOST_TYPES]) for start in range(0, len(types), _MOST_TYPES)]
