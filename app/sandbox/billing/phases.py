"""Subscription schedules: at a phase's boundary the subscription takes on the items of the next phase."""

from app.sandbox.billing import standing
from app.sandbox.ledger import Ledger
from app.sandbox.shapes.subscription import new_item, plan_of
from app.sandbox.store import Doc


def arm(ledger: Ledger, schedule: Doc) -> None:
    """Expect the end of the present phase, or the start of the first one."""
    current = schedule["current_phase"]
    if schedule["status"] not in ("active", "not_started"):
        due = None
    elif current is None:
        due = schedule["phases"][0]["start_date"]
    else:
        due = current["end_date"]
    ledger.set_timer("phase", schedule["id"], due)


def turn(ledger: Ledger, schedule: Doc) -> None:
    """A boundary has come: the next phase begins, or the schedule ends as its `end_behavior` says."""
    following = next((phase for phase in schedule["phases"] if phase["end_date"] > ledger.now), None)
    subscription = ledger.find("subscription", schedule["subscription"])
    if subscription is None or subscription["status"] in standing.ENDED:
        _finish(ledger, schedule, "canceled")
    elif following is None:
        if schedule["end_behavior"] == "cancel":
            standing.end(ledger, subscription, "cancellation_requested")
        _finish(ledger, schedule, "released" if schedule["end_behavior"] == "release" else "completed")
    else:
        with ledger.changing(schedule, "subscription_schedule.updated"):
            schedule["current_phase"] = {"start_date": following["start_date"], "end_date": following["end_date"]}
            schedule["status"] = "active"
        apply(ledger, subscription, following)
        arm(ledger, schedule)


def apply(ledger: Ledger, subscription: Doc, phase: Doc) -> None:
    """Give the subscription the items of a phase; what stays in place keeps its id."""
    with ledger.changing(subscription, "customer.subscription.updated"):
        items = subscription["items"]["data"]
        period = (items[0]["current_period_start"], items[0]["current_period_end"])
        wanted = []
        for place, entry in enumerate(phase["items"]):
            price = ledger.get("price", entry["price"], "phases[items][price]")
            if place < len(items):
                item = items[place]
                item.update(price=price, plan=plan_of(price), quantity=entry["quantity"])
            else:
                item = new_item(subscription["id"], price, entry["quantity"], period, ledger.now)
            wanted.append(item)
        subscription["items"]["data"] = wanted


def _finish(ledger: Ledger, schedule: Doc, status: str) -> None:
    ledger.set_timer("phase", schedule["id"], None)
    with ledger.changing(schedule):
        schedule.update(status=status, current_phase=None)
        if status == "released":
            schedule.update(released_at=ledger.now, released_subscription=schedule["subscription"], subscription=None)
        else:
            schedule["canceled_at" if status == "canceled" else "completed_at"] = ledger.now
    subscription = ledger.find("subscription", schedule["released_subscription"] or schedule["subscription"])
    if subscription is not None and subscription["schedule"]:
        with ledger.changing(subscription):
            subscription["schedule"] = None
    ledger.emit(f"subscription_schedule.{status}", schedule)


def release(ledger: Ledger, schedule: Doc) -> None:
    """The subscription goes on by itself, as it stands now."""
    _finish(ledger, schedule, "released")


def cancel(ledger: Ledger, schedule: Doc) -> None:
    """The schedule ends here; its subscription is the caller's affair."""
    _finish(ledger, schedule, "canceled")
