"""Charges whose answer got lost: asked for again under the same key, or read from Stripe's books; never made twice."""

import pytest

from app.recovery.invariants import find_offences
from app.vocabulary import AttemptState, CaseState, RecoveredBy, StopReason
from tests.integration.recovery.conftest import Trial, begin_trial
from tests.stage import Stage

LOST = ("cut_before", "cut_after", "http_500_after")
OPEN = (AttemptState.CHARGING, AttemptState.UNKNOWN)


def sound(trial: Trial) -> bool:
    """Whether the invoice was charged at most once and every promise about live data is kept."""
    with trial.stage.context.database.system() as session:
        offences = find_offences(session, trial.stage.now)
    assert offences == []
    assert trial.books()["successful_charges"] <= 1
    return True


def without_webhooks(trial: Trial) -> None:
    trial.trouble("lost_webhook", path="", count=None)


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_lost_answer_is_asked_for_again_under_the_same_key(trial: Trial, kind: str) -> None:
    without_webhooks(trial)
    trial.trouble(kind)
    trial.reach_the_retry()
    assert trial.case.state is CaseState.CHARGING
    assert (trial.attempt.state, trial.attempt.checks) == (AttemptState.UNKNOWN, 1)
    key = trial.attempt.idempotency_key
    trial.wait(minutes=2)
    assert (trial.case.state, trial.case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.RETRY)
    assert (trial.attempt.state, trial.attempt.idempotency_key) == (AttemptState.SUCCEEDED, key)
    assert trial.attempt.charge_id is not None
    assert trial.pay_requests() == 2
    assert sound(trial)


@pytest.mark.long
def test_the_webhook_of_a_charge_that_got_no_answer_credits_the_try_and_not_the_customer(trial: Trial) -> None:
    trial.trouble("cut_after")
    trial.reach_the_retry()
    assert (trial.case.state, trial.case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.RETRY)
    trial.wait(minutes=2)
    assert trial.attempt.state is AttemptState.SUCCEEDED
    assert sound(trial)


def test_a_lost_decline_is_found_again_with_all_that_the_bank_said(stage: Stage) -> None:
    trial = begin_trial(stage, "insufficient_funds", "do_not_honor", "approve")
    without_webhooks(trial)
    trial.trouble("cut_after")
    trial.reach_the_retry()
    trial.wait(minutes=2)
    attempt = trial.ours[0]
    assert attempt.state is AttemptState.DECLINED
    assert attempt.signals["decline_code"] == "do_not_honor"
    assert trial.pay_requests() == 2
    assert trial.case.state is CaseState.WAITING
    assert sound(trial)


@pytest.mark.long
def test_too_many_requests_are_waited_for_and_not_taken_for_a_decline(
    trial: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.stripe_gateway.client._WAITS", (0.01, 0.01))
    trial.trouble("http_429", count=3)
    trial.reach_the_retry()
    assert trial.attempt.state in OPEN
    trial.wait(minutes=1)
    assert trial.attempt.state is AttemptState.SUCCEEDED
    assert trial.pay_requests() == 2
    assert sound(trial)


@pytest.mark.long
def test_an_error_that_stripe_keeps_under_the_key_is_settled_from_the_books_after_a_day(trial: Trial) -> None:
    trial.trouble("http_500")
    trial.reach_the_retry()
    trial.wait(minutes=10)
    assert trial.case.state is CaseState.CHARGING, "the key answers with the same error, so nothing is known"
    assert trial.attempt.checks == 3
    assert trial.pay_requests() == 1
    trial.jump(hours=23)
    trial.stage.settle()
    trial.wait(days=1)
    assert trial.ours[0].state is AttemptState.REFUSED
    assert (trial.case.state, trial.case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.RETRY)
    assert trial.pay_requests() == 2
    assert sound(trial)


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.long
def test_a_process_that_wakes_after_the_key_has_died_reads_the_books(trial: Trial, kind: str) -> None:
    without_webhooks(trial)
    trial.trouble(kind)
    trial.reach_the_retry()
    trial.jump(hours=23, minutes=1)
    trial.stage.settle()
    first = trial.ours[0]
    was_charged = kind != "cut_before"
    assert first.state is (AttemptState.SUCCEEDED if was_charged else AttemptState.REFUSED)
    assert (first.charge_id is not None) == was_charged
    if not was_charged:
        assert {attempt.idempotency_key for attempt in trial.ours} >= {first.idempotency_key}
        assert len({attempt.idempotency_key for attempt in trial.ours}) == len(trial.ours)
        trial.wait(days=1)
    assert (trial.case.state, trial.case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.RETRY)
    assert sound(trial)


@pytest.mark.parametrize("heard", [True, False], ids=["webhooks arrive", "webhooks are lost"])
@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
@pytest.mark.long
def test_nobody_who_left_meanwhile_is_charged_again(trial: Trial, kind: str, heard: bool) -> None:
    if not heard:
        without_webhooks(trial)
    trial.trouble(kind)
    trial.reach_the_retry()
    seen = trial.pay_requests()
    trial.stage.stripe("DELETE", f"subscriptions/{trial.subscription}")
    trial.wait(hours=2)
    assert trial.pay_requests() == seen
    if kind == "cut_after":
        assert trial.case.state is CaseState.RECOVERED
        assert trial.attempt.state is AttemptState.SUCCEEDED
    else:
        assert (trial.case.state, trial.case.stop_reason) == (CaseState.CLOSED, StopReason.CANCELLED)
        assert trial.attempt.state is AttemptState.REFUSED
    assert sound(trial)


def test_an_invoice_voided_meanwhile_is_not_charged(trial: Trial) -> None:
    without_webhooks(trial)
    trial.trouble("cut_before")
    trial.reach_the_retry()
    trial.stage.stripe("POST", f"invoices/{trial.invoice}/void")
    trial.wait(hours=2)
    assert (trial.case.state, trial.case.stop_reason) == (CaseState.CLOSED, StopReason.VOIDED)
    assert trial.attempt.state is AttemptState.REFUSED
    assert trial.pay_requests() == 1
    assert sound(trial)


@pytest.mark.long
def test_an_invoice_paid_otherwise_meanwhile_is_not_charged_and_not_credited_to_us(trial: Trial) -> None:
    trial.trouble("cut_before")
    trial.reach_the_retry()
    trial.stage.stripe("POST", f"invoices/{trial.invoice}/pay", paid_out_of_band="true")
    trial.wait(hours=2)
    assert (trial.case.state, trial.case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.OUT_OF_BAND)
    assert trial.attempt.state is AttemptState.REFUSED
    assert trial.pay_requests() == 1
    assert sound(trial)


@pytest.mark.long
def test_a_dispute_that_began_meanwhile_keeps_the_charge_from_being_repeated(trial: Trial) -> None:
    trial.trouble("cut_before")
    trial.reach_the_retry()
    paid_before = trial.stage.stripe("GET", f"invoices?customer={trial.customer}&status=paid")["data"]
    trial.stage.control(f"invoices/{paid_before[0]['id']}/dispute")
    trial.wait(days=1)
    assert trial.pay_requests() == 1
    assert trial.attempt.state is AttemptState.REFUSED
    assert trial.case.state is CaseState.WAITING
    assert sound(trial)


@pytest.mark.long
def test_the_charge_of_a_try_that_follows_at_once_is_not_taken_for_one_that_was_given_up(stage: Stage) -> None:
    trial = begin_trial(stage, "insufficient_funds", "do_not_honor", "approve")
    trial.trouble("http_500")
    trial.reach_the_retry()
    trial.wait(minutes=10)
    trial.trouble("cut_after")
    trial.jump(days=2)
    trial.stage.settle()
    trial.wait(minutes=2)
    given_up, following = trial.ours
    assert (given_up.state, given_up.charge_id) == (AttemptState.REFUSED, None)
    assert (following.state, following.signals["decline_code"]) == (AttemptState.DECLINED, "do_not_honor")
    assert sound(trial)
