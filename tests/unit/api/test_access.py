"""Whether access stays, in every state of a case and after every final action; what is unknown never takes it away."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.access import EXPLANATIONS, Access, Debt, Plan, Taken, Verdict, Why, of_customer, of_subscription
from app.vocabulary import ENDED_SUBSCRIPTIONS, OPEN_CASE_STATES, CaseState, FinalActionKind, FinalActionState

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
END = NOW + timedelta(days=9)
PERIOD_END = NOW + timedelta(days=20)
CASE = UUID(int=7)
PAST_DUE = Plan("past_due", "price_big", PERIOD_END)
KIND, STATE = FinalActionKind, FinalActionState


def decide(plan: Plan = PAST_DUE, *debts: Debt) -> Verdict:
    return of_subscription(plan, debts, NOW)


def open_debt(action: FinalActionKind | None = KIND.CANCEL_NOW, **more: object) -> Debt:
    return Debt(**{"case_id": CASE, "state": CaseState.WAITING, "action": action, "ends_at": END, **more})  # type: ignore[arg-type]


def ended(kind: FinalActionKind, state: FinalActionState = STATE.DONE, **more: object) -> Debt:
    about = {"has_changed": True, "price_id": "price_small", **{k: v for k, v in more.items() if k in _OF_TAKEN}}
    rest = {name: value for name, value in more.items() if name not in _OF_TAKEN}
    values = {"case_id": CASE, "state": CaseState.EXHAUSTED, "taken": Taken(kind, state, **about)}  # type: ignore[arg-type]
    return Debt(**(values | rest))  # type: ignore[arg-type]


_OF_TAKEN = ("has_changed", "is_chosen", "price_id", "resumes_at")


@pytest.mark.parametrize("status", ["active", "trialing", "past_due", "incomplete", "paused", "brand_new_status"])
def test_without_a_case_access_stays(status: str) -> None:
    assert decide(Plan(status)) == Verdict(Access.KEEP, Why.NO_OPEN_CASE)


@pytest.mark.parametrize("status", sorted(ENDED_SUBSCRIPTIONS))
def test_an_ended_subscription_is_over_whatever_its_cases_say(status: str) -> None:
    assert decide(Plan(status), open_debt()) == Verdict(Access.END, Why.SUBSCRIPTION_ENDED)


def test_what_stripe_gave_up_as_unpaid_is_limited_unless_a_campaign_is_at_work() -> None:
    assert decide(Plan("unpaid")).access is Access.LIMIT
    assert decide(Plan("unpaid"), open_debt()).access is Access.KEEP


@pytest.mark.parametrize("state", OPEN_CASE_STATES)
@pytest.mark.parametrize(
    ("action", "until", "then"),
    [
        (KIND.CANCEL_NOW, END, Access.END),
        (KIND.CANCEL_AT_PERIOD_END, PERIOD_END, Access.END),
        (KIND.DOWNGRADE, END, Access.LIMIT),
        (KIND.PAUSE, END, Access.LIMIT),
        (KIND.MARK_UNCOLLECTIBLE, None, None),
        (KIND.LEAVE, None, None),
        (None, None, None),
    ],
)
def test_while_a_case_is_open_access_stays_until_its_end(
    state: CaseState, action: FinalActionKind | None, until: datetime | None, then: Access | None
) -> None:
    assert decide(PAST_DUE, open_debt(action, state=state)) == Verdict(Access.KEEP, Why.IN_RECOVERY, until, then, CASE)


@pytest.mark.parametrize("held_until", [None, END + timedelta(hours=1)])
def test_a_hold_that_outlasts_the_end_leaves_the_end_open(held_until: datetime | None) -> None:
    debt = open_debt(is_held=True, held_until=held_until)
    assert decide(PAST_DUE, debt) == Verdict(Access.KEEP, Why.ON_HOLD, case_id=CASE)


def test_a_shorter_hold_leaves_the_end_where_it_is() -> None:
    debt = open_debt(is_held=True, held_until=NOW + timedelta(days=1))
    assert decide(PAST_DUE, debt) == Verdict(Access.KEEP, Why.ON_HOLD, END, Access.END, CASE)


def test_whom_a_campaign_leaves_alone_keeps_access_without_end() -> None:
    assert decide(PAST_DUE, open_debt(is_left_alone=True)) == Verdict(Access.KEEP, Why.LEFT_ALONE, case_id=CASE)


def test_in_grace_access_stays_until_the_final_action() -> None:
    debt = open_debt(state=CaseState.EXHAUSTED, is_end_planned=True)
    assert decide(PAST_DUE, debt) == Verdict(Access.KEEP, Why.IN_GRACE, END, Access.END, CASE)


def test_a_final_action_that_is_due_or_under_way_takes_nothing_before_it_is_done() -> None:
    due = open_debt(state=CaseState.EXHAUSTED, is_end_planned=True, ends_at=None)
    under_way = ended(KIND.CANCEL_NOW, STATE.INTENDED, has_changed=False)
    for debt in (due, under_way):
        assert decide(PAST_DUE, debt) == Verdict(Access.KEEP, Why.FINAL_ACTION_DUE, case_id=CASE)


@pytest.mark.parametrize("state", [STATE.DONE, STATE.SKIPPED])
@pytest.mark.parametrize("kind", FinalActionKind)
def test_a_final_action_that_took_nothing_leaves_access(kind: FinalActionKind, state: FinalActionState) -> None:
    assert decide(PAST_DUE, ended(kind, state, has_changed=False)).access is Access.KEEP


def test_after_the_final_action_access_is_what_it_left() -> None:
    assert decide(PAST_DUE, ended(KIND.CANCEL_NOW)).access is Access.END
    small = Plan("active", "price_small", PERIOD_END)
    assert decide(small, ended(KIND.DOWNGRADE)) == Verdict(Access.LIMIT, Why.DOWNGRADED, case_id=CASE)
    paused = Plan("active", "price_big", PERIOD_END, is_paused=True)
    assert decide(paused, ended(KIND.PAUSE)) == Verdict(Access.LIMIT, Why.PAUSED, case_id=CASE)
    ending = Plan("past_due", "price_big", PERIOD_END, is_ending=True)
    assert decide(ending, ended(KIND.CANCEL_AT_PERIOD_END)) == Verdict(
        Access.KEEP, Why.ENDS_AT_PERIOD_END, PERIOD_END, Access.END
    )


def test_what_somebody_has_undone_at_stripe_does_not_count_any_more() -> None:
    assert decide(Plan("active", "price_huge"), ended(KIND.DOWNGRADE)).access is Access.KEEP
    assert decide(Plan("active"), ended(KIND.PAUSE)).access is Access.KEEP
    assert decide(Plan("active"), ended(KIND.CANCEL_AT_PERIOD_END)).access is Access.KEEP


@pytest.mark.parametrize("kind", [KIND.DOWNGRADE, KIND.PAUSE])
def test_a_late_payment_gives_access_back_before_the_undoing_is_done(kind: FinalActionKind) -> None:
    plan = Plan("active", "price_small", is_paused=True)
    assert decide(plan, ended(kind, state=STATE.DONE)).access is Access.LIMIT
    paid = Debt(CASE, CaseState.RECOVERED, taken=Taken(kind, STATE.DONE, True, price_id="price_small"))
    assert decide(plan, paid) == Verdict(Access.KEEP, Why.NO_OPEN_CASE)
    assert decide(plan, ended(kind, STATE.RESTORED)).access is Access.KEEP


def test_what_the_customer_chose_stays_chosen_after_a_payment_and_a_pause_says_when_it_ends() -> None:
    taken = Taken(KIND.PAUSE, STATE.DONE, True, is_chosen=True, resumes_at=END)
    verdict = decide(Plan("active", is_paused=True), Debt(CASE, CaseState.RECOVERED, taken=taken))
    assert verdict == Verdict(Access.LIMIT, Why.PAUSED, END, Access.KEEP, CASE)


def test_of_several_cases_the_strictest_counts_and_of_several_subscriptions_the_kindest() -> None:
    late = open_debt(ends_at=END + timedelta(days=3), case_id=UUID(int=8))
    assert decide(PAST_DUE, late, open_debt()).until == END
    in_trouble, fine, over = decide(PAST_DUE, open_debt()), decide(Plan("active")), decide(Plan("canceled"))
    assert of_customer([over, in_trouble, fine]) == fine
    assert of_customer([over, in_trouble]) == in_trouble
    assert of_customer([over]) == over
    assert of_customer([]).access is Access.KEEP


def test_every_reason_is_explained() -> None:
    assert EXPLANATIONS.keys() == set(Why)


debts = st.builds(
    Debt,
    case_id=st.uuids(),
    state=st.sampled_from(CaseState),
    action=st.none() | st.sampled_from(FinalActionKind),
    ends_at=st.none() | st.just(END),
    is_end_planned=st.booleans(),
    is_left_alone=st.booleans(),
    is_held=st.booleans(),
    held_until=st.none() | st.just(PERIOD_END),
    taken=st.none()
    | st.builds(
        Taken,
        st.sampled_from(FinalActionKind),
        st.sampled_from(FinalActionState),
        st.booleans(),
        st.booleans(),
        st.none() | st.just("price_small"),
        st.none() | st.just(END),
    ),
)
living = st.builds(
    Plan, st.sampled_from(["active", "trialing", "past_due"]), st.just("price_small"), st.just(PERIOD_END),
    st.booleans(), st.booleans(),
)  # fmt: skip


@given(living, st.lists(debts, max_size=3))
def test_access_to_a_living_subscription_is_taken_only_by_what_was_really_done(plan: Plan, found: list[Debt]) -> None:
    verdict = of_subscription(plan, found, NOW)
    assert verdict.until is None or verdict.until > NOW
    assert (verdict.until is None) == (verdict.then is None)
    if verdict.access is not Access.KEEP:
        assert any(debt.taken is not None and debt.taken.has_changed for debt in found)
