"""What the operator reads about a decision."""

from dataclasses import replace
from datetime import datetime

import pytest

from app.retries.decisions import Reason
from app.retries.declines import CODES
from app.retries.explain import ASKED, ENDED, HELD, explain
from app.retries.facts import CaseFacts, DeclineSignals, RetryPolicy
from app.retries.planner import decide
from tests.unit.retries.cases import MASTERCARD, VISA, after, case, declined, uses

EXACT = RetryPolicy(jitter_minutes=0)
OBSERVE = RetryPolicy(mode="observe")


def told(facts: CaseFacts, policy: RetryPolicy = EXACT, *, now: datetime) -> str:
    return explain(decide(facts, policy, now), facts, policy, now)


def test_a_planned_try_tells_its_local_date_its_budget_and_the_last_answer() -> None:
    facts = case(timezone="America/New_York", card_attempts=uses(2, 24, until=after(-2)))
    assert told(facts, now=after(hours=1)) == (
        "The next try is on Tue 3 Nov, 06:00 (America/New_York): try 1 of 6 on this invoice, 3 of 10 tries on this "
        "card in 30 days used before it. Last answer: not enough money on the account "
        "(stripe_decline:insufficient_funds); tries go out from 06:00 to 22:00 local time."
    )


def test_an_advised_wait_is_named_with_its_code() -> None:
    signals = DeclineSignals(network_decline_code="51", network_advice_code="27")
    text = told(case(signals, card=MASTERCARD), now=after(hours=1))
    assert "on Fri 6 Nov, 10:00 (UTC)" in text
    assert "the wait it asks for (mastercard_advice:27) is kept" in text


def test_a_full_budget_is_named() -> None:
    text = told(case(card_attempts=uses(9, 24, until=after(-1))), now=after(hours=1))
    assert "this card's 10 tries in 30 days were used up" in text


@pytest.mark.parametrize(
    ("facts", "policy", "now", "text"),
    [
        (case(new_card_at=after(2)), EXACT, after(2), "The new card is tried now: "),
        (case(DeclineSignals(decline_code="lost_card")), EXACT, after(2), "This card must not be tried again; "),
        (case(hold_until=after(5), hold_reason="snoozed"), EXACT, after(2), "until Sat 7 Nov, 10:00 (UTC): snoozed."),
        (case(hold_reason="dispute"), EXACT, after(2), "On hold until it is lifted: dispute."),
        (case(), EXACT, after(28), "The time for recovery is over; the final action is due."),
        (case(stripe_next_attempt_at=after(3)), OBSERVE, after(2), "Stripe tries next, expected by Thu 5 Nov, 10:00"),
        (case(stripe_next_attempt_at=after(3)), EXACT, after(2), "turn Stripe's retries off"),
        (case(retries=(declined(after(1)),)), RetryPolicy(max_attempts=1), after(2), "the cap for one invoice is 1"),
        (case(retries=(declined(after(1)),)), RetryPolicy(ladder_days=(1,)), after(2), "the ladder ends with step 1"),
        (
            case(DeclineSignals(network_decline_code="Z5"), retries=(declined(after(1)),)),
            EXACT,
            after(2),
            "only a few tries are allowed after 'the account is good but the amount is not allowed'",
        ),
        (case(attempts=()), EXACT, after(0.5), "in 30 days used before it."),
    ],
)  # fmt: skip
def test_each_kind_of_decision_has_its_words(facts: CaseFacts, policy: RetryPolicy, now: datetime, text: str) -> None:
    assert text in told(facts, policy, now=now)


def test_every_reason_has_words() -> None:
    tried = {Reason.LADDER, Reason.PLANNED, Reason.PROMISED, Reason.NEW_CARD}
    tried |= {Reason.STRIPE_RETRIES, Reason.STRIPE_RETRIES_TOO}
    assert {*ASKED, *ENDED, *HELD, *tried} == set(Reason)


def test_no_code_leaves_a_hole_in_the_text() -> None:
    for table, code in CODES:
        name = "network_decline_code" if table in ("visa", "mastercard", "amex", "discover") else "decline_code"
        facts = case(DeclineSignals(**{name: code}), card=replace(VISA, brand=table))
        text = told(facts, now=after(1))
        assert "None" not in text
        assert text.endswith(".")
