"""The case's table of states: every pair decided, money always wins, and nothing leaves `recovered`."""

from itertools import product

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.recovery import states
from app.recovery.states import HARMLESS, TRANSITIONS, UndecidedPair, moves, next_state
from app.vocabulary import OPEN_CASE_STATES, CaseState, Fact

EVERY_PAIR = sorted(product(CaseState, Fact))
PATIENT = (CaseState.WAITING, CaseState.NEEDS_CUSTOMER, CaseState.EXHAUSTED)


@pytest.mark.parametrize(("state", "fact"), EVERY_PAIR)
def test_every_pair_is_a_transition_or_harmless_and_never_both(state: CaseState, fact: Fact) -> None:
    assert ((state, fact) in TRANSITIONS) != ((state, fact) in HARMLESS)


def test_the_two_lists_hold_nothing_but_pairs_of_state_and_fact() -> None:
    assert set(TRANSITIONS) | HARMLESS == set(EVERY_PAIR)


@pytest.mark.parametrize(("state", "fact"), sorted(HARMLESS))
def test_a_harmless_fact_leaves_the_state_alone(state: CaseState, fact: Fact) -> None:
    assert next_state(state, fact) is state
    assert not moves(state, fact)


@pytest.mark.parametrize("state", CaseState)
def test_money_wins_from_every_state(state: CaseState) -> None:
    assert next_state(state, Fact.PAID) is CaseState.RECOVERED


@pytest.mark.parametrize("fact", Fact)
def test_nothing_leads_out_of_recovered(fact: Fact) -> None:
    assert next_state(CaseState.RECOVERED, fact) is CaseState.RECOVERED
    assert not moves(CaseState.RECOVERED, fact)


@pytest.mark.parametrize("fact", [fact for fact in Fact if fact is not Fact.PAID])
def test_a_closed_case_opens_for_nothing_but_money(fact: Fact) -> None:
    assert next_state(CaseState.CLOSED, fact) is CaseState.CLOSED


@pytest.mark.parametrize("state", [state for state in CaseState if state is not CaseState.RECOVERED])
def test_a_case_can_be_stopped_until_it_is_paid(state: CaseState) -> None:
    assert next_state(state, Fact.STOPPED) is CaseState.CLOSED


def test_charging_is_entered_from_waiting_alone_and_by_a_due_retry_alone() -> None:
    into = {pair for pair, after in TRANSITIONS.items() if after is CaseState.CHARGING}
    assert into == {(CaseState.WAITING, Fact.RETRY_DUE), (CaseState.CHARGING, Fact.NEW_CARD)}


def test_no_second_charge_begins_and_time_does_not_run_out_while_stripe_has_our_request() -> None:
    assert next_state(CaseState.CHARGING, Fact.RETRY_DUE) is CaseState.CHARGING
    assert next_state(CaseState.CHARGING, Fact.OUT_OF_ROAD) is CaseState.CHARGING


@pytest.mark.parametrize("state", PATIENT)
def test_a_new_card_makes_an_unpaid_case_wait_for_a_try(state: CaseState) -> None:
    assert next_state(state, Fact.NEW_CARD) is CaseState.WAITING


def test_a_soft_decline_does_not_take_the_payer_off_the_hook() -> None:
    assert next_state(CaseState.NEEDS_CUSTOMER, Fact.DECLINED) is CaseState.NEEDS_CUSTOMER


def test_every_state_can_be_reached_from_the_first() -> None:
    reached = {CaseState.WAITING}
    while True:
        further = reached | {after for (before, _), after in TRANSITIONS.items() if before in reached}
        if further == reached:
            break
        reached = further
    assert reached == set(CaseState)


def test_a_pair_nobody_thought_about_is_an_error_and_not_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = (CaseState.WAITING, Fact.RETRY_DUE)
    monkeypatch.setattr(states, "TRANSITIONS", {key: after for key, after in TRANSITIONS.items() if key != pair})
    with pytest.raises(UndecidedPair):
        next_state(*pair)


class AnyLife(RuleBasedStateMachine):
    """A case lives through facts in any order; what has been promised about its end holds at every moment."""

    def __init__(self) -> None:
        super().__init__()
        self.state = CaseState.WAITING
        self.told: list[Fact] = []

    @rule(fact=st.sampled_from(Fact))
    def something_happens(self, fact: Fact) -> None:
        self.state = next_state(self.state, fact)
        self.told.append(fact)

    @rule()
    def the_last_news_comes_again(self) -> None:
        if self.told and self.told[-1] is not Fact.RETRY_DUE:
            assert next_state(self.state, self.told[-1]) is self.state

    @invariant()
    def it_is_recovered_exactly_when_it_was_paid(self) -> None:
        assert (self.state is CaseState.RECOVERED) == (Fact.PAID in self.told)

    @invariant()
    def it_is_closed_exactly_when_it_was_stopped_and_not_paid(self) -> None:
        assert (self.state is CaseState.CLOSED) == (Fact.STOPPED in self.told and Fact.PAID not in self.told)

    @invariant()
    def whatever_is_open_can_still_be_paid_and_still_be_stopped(self) -> None:
        if self.state in OPEN_CASE_STATES:
            assert moves(self.state, Fact.PAID)
            assert moves(self.state, Fact.STOPPED)


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=150, stateful_step_count=20, deadline=None, database=None)
