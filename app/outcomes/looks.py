"""How a subscription looks, as far as a final action can change it: enough to see what was done, and by whom not.

Pure. Status is left out on purpose, because a payment changes it and an undoing follows a payment.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from app.stripe_gateway.snapshots import SubscriptionSnapshot
from app.vocabulary import ENDED_SUBSCRIPTIONS, FinalActionKind

Json = dict[str, Any]


@dataclass(frozen=True)
class Looks:
    """Lists of [price, quantity], the pause's behaviour, whether it ends with its period, and its schedule's phases."""

    items: list[list[Any]]
    paused: str | None
    is_ending: bool
    phases: list[list[Any]]

    def plain(self) -> Json:
        """As JSON, to be kept beside the snapshot."""
        return asdict(self)


def looks_of(subscription: SubscriptionSnapshot) -> Looks:
    """What can be compared of a subscription at two moments."""
    pause = subscription.pause_collection
    return Looks(
        items=sorted([item.price_id, item.quantity] for item in subscription.items),
        paused=str(pause.get("behavior")) if pause else None,
        is_ending=is_ending(subscription),
        phases=[_phase(phase) for phase in (schedule_of(subscription) or {}).get("phases") or []],
    )


def differences(one: Json, other: Json) -> list[str]:
    """The names of what differs between two `Looks.plain()`."""
    return sorted(name for name in one if one[name] != other.get(name))


def schedule_of(subscription: SubscriptionSnapshot) -> Json | None:
    """The whole schedule that manages the subscription, where one does."""
    schedule = subscription.raw.get("schedule")
    return schedule if isinstance(schedule, dict) else None


def is_over(subscription: SubscriptionSnapshot) -> bool:
    """Whether nothing can be done to it any more: cancelled for good."""
    return subscription.status in ENDED_SUBSCRIPTIONS


def is_ending(subscription: SubscriptionSnapshot) -> bool:
    """Whether it ends no later than the period it is in, by its own flag, by a date, or by its schedule."""
    if subscription.cancel_at_period_end:
        return True
    end = subscription.current_period_end
    return end is not None and any(moment <= end for moment in _planned_ends(subscription))


def is_effect_visible(kind: FinalActionKind, price_id: str | None, subscription: SubscriptionSnapshot) -> bool:
    """Whether the subscription looks as if this action had been taken, by whomever."""
    match kind:
        case FinalActionKind.CANCEL_NOW:
            return is_over(subscription)
        case FinalActionKind.CANCEL_AT_PERIOD_END:
            return is_over(subscription) or is_ending(subscription)
        case FinalActionKind.DOWNGRADE:
            return {item.price_id for item in subscription.items} == {price_id}
        case FinalActionKind.PAUSE:
            return subscription.pause_collection is not None
        case _:
            return True


def _planned_ends(subscription: SubscriptionSnapshot) -> list[datetime]:
    schedule = schedule_of(subscription) or {}
    phases = schedule.get("phases") or [{}]
    ends = [subscription.raw.get("cancel_at")]
    if schedule.get("end_behavior") == "cancel":
        ends.append(phases[-1].get("end_date"))
    return [datetime.fromtimestamp(end, UTC) for end in ends if isinstance(end, int)]


def _phase(phase: Json) -> list[Any]:
    items = phase.get("items") or []
    return [phase.get("start_date"), phase.get("end_date"), [[_price_of(item), item.get("quantity")] for item in items]]


def _price_of(item: Json) -> Any:
    price = item.get("price")
    return price.get("id") if isinstance(price, dict) else price
