"""Subscription schedules."""

from typing import Any

from app.sandbox import listing
from app.sandbox.billing import cycles, phases, standing
from app.sandbox.door import Route
from app.sandbox.errors import bad_param, missing_param, wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.periods import later
from app.sandbox.shapes.schedule import new_phase, new_schedule
from app.sandbox.store import Doc

_PHASE_IGNORED = (
    "add_invoice_items application_fee_percent automatic_tax billing_cycle_anchor billing_thresholds collection_method"
    " currency default_payment_method default_tax_rates description discounts invoice_settings metadata on_behalf_of"
    " transfer_data trial trial_end"
).split()


def create(ledger: Ledger, params: Params) -> Doc:
    """A schedule around a running subscription (`from_subscription`), or with phases of its own."""
    params.ignore("default_settings", "billing_mode")
    origin = params.text("from_subscription")
    if origin is not None:
        schedule = _around(ledger, ledger.get("subscription", origin, "from_subscription"))
    else:
        schedule = _of_its_own(ledger, params)
    schedule["end_behavior"] = params.choice("end_behavior", "release", "cancel") or "release"
    schedule["metadata"] = merged_metadata({}, params.mapping("metadata"))
    ledger.add(schedule, "subscription_schedule.created")
    phases.arm(ledger, schedule)
    return schedule


def update(ledger: Ledger, params: Params, schedule: str) -> Doc:
    """New phases from the present one on, another end behaviour, metadata. The present phase takes effect at once."""
    doc = _running(ledger, schedule)
    params.ignore("default_settings", "proration_behavior")
    with ledger.changing(doc, "subscription_schedule.updated"):
        doc["end_behavior"] = params.choice("end_behavior", "release", "cancel") or doc["end_behavior"]
        doc["metadata"] = merged_metadata(doc["metadata"], params.mapping("metadata"))
        if "phases" in params:
            doc["phases"] = _phases(ledger, params, doc["phases"][0]["start_date"]) or doc["phases"]
            current = next(
                (phase for phase in doc["phases"] if phase["start_date"] <= ledger.now < phase["end_date"]), None
            )
            if current is not None and doc["subscription"]:
                doc["current_phase"] = {"start_date": current["start_date"], "end_date": current["end_date"]}
                phases.apply(ledger, ledger.get("subscription", doc["subscription"]), current)
    phases.arm(ledger, doc)
    return doc


def release(ledger: Ledger, params: Params, schedule: str) -> Doc:
    """Let the subscription go on by itself."""
    doc = _running(ledger, schedule)
    params.ignore("preserve_cancel_date")
    phases.release(ledger, doc)
    return doc


def cancel(ledger: Ledger, params: Params, schedule: str) -> Doc:
    """Cancel the schedule and its subscription at once."""
    doc = _running(ledger, schedule)
    params.ignore("invoice_now", "prorate")
    subscription = ledger.find("subscription", doc["subscription"])
    phases.cancel(ledger, doc)
    if subscription is not None and subscription["status"] not in standing.ENDED:
        standing.end(ledger, subscription, "cancellation_requested")
    return doc


def retrieve(ledger: Ledger, params: Params, schedule: str) -> Doc:
    """One schedule."""
    return ledger.get("subscription_schedule", schedule)


def list_all(ledger: Ledger, params: Params) -> Doc:
    """Schedules by customer."""
    params.ignore("canceled_at", "completed_at", "released_at", "scheduled")
    equal = {"customer": params.text("customer")}
    return listing.page(ledger, params, "subscription_schedule", "/v1/subscription_schedules", equal)


def _running(ledger: Ledger, identifier: str) -> Doc:
    doc = ledger.get("subscription_schedule", identifier)
    if doc["status"] not in ("active", "not_started"):
        raise wrong_state(
            f"You cannot change a subscription schedule that is currently in the `{doc['status']}` status."
        )
    return doc


def _around(ledger: Ledger, subscription: Doc) -> Doc:
    if subscription["schedule"]:
        raise wrong_state(
            "You cannot migrate a subscription that is already attached to a schedule:"
            f" `{subscription['id']}` is already attached to `{subscription['schedule']}`."
        )
    start, end = cycles.period_of(subscription)
    items = [{"price": item["price"], "quantity": item["quantity"]} for item in subscription["items"]["data"]]
    schedule = new_schedule(
        ledger.now, subscription["customer"], [new_phase(items, start, end, subscription["currency"])]
    )
    schedule.update(
        status="active", subscription=subscription["id"], current_phase={"start_date": start, "end_date": end}
    )
    with ledger.changing(subscription, "customer.subscription.updated"):
        subscription["schedule"] = schedule["id"]
    return schedule


def _of_its_own(ledger: Ledger, params: Params) -> Doc:
    customer = ledger.get("customer", params.required("customer"), "customer")
    given = params.text("start_date")
    start = ledger.now if given in (None, "now") else params.integer("start_date") or ledger.now
    planned = _phases(ledger, params, start)
    if not planned:
        raise missing_param("phases")
    schedule = new_schedule(ledger.now, customer["id"], planned)
    if start <= ledger.now:
        phases.start(ledger, schedule, planned[0])
    return schedule


def _phases(ledger: Ledger, params: Params, start: int) -> list[Doc]:
    planned: list[Doc] = []
    for entry in params.children("phases"):
        entry.ignore(*_PHASE_IGNORED)
        items = _phase_items(ledger, entry)
        given = entry.text("start_date")
        begins = planned[-1]["end_date"] if planned else start
        if given not in (None, "now"):
            begins = entry.integer("start_date") or begins
        phase = new_phase(items, begins, _phase_end(entry, items, begins), items[0]["price"]["currency"])
        if phase["end_date"] <= begins:
            raise bad_param(entry.name("end_date"), "The subscription schedule's phase must end after it starts.")
        phase["proration_behavior"] = entry.text("proration_behavior") or "create_prorations"
        planned.append(phase)
    return planned


def _phase_items(ledger: Ledger, entry: Params) -> list[dict[str, Any]]:
    items = []
    for item in entry.children("items"):
        item.ignore("billing_thresholds", "discounts", "metadata", "tax_rates", "trial")
        price = ledger.get("price", item.required("price"), item.name("price"))
        quantity = item.integer("quantity")
        items.append({"price": price, "quantity": 1 if quantity is None else quantity})
    if not items:
        raise missing_param(entry.name("items"))
    return items


def _phase_end(entry: Params, items: list[dict[str, Any]], begins: int) -> int:
    """By `end_date`, by `duration`, by `iterations` of the price's interval; one interval when nothing is said."""
    end, duration, iterations = entry.integer("end_date"), entry.child("duration"), entry.integer("iterations")
    if end is not None:
        return end
    if duration is not None:
        return later(begins, duration.required("interval"), duration.integer("interval_count") or 1)
    recurring = items[0]["price"]["recurring"]
    return later(begins, recurring["interval"], recurring["interval_count"] * (iterations or 1))


ROUTES: list[Route] = [
    ("POST", "/v1/subscription_schedules", create),
    ("GET", "/v1/subscription_schedules", list_all),
    ("GET", "/v1/subscription_schedules/<schedule>", retrieve),
    ("POST", "/v1/subscription_schedules/<schedule>", update),
    ("POST", "/v1/subscription_schedules/<schedule>/release", release),
    ("POST", "/v1/subscription_schedules/<schedule>/cancel", cancel),
]
