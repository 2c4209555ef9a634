"""Final actions through lost answers, server errors, refusals, old keys and kills: done once, and known in the end."""

import signal
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from app.outcomes import ledger
from app.outcomes.actions import FinalAction, SkipReason
from app.stripe_gateway.errors import RateLimited, RetryLater, Unauthorized
from app.stripe_gateway.gateway import StripeGateway
from app.vocabulary import DebtAfterwards, FinalActionKind, FinalActionState
from tests.integration.outcomes.conftest import Scene
from tests.integration.outcomes.take import take

INTENDED, DONE, SKIPPED = FinalActionState.INTENDED, FinalActionState.DONE, FinalActionState.SKIPPED
KINDS = (
    FinalActionKind.CANCEL_NOW,
    FinalActionKind.CANCEL_AT_PERIOD_END,
    FinalActionKind.DOWNGRADE,
    FinalActionKind.PAUSE,
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "http_500", "http_500_after"])
def test_an_answer_that_did_not_come_is_made_good_by_the_next_try(
    scene: Scene, kind: FinalActionKind, fault: str
) -> None:
    scene.stripe.trouble(fault, "/v1/subscriptions/", method="DELETE" if kind is FinalActionKind.CANCEL_NOW else "POST")

    with pytest.raises(RetryLater):
        scene.take(kind)
    assert scene.row().state is INTENDED

    assert scene.take(kind).state is DONE
    assert scene.row().parameters["did"] == ["subscription"]


def test_a_change_that_got_through_unheard_is_not_asked_for_again(scene: Scene) -> None:
    scene.stripe.trouble("cut_after", "/v1/subscriptions/", method="POST")
    with pytest.raises(RetryLater):
        scene.take(FinalActionKind.DOWNGRADE)

    scene.take(FinalActionKind.DOWNGRADE)

    assert len(scene.stripe.writes("/v1/subscriptions/")) == 1


def test_a_lost_request_is_repeated_under_the_same_key(scene: Scene) -> None:
    scene.stripe.trouble("cut_before", "/v1/subscriptions/", method="POST")
    with pytest.raises(RetryLater):
        scene.take(FinalActionKind.PAUSE)

    scene.take(FinalActionKind.PAUSE)

    first, second = scene.stripe.writes("/v1/subscriptions/")
    assert first == second
    assert first.startswith(f"recoup:{scene.organization_id}:{scene.case_id}:final:1")


def test_a_server_error_is_not_asked_for_again_under_the_key_that_stripe_stored_it_with(scene: Scene) -> None:
    scene.stripe.trouble("http_500", "/v1/subscriptions/", method="POST")
    with pytest.raises(RetryLater):
        scene.take(FinalActionKind.PAUSE)

    scene.take(FinalActionKind.PAUSE)

    first, second = scene.stripe.writes("/v1/subscriptions/")
    assert first != second


def test_a_key_that_stripe_may_have_forgotten_is_not_used_again(scene: Scene) -> None:
    scene.stripe.trouble("cut_before", "/v1/subscriptions/", method="POST")
    with pytest.raises(RetryLater):
        scene.take(FinalActionKind.PAUSE)
    scene.turn(timedelta(hours=23))

    scene.take(FinalActionKind.PAUSE)

    first, second = scene.stripe.writes("/v1/subscriptions/")
    assert first != second


def test_an_old_intention_that_got_through_is_found_by_reading(scene: Scene) -> None:
    scene.stripe.trouble("cut_after", "/v1/subscriptions/", method="POST")
    with pytest.raises(RetryLater):
        scene.take(FinalActionKind.PAUSE, DebtAfterwards.VOID)
    scene.turn(timedelta(days=2))

    assert scene.take(FinalActionKind.PAUSE).state is DONE
    assert scene.invoice().status == "void"
    assert len(scene.stripe.writes("/v1/subscriptions/")) == 1


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "http_500", "http_500_after"])
def test_trouble_with_the_debt_does_not_repeat_the_subscription(scene: Scene, fault: str) -> None:
    scene.stripe.trouble(fault, "/void")
    with pytest.raises(RetryLater):
        scene.take(FinalActionKind.DOWNGRADE, DebtAfterwards.VOID)

    result = scene.take(FinalActionKind.DOWNGRADE, DebtAfterwards.VOID)

    assert result.state is DONE
    assert scene.row().parameters["did"] == ["subscription", "debt"]
    assert len(scene.stripe.writes("/v1/subscriptions/")) == 1
    assert scene.invoice().status == "void"


def test_the_repeat_does_what_was_intended_whatever_it_is_asked_for(scene: Scene) -> None:
    scene.stripe.trouble("cut_before", "/v1/subscriptions/", method="POST")
    with pytest.raises(RetryLater):
        scene.take(FinalActionKind.DOWNGRADE)

    scene.take(FinalActionKind.CANCEL_NOW)

    assert scene.prices() == [scene.free_price_id]
    assert scene.subscription().status == "past_due"


def test_a_rate_limit_leaves_the_intention_standing(scene: Scene) -> None:
    scene.stripe.trouble("http_429", "/v1/subscriptions/", count=9, method="POST")

    with pytest.raises(RateLimited):
        scene.take(FinalActionKind.DOWNGRADE)
    assert scene.row().state is INTENDED

    scene.stripe.calm()
    assert scene.take(FinalActionKind.DOWNGRADE).state is DONE


def test_a_revoked_key_is_told_and_nothing_is_decided(scene: Scene) -> None:
    scene.gateway = StripeGateway("rk_bad", api_base=scene.stripe.url)

    with pytest.raises(Unauthorized):
        scene.take(FinalActionKind.DOWNGRADE)


def test_a_payment_between_two_tries_stops_the_action(scene: Scene) -> None:
    scene.stripe.trouble("cut_before", "/v1/subscriptions/", method="POST")
    with pytest.raises(RetryLater):
        scene.take(FinalActionKind.DOWNGRADE, DebtAfterwards.VOID)
    scene.pay()

    result = scene.take(FinalActionKind.DOWNGRADE)

    assert (result.state, result.reason) == (SKIPPED, SkipReason.INVOICE_PAID)
    assert scene.prices() == [scene.price_id]


def test_a_payment_after_a_change_that_got_through_unheard_leaves_something_to_restore(scene: Scene) -> None:
    scene.stripe.trouble("cut_after", "/v1/subscriptions/", method="POST")
    with pytest.raises(RetryLater):
        scene.take(FinalActionKind.DOWNGRADE, DebtAfterwards.VOID)
    scene.pay()

    result = scene.take(FinalActionKind.DOWNGRADE)

    assert (result.state, result.reason) == (DONE, SkipReason.INVOICE_PAID)
    assert "left alone, because the invoice has been paid" in result.summary
    assert scene.has_something_to_restore()
    assert scene.restore().is_restored
    assert scene.prices() == [scene.price_id]


def test_a_late_answer_outweighs_having_been_skipped(scene: Scene) -> None:
    scene.stripe.trouble("cut_before", "/v1/subscriptions/", method="POST")
    with pytest.raises(RetryLater):
        scene.take(FinalActionKind.DOWNGRADE)
    row = scene.row()
    with scene.context.database.organization(scene.organization_id) as session:
        ledger.settle(session, row, state=SKIPPED, reason="invoice_paid", now=scene.context.clock.now(), did=[])
    assert not scene.has_something_to_restore()

    with scene.context.database.organization(scene.organization_id) as session:
        ledger.settle(session, row, state=DONE, reason=None, now=scene.context.clock.now(), did=["subscription"])

    assert scene.has_something_to_restore()


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    """Processes that begin with the program loaded: loading it takes far longer than being killed."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.integration.outcomes.take"])
    return context


@pytest.mark.parametrize(
    "place", ["final_action.intention_committed", "final_action.answered", "final_action.outcome_uncommitted"]
)
def test_a_process_killed_anywhere_leaves_what_the_next_one_finishes(
    scene: Scene, forks: ForkServerContext, place: str, outcomes_database_url: str, outcomes_home: Path
) -> None:
    action = FinalAction(FinalActionKind.DOWNGRADE, scene.free_price_id, DebtAfterwards.VOID)
    where = (outcomes_database_url, outcomes_home, scene.stripe.url, scene.organization_id, scene.case_id)
    worker = forks.Process(target=take, args=(place, *where, action))
    worker.start()
    worker.join(timeout=60)
    assert worker.exitcode == -signal.SIGKILL
    assert scene.row().state is INTENDED

    assert scene.take(FinalActionKind.DOWNGRADE, DebtAfterwards.VOID).state is DONE

    assert scene.prices() == [scene.free_price_id]
    assert scene.invoice().status == "void"
    assert len(scene.stripe.writes("/v1/subscriptions/")) == 1
    assert len(scene.stripe.writes("/void")) == 1
