"""From facts to steps: asks the planner, puts its answer on the calendar, and writes why on the timeline.

Called inside the transaction that recorded the facts, with the case locked. Deciding not to act is written down too.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.accounts import conflicts
from app.campaigns.definition import CampaignDefinition
from app.models import (
    CaseEntry,
    Message,
    RecoveryCase,
    Step,
    SubscriptionSnapshot,
)
from app.recovery import campaigns, cases, closing, handover, mail_steps, promise_rows, steps
from app.recovery.cases import Happened
from app.recovery.choices import CHOICE_TOLD
from app.recovery.deciding import decide_now, decide_without_hold
from app.recovery.facts import attempts_of, find_method_in_force
from app.recovery.foreseeing import NOTHING_TO_END, is_anything_to_end
from app.retries.decisions import AskCustomer, Decision, GiveUp, Hold, LeaveToStripe, Reason, RetryAt, in_brief
from app.vocabulary import (
    OPEN_CASE_STATES,
    CaseState,
    Fact,
    FinalActionState,
    MessageState,
    StepKind,
    StepState,
)

THANK_YOU = "message:recovered"
NEWS = (THANK_YOU, *CHOICE_TOLD)  # mails that the end of a case is no reason to keep back
FOR_WANT_OF_TRIES = (Reason.STRIPE_OUT_OF_TRIES, Reason.OUT_OF_TRIES, Reason.NO_SLOT_LEFT, Reason.NOT_WORTH_A_TRY)
CHASE = (StepKind.RETRY, StepKind.MESSAGE, StepKind.WINDOW_END, StepKind.PROMISE)
LEFT_ALONE = "the campaign leaves this customer alone"


def definition_of(session: Session, case: RecoveryCase) -> CampaignDefinition:
    """The campaign content that this case was pinned to when it began."""
    return campaigns.definition_of(session, case.campaign_version_id)


def plan_opening(session: Session, case: RecoveryCase, now: datetime) -> None:
    """Put onto the calendar what the campaign foresees from the first day: its mails and the end of its window."""
    mail_steps.plan_opening(session, case, definition_of(session, case), now)
    steps.plan(session, case, StepKind.WINDOW_END, "window_end", case.window_ends_at, "The window closes.")


def replan(session: Session, case: RecoveryCase, now: datetime) -> Decision | None:
    """Bring the calendar into line with the case as it is now. None for a case that has ended or is being charged.

    None, too, while it is being changed who retries: what ends that asks again.
    """
    if case.state in (CaseState.RECOVERED, CaseState.CLOSED):
        _end(session, case, now)
        return None
    if case.state in (CaseState.CHARGING, CaseState.EXHAUSTED):
        return None
    if _is_left_in_peace(session, case):
        end_chase(session, case, f"peace:{case.version}", "The customer had chosen otherwise; nothing is tried.", now)
        return None
    mail_steps.answer_events(session, case, definition_of(session, case), now)
    if handover.is_under_way(session, case):
        return None
    decision = decide_now(session, case, now)
    _carry_out(session, case, decision, now)
    if isinstance(decision, Hold):
        closing.bring_into_line(session, case, definition_of(session, case), now)
        _see_through_hold(session, case, now)
    see_that_it_ends(session, case, now)
    return decision


def see_that_it_ends(session: Session, case: RecoveryCase, now: datetime) -> None:
    """An open case always has something on its calendar. One that was taken up after its end, or whose end could not
    be seen to, has no window's end there any more: it gets another one.
    """
    if case.state in (CaseState.WAITING, CaseState.NEEDS_CUSTOMER) and not steps.has_open(session, case.id):
        due, key = max(case.window_ends_at, now + closing.LOOK_AGAIN), f"{closing.WINDOW_END}:{now.isoformat()}"
        steps.plan(session, case, StepKind.WINDOW_END, key, due, "Nothing else is planned; somebody has to end it.")


def answer_bounces(session: Session, message_ids: set[UUID], now: datetime) -> None:
    """Have campaigns answer mails that came back, where they do; the cases are locked until the transaction ends."""
    found = (
        select(RecoveryCase.id)
        .join(Message, Message.case_id == RecoveryCase.id)
        .where(Message.id.in_(message_ids), RecoveryCase.state.in_(OPEN_CASE_STATES))
        .distinct()
        .order_by(RecoveryCase.id)
    )
    for case_id in session.scalars(found).all():
        case = cases.lock_case(session, case_id)
        mail_steps.answer_events(session, case, definition_of(session, case), now)


def end_chase(session: Session, case: RecoveryCase, key: str, summary: str, now: datetime, **data: str) -> None:
    """The customer chose something else than to pay: no try, no mail and no promise is left of an open case."""
    data = {"reason": "customer_chose", **data}
    cases.record(session, case, Happened(Fact.OUT_OF_ROAD, key, now, summary, dict(data)), now)
    steps.cancel(session, case.id, "the customer chose otherwise", now, CHASE, NEWS)
    conflicts.settle_case(session, case.id, now, "the customer chose otherwise")
    promise_rows.settle(session, case, now)


def _is_left_in_peace(session: Session, case: RecoveryCase) -> bool:
    """Whether the customer's choice has ended the chase before, and no card of theirs waits for its one try."""
    if case.exhausted_at is None:
        return False
    chosen = select(SubscriptionSnapshot).where(SubscriptionSnapshot.case_id == case.id)
    taken = session.scalar(chosen)
    if taken is None or not taken.is_chosen:
        return False
    given = case.new_card_at
    return given is None or any(attempt.started_at >= given for attempt in attempts_of(session, case))


def write_at_once(session: Session, case: RecoveryCase, now: datetime) -> None:
    """Only the payer can help now, so the silence kept for soft declines ends: bring mails forward."""
    mail_steps.bring_forward(session, case, definition_of(session, case), now)


def method_id_in_force(session: Session, case: RecoveryCase) -> str | None:
    """The id of the payment method that a charge would use now, as far as it has been read."""
    method = find_method_in_force(session, case)
    return method.stripe_id if method else None


def _carry_out(session: Session, case: RecoveryCase, decision: Decision, now: datetime) -> None:
    if isinstance(decision, RetryAt | LeaveToStripe):
        _take_up_again(session, case, now)
    if isinstance(decision, RetryAt):
        if case.state is CaseState.WAITING:
            _put_retry(session, case, decision.at, in_brief(decision), now)
        return
    steps.cancel(session, case.id, f"no try: {decision.reason}", now, (StepKind.RETRY,))
    if isinstance(decision, GiveUp):
        if decision.reason is Reason.WINDOW_OVER and _is_still_told(session, case, now):
            return
        give_up(session, case, str(decision.reason), now)
    elif isinstance(decision, AskCustomer):
        _ask_customer(session, case, decision, now)
    elif isinstance(decision, Hold | LeaveToStripe) and decision.until and case.state is CaseState.WAITING:
        _put_retry(session, case, decision.until, in_brief(decision), now)


def _is_still_told(session: Session, case: RecoveryCase, now: datetime) -> bool:
    """Whether the time for tries is over, but a hold kept the final notice back and its days have not passed."""
    closes = closing.closes_at(session, case, definition_of(session, case), now)
    return closes is None or closes > now


def _see_through_hold(session: Session, case: RecoveryCase, now: datetime) -> None:
    """A hold stops what is done, not where the money is: a card that is dead is dead during a dispute, too."""
    decision = decide_without_hold(session, case, now)
    if isinstance(decision, AskCustomer):
        _ask_customer(session, case, decision, now)


def _ask_customer(session: Session, case: RecoveryCase, decision: AskCustomer, now: datetime) -> None:
    if case.state is not CaseState.WAITING:
        return
    data = {"reason": str(decision.reason), "ask": decision.kind}
    happened = Happened(Fact.DEAD_CARD, f"ask:{case.version}", now, "Only the customer can fix this now.", data)
    cases.record(session, case, happened, now)


def _take_up_again(session: Session, case: RecoveryCase, now: datetime) -> None:
    """The customer was asked for want of tries, and there are some again: by a switch, or Stripe planned one late."""
    if case.state is not CaseState.NEEDS_CUSTOMER:
        return
    last = session.scalar(
        select(CaseEntry)
        .where(CaseEntry.case_id == case.id, CaseEntry.to_state == CaseState.NEEDS_CUSTOMER)
        .where(CaseEntry.from_state != CaseState.NEEDS_CUSTOMER)
        .order_by(CaseEntry.id.desc())
        .limit(1)
    )
    if last and last.data.get("reason") in FOR_WANT_OF_TRIES:
        happened = Happened(Fact.TAKEN_UP, f"taken_up:{case.version}", now, "There is a next try again.")
        cases.record(session, case, happened, now)


def give_up(session: Session, case: RecoveryCase, reason: str, now: datetime) -> None:
    """Record that the case is out of tries or time, and plan its final action."""
    happened = Happened(
        Fact.OUT_OF_ROAD, f"out_of_road:{case.version}", now, "Out of tries and time.", {"reason": reason}
    )
    cases.record(session, case, happened, now)
    if case.state is CaseState.EXHAUSTED:
        _plan_final_action(session, case, now)


def _put_retry(session: Session, case: RecoveryCase, due_at: datetime, why: str, now: datetime) -> None:
    """One open retry step a case: moved when it stands, made when it does not, left when a worker has begun it."""
    standing = steps.open_steps(session, case.id, StepKind.RETRY)
    if standing and standing[0].due_at <= due_at <= now:
        return  # due already, and perhaps claimed: every piece of news would take it out of the claimer's hands again
    if standing and (standing[0].due_at, standing[0].why, standing[0].state) == (due_at, why, StepState.PLANNED):
        return
    if standing:
        session.execute(
            update(Step)
            .where(Step.id == standing[0].id, Step.state.in_((StepState.PLANNED, StepState.CLAIMED)))
            .values(due_at=due_at, why=why, state=StepState.PLANNED, lease_token=None, lease_until=None)
        )
        return
    number = len(session.scalars(select(Step.id).where(Step.case_id == case.id, Step.kind == StepKind.RETRY)).all()) + 1
    steps.plan(session, case, StepKind.RETRY, f"retry:{number}", due_at, why)


def _plan_final_action(session: Session, case: RecoveryCase, now: datetime) -> None:
    steps.cancel(
        session, case.id, "the case is exhausted", now, (StepKind.RETRY, StepKind.MESSAGE, StepKind.WINDOW_END)
    )
    conflicts.settle_case(session, case.id, now, "the case is exhausted")
    due = now + (case.grace_until - case.window_ends_at)
    is_new = steps.plan(session, case, StepKind.FINAL_ACTION, "final_action", due, "Nothing helped in time.")
    if not is_new:
        return
    if mail_steps.is_excluded(session, case, definition_of(session, case)):
        steps.skip(session, case.id, StepKind.FINAL_ACTION, LEFT_ALONE, now)
    elif not is_anything_to_end(session, case):
        steps.skip(session, case.id, StepKind.FINAL_ACTION, NOTHING_TO_END, now)


def _end(session: Session, case: RecoveryCase, now: datetime) -> None:
    """Nothing planned survives the end, except its news and the undoing of what the final action took."""
    why = "paid" if case.state is CaseState.RECOVERED else "the case was stopped"
    steps.cancel(session, case.id, why, now, tuple(kind for kind in StepKind if kind is not StepKind.RESTORE), NEWS)
    conflicts.settle_case(session, case.id, now, why)
    promise_rows.settle(session, case, now)
    if case.state is not CaseState.RECOVERED:
        return
    taken = session.scalar(select(SubscriptionSnapshot).where(SubscriptionSnapshot.case_id == case.id))
    if taken and taken.state in (FinalActionState.DONE, FinalActionState.INTENDED) and not taken.is_chosen:
        steps.plan(session, case, StepKind.RESTORE, "restore", now, "Paid after the end: give back what was taken.")
    else:
        thank(session, case, now)


def thank(session: Session, case: RecoveryCase, now: datetime, *, is_restored: bool = False) -> None:
    """Plan the one thank-you, for whom we wrote to; to whom something was given back, it says that, too."""
    if _was_written_to(session, case):
        content = {"kind": "subscription_changed" if is_restored else "recovered"}
        steps.plan(session, case, StepKind.MESSAGE, THANK_YOU, now, "Paid: say thank you.", content)


def _was_written_to(session: Session, case: RecoveryCase) -> bool:
    reached = (MessageState.ACCEPTED, MessageState.DELIVERED, MessageState.CLAIMED, MessageState.UNKNOWN)
    return (
        session.scalar(select(Message.id).where(Message.case_id == case.id, Message.state.in_(reached)).limit(1))
        is not None
    )
