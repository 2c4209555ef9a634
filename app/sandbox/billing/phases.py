"""Subscription schedules: at a phase's boundary the subscription takes on the items of the next phase."""

from app.sandbox.billing import cycles, standing, terms
from app.sandbox.ledger import Ledger
from app.sandbox.shapes.subscription import new_item, new_subscription, plan_of
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
    if schedule["status"] == "not_started" and following is not None:
        start(ledger, schedule, following)
        return
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


def start(ledger: Ledger, schedule: Doc, phase: Doc) -> None:
    """The first phase begins: there is a subscription from now on, and its first invoice is charged."""
    subscription = new_subscription(schedule["customer"], phase["currency"], ledger.now, schedule=schedule["id"])
    for entry in phase["items"]:
        price = ledger.get("price", entry["price"], "phases[items][price]")
        item = new_item(subscription["id"], price, entry["quantity"], (ledger.now, ledger.now), ledger.now)
        subscription["items"]["data"].append(item)
    cycles.set_period(ledger, subscription, cycles.following_period(subscription, ledger.now))
    known = ledger.find("subscription_schedule", schedule["id"]) is not None
    with ledger.changing(schedule, "subscription_schedule.updated" if known else None):
        schedule.update(
            status="active",
            current_phase={"start_date": phase["start_date"], "end_date": phase["end_date"]},
            subscription=subscription["id"],
        )
    ledger.add(subscription, "customer.subscription.created")
    cycles.begin(ledger, subscription)
    arm(ledger, schedule)


def apply(ledger: Ledger, subscription: Doc, phase: Doc) -> None:
    """Give the subscription the items of a phase; what stays in place keeps its id.

    In the middle of a period the difference is prorated unless the phase says `none`.
    """
    with ledger.changing(subscription, "customer.subscription.updated"):
        items = subscription["items"]["data"]
        period = (items[0]["current_period_start"], items[0]["current_period_end"])
        wanted = []
        for place, entry in enumerate(phase["items"]):
            price = ledger.get("price", entry["price"], "phases[items][price]")
            if place < len(items):
                item = {**items[place], "price": price, "plan": plan_of(price), "quantity": entry["quantity"]}
            else:
                item = new_item(subscription["id"], price, entry["quantity"], period, ledger.now)
            wanted.append(item)
        anchor = "unchanged" if ledger.now >= period[1] else None
        change = terms.ItemChange(phase["proration_behavior"], anchor)
        bills_now = terms.change_items(ledger, subscription, wanted, change)
    cycles.bill_change(ledger, subscription, new_period=bills_now, at_once=change.prorate == "always_invoice")


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
