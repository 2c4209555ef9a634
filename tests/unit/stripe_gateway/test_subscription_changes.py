"""Final actions on a subscription, and taking them back, against a subscription that remembers."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
import responses

from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.readers import read_subscription
from app.stripe_gateway.snapshots import SubscriptionSnapshot

API = "http://stripe.test/v1"
SEATS = {"id": "si_seats", "quantity": 5, "price": {"id": "price_pro"}, "current_period_end": 2_000}
METERED = {"id": "si_usage", "price": {"id": "price_usage"}, "current_period_end": 2_000}
PLAIN = {"id": "sub_1", "object": "subscription", "status": "past_due", "items": {"data": [SEATS, METERED]}}
SCHEDULED = {**PLAIN, "schedule": "sub_sched_1"}
SCHEDULE: dict[str, Any] = {
    "id": "sub_sched_1",
    "object": "subscription_schedule",
    "status": "active",
    "end_behavior": "release",
    "current_phase": {"start_date": 1_000, "end_date": 3_000},
    "phases": [
        {"start_date": 0, "end_date": 1_000, "items": [{"price": "price_trial", "quantity": 1}]},
        {
            "start_date": 1_000,
            "end_date": 3_000,
            "currency": "usd",
            "add_invoice_items": [{"price": "price_setup_fee", "quantity": 1}],
            "automatic_tax": {"enabled": False, "liability": None, "disabled_reason": None},
            "discounts": [{"coupon": None, "discount": "di_1", "promotion_code": None}],
            "items": [
                {"price": {"id": "price_pro", "object": "price"}, "quantity": 5, "tax_rates": [], "discounts": []},
                {"price": "price_addon", "quantity": 1, "metadata": {}, "billing_thresholds": None},
            ],
            "proration_behavior": "create_prorations",
            "trial_end": None,
        },
        {
            "start_date": 3_000,
            "end_date": 9_000,
            "add_invoice_items": [{"price": "price_yearly_fee", "quantity": 1}],
            "items": [{"price": "price_enterprise", "quantity": 5}],
        },
    ],
}


class Stripe:
    """Answers reads with what it holds, and notes the parameters and keys of writes."""

    def __init__(self, mock: responses.RequestsMock, subscription: dict[str, Any], schedule: Any = None) -> None:
        self.held: dict[str, Any] = {"/v1/subscriptions/sub_1": subscription}
        if schedule:
            self.held["/v1/subscription_schedules/sub_sched_1"] = schedule
        self.writes: list[tuple[str, dict[str, str]]] = []
        self.keys: list[str] = []
        for path in ("subscriptions/sub_1", "subscription_schedules/sub_sched_1"):
            for method in ("GET", "POST", "DELETE"):
                mock.add_callback(method, f"{API}/{path}", self.answer)

    def answer(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        path = str(request.path_url).partition("?")[0]
        if request.method != "GET":
            self.writes.append((path, dict(parse_qsl(str(request.body or ""), keep_blank_values=True))))
            self.keys.append(str(request.headers["Idempotency-Key"]))
        if path not in self.held:
            return 404, {}, '{"error": {"code": "resource_missing"}}'
        return 200, {}, json.dumps(self.held[path])


def snapshot(raw: dict[str, Any]) -> SubscriptionSnapshot:
    return read_subscription(json.loads(json.dumps(raw)))


def test_a_downgrade_leaves_one_price_in_the_old_quantity(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe = Stripe(stripe_api, PLAIN)
    gateway.change_price(snapshot(PLAIN), "price_free", idempotency_key="k")
    assert stripe.writes == [
        (
            "/v1/subscriptions/sub_1",
            {
                "items[0][id]": "si_seats",
                "items[0][price]": "price_free",
                "items[0][quantity]": "5",
                "items[1][id]": "si_usage",
                "items[1][deleted]": "true",
                "proration_behavior": "none",
            },
        )
    ]


def test_a_downgrade_to_a_price_it_has_keeps_that_item(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe = Stripe(stripe_api, PLAIN)
    gateway.change_price(snapshot(PLAIN), "price_usage", idempotency_key="k")
    sent = stripe.writes[0][1]
    assert (sent["items[0][id]"], sent["items[0][price]"]) == ("si_usage", "price_usage")
    assert (sent["items[1][id]"], sent["items[1][deleted]"]) == ("si_seats", "true")
    assert "items[0][quantity]" not in sent


def test_restoring_brings_back_prices_quantities_and_removed_items(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    before = {**PLAIN, "items": {"data": [SEATS, {**METERED, "metadata": {"kind": "usage"}}]}}
    downgraded = {**PLAIN, "items": {"data": [{**SEATS, "price": {"id": "price_free"}}]}}
    stripe = Stripe(stripe_api, downgraded)
    gateway.restore_items(snapshot(before), idempotency_key="k")
    assert stripe.writes[0][1] == {
        "items[0][id]": "si_seats",
        "items[0][price]": "price_pro",
        "items[0][quantity]": "5",
        "items[1][price]": "price_usage",
        "items[1][metadata][kind]": "usage",
        "proration_behavior": "none",
        "billing_cycle_anchor": "unchanged",
    }


def test_restoring_removes_what_was_added_since(gateway: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    added = {"id": "si_new", "price": {"id": "price_free"}, "quantity": 1}
    stripe = Stripe(stripe_api, {**PLAIN, "items": {"data": [SEATS, METERED, added]}})
    gateway.restore_items(snapshot(PLAIN), idempotency_key="k")
    assert stripe.writes[0][1]["items[0][id]"] == "si_new"
    assert stripe.writes[0][1]["items[0][deleted]"] == "true"


def test_restoring_what_is_as_it_was_writes_nothing(gateway: StripeGateway, stripe_api: responses.RequestsMock) -> None:
    stripe = Stripe(stripe_api, PLAIN)
    assert gateway.restore_items(snapshot(PLAIN), idempotency_key="k").id == "sub_1"
    assert stripe.writes == []


def test_a_snapshot_of_a_scheduled_subscription_holds_the_whole_schedule(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    Stripe(stripe_api, SCHEDULED, SCHEDULE)
    subscription = gateway.get_subscription("sub_1")
    assert subscription.schedule_id == "sub_sched_1"
    assert subscription.raw["schedule"]["phases"] == SCHEDULE["phases"]


def test_a_scheduled_downgrade_changes_the_current_phase_and_keeps_the_plan_ahead(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe = Stripe(stripe_api, SCHEDULED, SCHEDULE)
    gateway.change_price(snapshot(SCHEDULED), "price_free", idempotency_key="k")
    path, sent = stripe.writes[0]
    assert path == "/v1/subscription_schedules/sub_sched_1"
    assert sent == {
        "phases[0][start_date]": "1000",
        "phases[0][end_date]": "3000",
        "phases[0][automatic_tax][enabled]": "false",
        "phases[0][discounts][0][discount]": "di_1",
        "phases[0][proration_behavior]": "create_prorations",
        "phases[0][items][0][price]": "price_free",
        "phases[0][items][0][quantity]": "5",
        "phases[1][start_date]": "3000",
        "phases[1][end_date]": "9000",
        "phases[1][add_invoice_items][0][price]": "price_yearly_fee",
        "phases[1][add_invoice_items][0][quantity]": "1",
        "phases[1][items][0][price]": "price_enterprise",
        "phases[1][items][0][quantity]": "5",
        "proration_behavior": "none",
    }


def downgraded_schedule() -> dict[str, Any]:
    past, current, later = SCHEDULE["phases"]
    return {**SCHEDULE, "phases": [past, {**current, "items": [{"price": "price_free", "quantity": 5}]}, later]}


def test_a_scheduled_downgrade_is_taken_back_from_the_snapshot(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe = Stripe(stripe_api, SCHEDULED, downgraded_schedule())
    gateway.restore_items(snapshot({**SCHEDULED, "schedule": SCHEDULE}), idempotency_key="k")
    sent = stripe.writes[0][1]
    assert (sent["phases[0][items][0][price]"], sent["phases[0][items][1][price]"]) == ("price_pro", "price_addon")
    assert (sent["phases[1][items][0][price]"], sent["end_behavior"]) == ("price_enterprise", "release")


def test_a_schedule_that_moved_on_is_restored_from_its_present_phase_on(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    moved = {**downgraded_schedule(), "current_phase": {"start_date": 3_000, "end_date": 9_000}}
    stripe = Stripe(stripe_api, SCHEDULED, moved)
    gateway.restore_items(snapshot({**SCHEDULED, "schedule": SCHEDULE}), idempotency_key="k")
    sent = stripe.writes[0][1]
    assert (sent["phases[0][start_date]"], sent["phases[0][items][0][price]"]) == ("3000", "price_enterprise")
    assert "phases[1][start_date]" not in sent


def test_a_schedule_that_was_released_since_leaves_the_items_to_restore(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    released = {**SCHEDULE, "status": "released", "current_phase": None}
    now = {**PLAIN, "items": {"data": [{**SEATS, "price": {"id": "price_free"}}, METERED]}}
    stripe = Stripe(stripe_api, now, released)
    gateway.restore_items(snapshot({**SCHEDULED, "schedule": SCHEDULE}), idempotency_key="k")
    assert stripe.writes[0][0] == "/v1/subscriptions/sub_1"
    assert stripe.writes[0][1]["items[0][price]"] == "price_pro"


def test_cancelling_at_period_end_ends_a_schedule_at_that_moment_and_can_be_undone(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe = Stripe(stripe_api, SCHEDULED, SCHEDULE)
    before = gateway.get_subscription("sub_1")
    gateway.cancel_subscription_at_period_end(before, idempotency_key="k")
    sent = stripe.writes[0][1]
    assert (sent["phases[0][end_date]"], sent["end_behavior"]) == ("2000", "cancel")
    assert "phases[1][start_date]" not in sent
    gateway.undo_cancel_at_period_end(before, idempotency_key="k2")
    undone = stripe.writes[1][1]
    assert (undone["phases[0][end_date]"], undone["phases[1][end_date]"]) == ("3000", "9000")
    assert undone["end_behavior"] == "release"


@pytest.mark.parametrize("was", [True, False])
def test_undoing_a_plain_cancellation_goes_back_to_what_was(
    gateway: StripeGateway, stripe_api: responses.RequestsMock, was: bool
) -> None:
    stripe = Stripe(stripe_api, PLAIN)
    before = snapshot({**PLAIN, "cancel_at_period_end": was})
    gateway.cancel_subscription_at_period_end(before, idempotency_key="k")
    gateway.undo_cancel_at_period_end(before, idempotency_key="k2")
    assert [sent for _, sent in stripe.writes] == [
        {"cancel_at_period_end": "true"},
        {"cancel_at_period_end": str(was).lower()},
    ]


def test_collection_is_paused_until_a_day_and_resumed(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe = Stripe(stripe_api, PLAIN)
    day = datetime(2026, 12, 1, tzinfo=UTC)
    gateway.pause_collection("sub_1", "keep_as_draft", resumes_at=day, idempotency_key="k")
    gateway.resume_collection("sub_1", idempotency_key="k2")
    assert [sent for _, sent in stripe.writes] == [
        {"pause_collection[behavior]": "keep_as_draft", "pause_collection[resumes_at]": str(int(day.timestamp()))},
        {"pause_collection": ""},
    ]


def test_a_repeat_has_the_same_key_only_while_it_asks_for_the_same(
    gateway: StripeGateway, stripe_api: responses.RequestsMock
) -> None:
    stripe = Stripe(stripe_api, PLAIN)
    gateway.change_price(snapshot(PLAIN), "price_free", idempotency_key="org:case:final")
    gateway.change_price(snapshot(PLAIN), "price_free", idempotency_key="org:case:final")
    changed = {**PLAIN, "items": {"data": [SEATS]}}
    gateway.change_price(snapshot(changed), "price_free", idempotency_key="org:case:final")
    first, second, third = stripe.keys
    assert first == second != third
    assert all(key.startswith("org:case:final:") for key in stripe.keys)
