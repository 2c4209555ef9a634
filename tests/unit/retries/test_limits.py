"""What closes a card, what makes it wait and what uses its tries up, seen through the decision."""

from datetime import timedelta

import pytest

from app.retries.decisions import AskCustomer, Hold, Reason
from app.retries.facts import Card, DeclineSignals, RetryPolicy
from app.retries.planner import decide
from tests.unit.retries.cases import (
    DRIVE,
    END,
    MASTERCARD,
    NO_FUNDS,
    after,
    case,
    declined,
    retry,
    uses,
)

LOST = DeclineSignals(decline_code="lost_card")
EXPIRED = DeclineSignals(decline_code="expired_card")


@pytest.mark.parametrize("code", ["lost_card", "incorrect_number", "do_not_try_again", "transaction_not_allowed"])
def test_a_card_refused_for_good_is_never_tried_again(code: str) -> None:
    assert decide(case(DeclineSignals(decline_code=code)), DRIVE, after(1)) == AskCustomer(
        Reason.CARD_REFUSED, "new_card", END
    )


def test_a_later_softer_answer_does_not_reopen_a_lost_card() -> None:
    facts = case(LOST, retries=(declined(after(3), NO_FUNDS, source="stripe"),))
    assert isinstance(decide(facts, DRIVE, after(4)), AskCustomer)


def test_what_another_invoice_learnt_of_a_card_holds_here_too() -> None:
    facts = case(card_attempts=uses(1, 1, until=after(-3), signals=LOST))
    assert decide(facts, DRIVE, after(1)) == AskCustomer(Reason.CARD_REFUSED, "new_card", END)


def test_a_remark_beside_an_approval_for_another_invoice_closes_nothing() -> None:
    approved = DeclineSignals(outcome_type="authorized", network_decline_code="00", network_advice_code="03")
    facts = case(card=MASTERCARD, card_attempts=uses(1, 1, until=after(-3), signals=approved))
    assert retry(facts).reason == Reason.LADDER


@pytest.mark.parametrize(
    ("signals", "reason", "kind"),
    [
        (EXPIRED, Reason.DETAILS_OUTDATED, "details"),
        (DeclineSignals(advice_code="confirm_card_data"), Reason.DETAILS_OUTDATED, "details"),
        (DeclineSignals(decline_code="authentication_required"), Reason.NEEDS_APPROVAL, "approve"),
        (DeclineSignals(decline_code="fraudulent"), Reason.CARD_REFUSED, "new_card"),
        (DeclineSignals(network_decline_code="R1"), Reason.CONSENT_WITHDRAWN, "new_card"),
    ],
)
def test_the_payer_is_asked_for_what_helps(signals: DeclineSignals, reason: Reason, kind: str) -> None:
    decision = decide(case(signals), DRIVE, after(1))
    assert isinstance(decision, AskCustomer)
    assert (decision.reason, decision.kind) == (reason, kind)


def test_a_charge_that_stopped_at_the_payers_approval_asks_for_it() -> None:
    facts = case(retries=(declined(after(1), DeclineSignals(), outcome="requires_action"),))
    assert decide(facts, DRIVE, after(1, 1)) == AskCustomer(Reason.NEEDS_APPROVAL, "approve", END)


def test_a_card_issued_in_india_is_left_to_its_holder() -> None:
    card = Card(brand="visa", country="in", fingerprint="fp")
    asked = AskCustomer(Reason.ISSUED_IN_INDIA, "approve", END)
    assert decide(case(card=card), DRIVE, after(1)) == asked
    assert decide(case(card=card, new_card_at=after(2)), DRIVE, after(2)) == asked


def test_what_only_the_operator_can_cure_waits_for_them_until_the_end() -> None:
    assert decide(case(DeclineSignals(outcome_reason="rule")), DRIVE, after(1)) == Hold(END, Reason.OPERATOR_MUST_FIX)


def test_mastercards_advice_is_a_floor() -> None:
    signals = DeclineSignals(network_decline_code="51", network_advice_code="28")
    decision = retry(case(signals, card=MASTERCARD))
    assert (decision.at, decision.rules) == (after(6), ("ladder_day 1", "wait_after mastercard_advice:28"))


def test_a_later_answer_without_advice_does_not_lift_an_earlier_floor() -> None:
    ten_days = DeclineSignals(network_decline_code="51", network_advice_code="30")
    facts = case(ten_days, card=MASTERCARD, retries=(declined(after(2), source="stripe"),))
    assert retry(facts, now=after(2, 1)).at == after(10)


def test_after_a_block_by_stripe_three_days_pass_and_one_try_follows() -> None:
    blocked = DeclineSignals(outcome_type="blocked", outcome_reason="previously_declined_do_not_retry")
    assert retry(case(blocked)).at == after(3)
    tried = case(blocked, retries=(declined(after(3)),))
    assert decide(tried, DRIVE, after(4)) == AskCustomer(Reason.OUT_OF_TRIES, "new_card", END)


def test_an_unknown_code_gets_two_tries() -> None:
    strange = DeclineSignals(decline_code="brand_new")
    one, two = declined(after(1), strange), declined(after(3), strange)
    assert retry(case(strange, retries=(one,)), now=after(1, 1))
    assert decide(case(strange, retries=(one, two)), DRIVE, after(4)) == AskCustomer(
        Reason.OUT_OF_TRIES, "new_card", END
    )


def test_a_full_budget_of_the_card_moves_the_try_to_when_it_frees() -> None:
    past = uses(9, 24, until=after(-1))
    facts = case(card_attempts=past)
    decision = retry(facts)
    assert decision.at == min(use.at for use in past) + timedelta(days=30)
    assert decision.rules == ("ladder_day 1", "budget card_30d")


def test_tries_that_never_reached_the_network_use_no_budget() -> None:
    unsent = tuple(declined(after(hours=hour), reached_network=False, source="customer") for hour in range(1, 11))
    assert "budget card_30d" not in retry(case(retries=unsent), now=after(1)).rules


def test_mastercard_allows_ten_in_a_day_whatever_the_monthly_budget() -> None:
    facts = case(card=MASTERCARD, card_attempts=uses(9, 0.1, until=after(hours=20)))
    decision = retry(facts, RetryPolicy(per_card_30d=35), now=after(hours=22))
    assert "budget mastercard_24h" in decision.rules
    assert decision.at == after(1)


def test_visa_keeps_to_its_own_budget_when_ours_is_raised() -> None:
    facts = case(card_attempts=uses(14, 24, until=after(-1)))
    assert "budget visa_30d" in retry(facts, RetryPolicy(per_card_30d=35)).rules


def test_a_debit_card_without_money_is_spared_after_four_tries() -> None:
    tried = tuple(declined(after(day)) for day in (1, 3, 5, 7))
    debit = Card(brand="visa", funding="debit", fingerprint="fp")
    assert decide(case(retries=tried, card=debit), DRIVE, after(8)) == AskCustomer(Reason.OUT_OF_TRIES, "new_card", END)
    assert retry(case(retries=tried), now=after(8))


def test_a_bank_debit_is_tried_at_most_twice() -> None:
    twice = (declined(after(1)), declined(after(4)))
    facts = case(retries=twice, card=None, is_bank_debit=True)
    assert decide(facts, DRIVE, after(5)) == AskCustomer(Reason.OUT_OF_TRIES, "new_card", END)
