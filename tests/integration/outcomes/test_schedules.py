"""Final actions on a subscription that a schedule manages: through the schedule, and back."""

import pytest

from app.outcomes.actions import SkipReason
from app.outcomes.looks import schedule_of
from app.vocabulary import FinalActionKind, FinalActionState
from tests.integration.outcomes.conftest import Scene


@pytest.fixture
def scheduled(scene: Scene) -> Scene:
    """The present phase ends with the period; a second one, at three of the same price, follows for a year."""
    schedule = scene.stripe.ask("subscription_schedules", {"from_subscription": scene.subscription_id})
    phase = schedule["phases"][0]
    scene.stripe.ask(
        f"subscription_schedules/{schedule['id']}",
        {
            "end_behavior": "release",
            "phases[0][items][0][price]": scene.price_id,
            "phases[0][items][0][quantity]": 1,
            "phases[0][start_date]": phase["start_date"],
            "phases[0][end_date]": phase["end_date"],
            "phases[1][items][0][price]": scene.price_id,
            "phases[1][items][0][quantity]": 3,
            "phases[1][start_date]": phase["end_date"],
            "phases[1][end_date]": phase["end_date"] + 365 * 86400,
        },
    )
    return scene


def phases(scene: Scene) -> list[tuple[str, int]]:
    schedule = schedule_of(scene.subscription())
    assert schedule is not None
    return [(phase["items"][0]["price"], phase["items"][0]["quantity"]) for phase in schedule["phases"]]


def test_a_downgrade_goes_through_the_schedule_and_leaves_later_phases(scheduled: Scene) -> None:
    assert scheduled.take(FinalActionKind.DOWNGRADE).state is FinalActionState.DONE

    assert scheduled.prices() == [scheduled.free_price_id]
    assert phases(scheduled) == [(scheduled.free_price_id, 1), (scheduled.price_id, 3)]
    assert scheduled.row().schedule_before is not None
    assert scheduled.stripe.writes("/v1/subscriptions/") == []


def test_a_late_payment_restores_the_schedule(scheduled: Scene) -> None:
    before = phases(scheduled)
    scheduled.take(FinalActionKind.DOWNGRADE)
    scheduled.pay()

    assert scheduled.restore().is_restored

    assert phases(scheduled) == before
    assert scheduled.prices() == [scheduled.price_id]


def test_an_end_planned_on_the_schedule_is_undone_with_its_phases(scheduled: Scene) -> None:
    before = phases(scheduled)
    scheduled.take(FinalActionKind.CANCEL_AT_PERIOD_END)
    schedule = schedule_of(scheduled.subscription())
    assert schedule is not None
    assert (schedule["end_behavior"], len(schedule["phases"])) == ("cancel", 1)
    scheduled.pay()

    assert scheduled.restore().is_restored

    assert phases(scheduled) == before


def test_a_plan_that_somebody_has_changed_since_is_left_alone(scheduled: Scene) -> None:
    scheduled.take(FinalActionKind.DOWNGRADE)
    scheduled.pay()
    schedule = schedule_of(scheduled.subscription())
    assert schedule is not None
    first = schedule["phases"][0]
    scheduled.stripe.ask(
        f"subscription_schedules/{schedule['id']}",
        {
            "phases[0][items][0][price]": scheduled.free_price_id,
            "phases[0][start_date]": first["start_date"],
            "phases[0][end_date]": first["end_date"],
        },
    )

    result = scheduled.restore()

    assert result.reason is SkipReason.CHANGED_MEANWHILE
    assert "phases" in result.summary
