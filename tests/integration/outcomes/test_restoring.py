"""After a late payment, what the final action took comes back: once, and only when nobody else has changed it since."""

from datetime import timedelta

import pytest

from app.outcomes.actions import SkipReason
from app.stripe_gateway.errors import RetryLater
from app.vocabulary import FinalActionKind, FinalActionState
from tests.integration.outcomes.conftest import Scene


def take_and_pay(scene: Scene, kind: FinalActionKind) -> None:
    assert scene.take(kind).state is FinalActionState.DONE
    scene.turn(timedelta(days=3))
    scene.pay()


def test_a_late_payment_brings_the_old_price_back(scene: Scene) -> None:
    before = scene.subscription().items
    take_and_pay(scene, FinalActionKind.DOWNGRADE)

    assert scene.restore().is_restored

    assert scene.subscription().items == before
    assert scene.row().state is FinalActionState.RESTORED
    assert scene.row().restored_at is not None


def test_every_item_and_quantity_comes_back(scene: Scene) -> None:
    extra = scene.stripe.ask(
        "prices",
        {"currency": "eur", "unit_amount": 900, "recurring[interval]": "month", "product_data[name]": "Seats"},
    )
    scene.stripe.ask(
        f"subscriptions/{scene.subscription_id}",
        {"items[0][price]": extra["id"], "items[0][quantity]": 7, "proration_behavior": "none"},
    )
    before = sorted((item.price_id or "", item.quantity) for item in scene.subscription().items)
    take_and_pay(scene, FinalActionKind.DOWNGRADE)

    assert scene.restore().is_restored

    assert sorted((item.price_id or "", item.quantity) for item in scene.subscription().items) == before


def test_a_late_payment_resumes_a_pause(scene: Scene) -> None:
    take_and_pay(scene, FinalActionKind.PAUSE)

    assert scene.restore().is_restored
    assert scene.subscription().pause_collection is None


def test_a_late_payment_undoes_a_planned_end(scene: Scene) -> None:
    take_and_pay(scene, FinalActionKind.CANCEL_AT_PERIOD_END)

    assert scene.restore().is_restored
    assert not scene.subscription().cancel_at_period_end


def test_a_cancelled_subscription_cannot_come_back_and_the_result_says_so(scene: Scene) -> None:
    take_and_pay(scene, FinalActionKind.CANCEL_NOW)

    result = scene.restore()

    assert (result.is_restored, result.reason) == (False, SkipReason.CANCELLATION_IS_FINAL)
    assert "customer needs a new one" in result.summary
    assert scene.row().reason == SkipReason.CANCELLATION_IS_FINAL


def test_an_end_that_has_come_cannot_be_undone(scene: Scene) -> None:
    scene.take(FinalActionKind.CANCEL_AT_PERIOD_END)
    scene.stripe.ask(f"subscriptions/{scene.subscription_id}", method="DELETE")
    scene.pay()

    assert scene.restore().reason is SkipReason.CANCELLATION_IS_FINAL


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ({"cancel_at_period_end": "true"}, "is_ending"),
        ({"pause_collection[behavior]": "keep_as_draft"}, "paused"),
    ],
)
def test_a_subscription_somebody_has_changed_since_is_left_alone(
    scene: Scene, change: dict[str, str], differs: str
) -> None:
    take_and_pay(scene, FinalActionKind.DOWNGRADE)
    scene.stripe.ask(f"subscriptions/{scene.subscription_id}", change)

    result = scene.restore()

    assert (result.is_restored, result.reason) == (False, SkipReason.CHANGED_MEANWHILE)
    assert differs in result.summary
    assert scene.prices() == [scene.free_price_id]


def test_a_customer_who_chose_another_plan_keeps_it(scene: Scene) -> None:
    take_and_pay(scene, FinalActionKind.DOWNGRADE)
    other = scene.stripe.ask(
        "prices",
        {"currency": "eur", "unit_amount": 1900, "recurring[interval]": "month", "product_data[name]": "Starter"},
    )
    item = scene.subscription().items[0]
    scene.stripe.ask(
        f"subscriptions/{scene.subscription_id}",
        {"items[0][id]": item.id, "items[0][price]": other["id"], "proration_behavior": "none"},
    )

    assert scene.restore().reason is SkipReason.CHANGED_MEANWHILE
    assert scene.prices() == [other["id"]]


def test_an_old_price_that_is_no_longer_there_is_a_named_reason(scene: Scene) -> None:
    take_and_pay(scene, FinalActionKind.DOWNGRADE)
    scene.remember_price("price_of_no_one")

    assert scene.restore().reason is SkipReason.REFUSED_BY_STRIPE
    assert scene.row().state is FinalActionState.DONE


def test_restoring_twice_does_it_once(scene: Scene) -> None:
    take_and_pay(scene, FinalActionKind.DOWNGRADE)
    first = scene.restore()
    writes = list(scene.stripe.recorder.writes)

    assert scene.restore() == first
    assert scene.stripe.recorder.writes == writes


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "http_500", "http_500_after"])
def test_a_lost_answer_to_the_undoing_is_made_good_by_the_next_try(scene: Scene, fault: str) -> None:
    take_and_pay(scene, FinalActionKind.DOWNGRADE)
    scene.stripe.trouble(fault, "/v1/subscriptions/", method="POST")
    with pytest.raises(RetryLater):
        scene.restore()

    assert scene.restore().is_restored
    assert scene.prices() == [scene.price_id]
    assert scene.row().state is FinalActionState.RESTORED


@pytest.mark.parametrize("fault", ["cut_before", "cut_after"])
def test_an_action_that_was_under_way_when_the_money_came_is_settled_by_reading(scene: Scene, fault: str) -> None:
    scene.stripe.trouble(fault, "/v1/subscriptions/", method="POST")
    with pytest.raises(RetryLater):
        scene.take(FinalActionKind.DOWNGRADE)
    scene.pay()

    result = scene.restore()

    assert result.is_restored is (fault == "cut_after")
    assert scene.prices() == [scene.price_id]
    assert not scene.has_something_to_restore()


def test_an_action_that_changed_nothing_leaves_nothing_to_restore(scene: Scene) -> None:
    scene.take(FinalActionKind.DOWNGRADE, price_id=scene.price_id)

    assert scene.restore().reason is SkipReason.NOTHING_TO_RESTORE


def test_a_written_off_debt_needs_no_restoring(scene: Scene) -> None:
    scene.take(FinalActionKind.MARK_UNCOLLECTIBLE)

    assert scene.restore().reason is SkipReason.NOTHING_TO_RESTORE


def test_a_case_without_final_action_has_nothing_to_restore(scene: Scene) -> None:
    assert scene.restore().reason is SkipReason.NO_FINAL_ACTION
    assert not scene.has_something_to_restore()
