"""The decision about one case: when its ladder is climbed, and when somebody else is to act."""

from datetime import UTC, datetime, timedelta

import pytest

from app.retries.decisions import AskCustomer, GiveUp, Hold, LeaveToStripe, Reason
from app.retries.facts import CaseFacts, InvalidPolicy, NaiveMoment, RetryPolicy
from app.retries.planner import decide
from tests.unit.retries.cases import (
    DRIVE,
    END,
    OBSERVE,
    after,
    case,
    declined,
    retry,
)

JITTER = timedelta(minutes=45)


def test_the_first_try_stands_on_the_first_rung_of_the_ladder() -> None:
    decision = retry(case())
    assert abs(decision.at - after(1)) <= JITTER
    assert decision.rules == ("ladder_day 1",)


def test_two_cases_do_not_knock_at_the_same_second() -> None:
    moments = {retry(case(seed=f"case_{number}")).at for number in range(200)}
    assert len(moments) == 200
    assert max(moments) - min(moments) > JITTER


def test_the_next_try_keeps_two_days_from_the_last() -> None:
    decision = retry(case(retries=(declined(after(2)),)), now=after(2, 1))
    assert decision.at == after(4)
    assert decision.rules == ("ladder_day 3", "min_gap")


def test_a_try_of_stripe_or_from_elsewhere_counts_like_ours() -> None:
    tried = tuple(declined(after(day), source=source) for day, source in ((1, "stripe"), (4, "elsewhere")))
    assert retry(case(retries=tried), now=after(5)).at == after(6)


def test_a_payers_own_try_opens_the_gap_but_uses_no_rung() -> None:
    decision = retry(case(retries=(declined(after(hours=20), source="customer"),)), now=after(hours=21))
    assert decision.rules == ("ladder_day 1", "min_gap")
    assert decision.at == after(hours=68)


@pytest.mark.parametrize(("hour", "day"), [(2, 4), (5, 4), (22, 5), (23, 5)])
def test_a_try_in_the_payers_night_waits_for_the_morning(hour: int, day: int) -> None:
    decision = retry(case(timezone="UTC"), now=datetime(2026, 11, 4, hour, 0, tzinfo=UTC))
    opening = datetime(2026, 11, day, 6, 0, tzinfo=UTC)
    assert opening <= decision.at <= opening + JITTER
    assert "local_hours" in decision.rules


def test_local_hours_follow_the_zone_through_the_end_of_summer_time() -> None:
    failed = datetime(2026, 10, 31, 3, 0, tzinfo=UTC)  # 23:00 in New York, the night before clocks go back
    facts = CaseFacts(seed="x", failed_at=failed, amount_minor=1, currency="usd", timezone="America/New_York")
    decision = retry(facts, now=failed)
    assert datetime(2026, 11, 1, 11, 0, tzinfo=UTC) <= decision.at <= datetime(2026, 11, 1, 11, 45, tzinfo=UTC)


@pytest.mark.parametrize("zone", [None, "Middle/Earth", "../etc/passwd", ""])
def test_without_a_known_zone_every_hour_is_open(zone: str | None) -> None:
    night = datetime(2026, 11, 5, 3, 0, tzinfo=UTC)
    assert retry(case(timezone=zone), now=night).at == night


def test_an_overdue_try_is_due_now() -> None:
    decision = retry(case(), now=after(2))
    assert (decision.at, decision.rules) == (after(2), ("ladder_day 1", "overdue"))


def test_out_of_tries_the_payer_is_asked_until_the_window_ends() -> None:
    short = RetryPolicy(ladder_days=(1, 3))
    facts = case(retries=(declined(after(1)), declined(after(3))))
    assert decide(facts, short, after(3, 1)) == AskCustomer(Reason.OUT_OF_TRIES, "new_card", END)
    assert decide(facts, short, END) == GiveUp(Reason.WINDOW_OVER)


def test_a_rung_beyond_the_window_is_not_climbed() -> None:
    assert decide(case(), RetryPolicy(ladder_days=(9,), window_days=7), after(1)) == AskCustomer(
        Reason.NO_SLOT_LEFT, "new_card", after(7)
    )


def test_nothing_is_tried_while_an_answer_is_open_or_after_it_was_yes() -> None:
    pending = case(retries=(declined(after(1), outcome="unknown"),), new_card_at=after(2))
    paid = case(retries=(declined(after(1), outcome="approved"),))
    assert decide(pending, DRIVE, after(3)) == Hold(None, Reason.ANSWER_PENDING)
    assert decide(paid, DRIVE, after(3)) == Hold(None, Reason.PAID)


def test_a_hold_is_kept_and_what_was_missed_follows_when_it_ends() -> None:
    facts = case(hold_until=after(6), hold_reason="promise to pay")
    assert decide(facts, DRIVE, after(2)) == Hold(after(6), "promise to pay")
    assert retry(facts, now=after(6)).at == after(6)


def test_a_hold_without_an_end_outlasts_the_window() -> None:
    assert decide(case(hold_reason="dispute"), DRIVE, after(40)) == Hold(None, "dispute")


def test_observing_leaves_the_tries_to_stripe_while_it_has_one() -> None:
    facts = case(stripe_next_attempt_at=after(3))
    assert decide(facts, OBSERVE, after(1)) == LeaveToStripe(after(3), Reason.STRIPE_RETRIES)
    assert decide(facts, OBSERVE, after(4)) == LeaveToStripe(after(4, 1), Reason.STRIPE_RETRIES)
    late = case(stripe_next_attempt_at=after(35))
    assert decide(late, OBSERVE, after(30)) == LeaveToStripe(after(35), Reason.STRIPE_RETRIES)


def test_observing_never_tries_the_old_card_itself() -> None:
    assert decide(case(), OBSERVE, after(5)) == AskCustomer(Reason.STRIPE_OUT_OF_TRIES, "new_card", END)
    assert decide(case(), OBSERVE, END) == GiveUp(Reason.WINDOW_OVER)


def test_when_stripe_ended_the_subscription_the_case_ends() -> None:
    assert decide(case(stripe_gave_up=True), OBSERVE, after(5)) == GiveUp(Reason.STRIPE_GAVE_UP)


def test_driving_beside_a_planned_try_of_stripe_waits_and_says_so() -> None:
    facts = case(stripe_next_attempt_at=after(3))
    assert decide(facts, DRIVE, after(1)) == LeaveToStripe(after(3), Reason.STRIPE_RETRIES_TOO)
    assert decide(facts, DRIVE, END) == GiveUp(Reason.WINDOW_OVER)


def test_a_moment_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 11, 3)  # noqa: DTZ001
    with pytest.raises(NaiveMoment):
        decide(case(), DRIVE, naive)
    with pytest.raises(NaiveMoment):
        case(new_card_at=naive)


@pytest.mark.parametrize(
    "setting",
    [
        {"visa_30d": 21},
        {"mastercard_24h": 11},
        {"per_card_30d": 36},
        {"min_gap_hours": 1},
        {"ladder_days": (3, 1)},
        {"ladder_days": (0,)},
        {"bank_debit_attempts": 3},
        {"max_attempts": 9},
        {"window_days": 0},
        {"open_hour": 22, "close_hour": 6},
    ],
)
def test_no_policy_can_loosen_a_rule_of_the_networks(setting: dict[str, object]) -> None:
    with pytest.raises(InvalidPolicy):
        RetryPolicy(**setting)  # type: ignore[arg-type]
