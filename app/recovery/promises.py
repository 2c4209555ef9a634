"""Promises to pay: "I get paid on Friday". Tries and mails wait for that day, and what becomes of it is a fact.

A day can be promised while the case's window lasts and where no rule of a card network forbids the try on it. The card
is tried from the morning of that day; a decline, or the day's end without money, breaks the promise: the hold ends, the
plan goes on, and the timeline says `promise_broken`, which mails and campaigns may answer.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import RecoupError
from app.models import CaseEntry, Connection, Hold, Organization, RecoveryCase
from app.recovery import cases, holds, notices, planning, steps
from app.recovery.facts import find_hold, gather, policy_for
from app.recovery.observing import observe_invoice
from app.recovery.promise_rows import BROKEN, MADE, MOVED, find_standing, may_try_from, was_tested
from app.recovery.running_step import RunningStep
from app.recovery.waiting import pause_for_charge
from app.retries.calendars import find_zone, into_open_hours
from app.retries.facts import CaseFacts, RetryPolicy
from app.retries.ladder import fraction
from app.retries.moments import zone_for
from app.retries.network_rules import (
    card_floors,
    closing_refusal,
    invoice_floors,
    is_issued_in_india,
    spent_cap_of_invoice,
    spent_cap_of_number,
)
from app.vocabulary import OPEN_CASE_STATES, CaseState, EntryKind, HoldKind, StepKind, StepState

CUSTOMER = "the customer"
MOST_MADE = 3  # of one case, moved ones included; after a broken one none
FURTHEST = 31  # days ahead
TIME_TO_ANSWER = timedelta(minutes=10)


class DayNotPossible(RecoupError):
    """This day cannot be promised for the case (any more); `possible_days` says which can."""


@dataclass(frozen=True)
class Promise:
    """A promised day on the customer's own calendar. `tries_card` tells whether the card on file is tried on it."""

    hold_id: UUID
    day: date
    promised_for: datetime
    until: datetime
    tries_card: bool


@dataclass(frozen=True)
class _Question:
    """What the answer to "is this day possible?" rests on."""

    facts: CaseFacts
    policy: RetryPolicy
    zone: ZoneInfo
    window_ends_at: datetime
    can_try: bool

    def morning(self, day: date) -> datetime:
        """When the card would be tried on `day`."""
        opened = datetime.combine(day, time(self.policy.open_hour), self.zone).astimezone(UTC)
        spread = timedelta(minutes=self.policy.jitter_minutes) * fraction(self.facts.seed, len(self.facts.attempts))
        return opened + spread

    def end(self, day: date) -> datetime:
        """When `day` is over."""
        return datetime.combine(day + timedelta(days=1), time(0), self.zone).astimezone(UTC)

    def first_try(self, day: date) -> datetime:
        """The first moment from the morning of `day` at which every rule allows a try."""
        floors = [floor.at for floor in card_floors(self.facts, self.policy)]
        if self.policy.mode == "drive":
            floors += [floor.at for floor in invoice_floors(self.facts, self.policy)]
        hours = (self.policy.open_hour, self.policy.close_hour)
        return into_open_hours(max([self.morning(day), *floors]), self.zone, hours, timedelta(0))

    def is_possible(self, day: date) -> bool:
        is_inside = self.end(day) <= self.window_ends_at
        return is_inside and (not self.can_try or self.first_try(day) < self.end(day))


def possible_days(session: Session, case: RecoveryCase, now: datetime) -> tuple[date, ...]:
    """The days that may be promised for `case`, on the customer's calendar, soonest first; none where it is too late,
    a promise was broken before, or something else keeps the case waiting.
    """
    if not _may_promise(session, case, now):
        return ()
    question = _ask(session, case, now)
    today = now.astimezone(question.zone).date()
    days = [today + timedelta(days=ahead) for ahead in range(1, FURTHEST + 1)]
    return tuple(day for day in days if question.is_possible(day))


def tries_card(session: Session, case: RecoveryCase, now: datetime) -> bool:
    """Whether the card on file would be tried on a promised day; where not, a promise only keeps things quiet."""
    return _ask(session, case, now).can_try


def find_promise(session: Session, case: RecoveryCase, now: datetime) -> Promise | None:
    """The promise that stands for `case`."""
    hold = find_standing(session, case, now)
    if hold is None or hold.until is None:
        return None
    question = _ask(session, case, now)
    moment = may_try_from(hold)
    return Promise(hold.id, moment.astimezone(question.zone).date(), moment, hold.until, question.can_try)


def make(session: Session, case: RecoveryCase, day: date, now: datetime, *, confirms: bool = True) -> Promise:
    """The customer promises to have the money by `day` (of their calendar); an earlier promise moves to it.

    A mail confirms it, unless `confirms` says that the one about another debt of theirs does. The case is locked. The
    same day again changes nothing. Raises `DayNotPossible`.
    """
    standing = find_promise(session, case, now)
    if standing and standing.day == day:
        return standing
    if day not in possible_days(session, case, now):
        raise DayNotPossible(f"{day.isoformat()} cannot be promised; it must be a day that the page offers")
    question = _ask(session, case, now)
    if standing:
        session.get_one(Hold, standing.hold_id).released_at = now
    number = _made(session, case) + 1
    key = f"promise:{case.id}:{number}"
    holds.place(
        session,
        organization_id=case.organization_id,
        customer_id=case.customer_id,
        case_id=case.id,
        kind=HoldKind.PROMISE,
        key=key,
        reason=f"The customer promised to pay on {day.isoformat()}.",
        until=question.end(day),
        promised_for=question.first_try(day) if question.can_try else question.morning(day),
        by=CUSTOMER,
        now=now,
    )
    promise = find_promise(session, case, now)
    assert promise is not None, "it was placed a moment ago"
    _tell(session, case, promise, number, MOVED if standing else MADE, now)
    if confirms:
        notices.confirm_promise(session, case, promise.hold_id, now)
    first_look = promise.promised_for + TIME_TO_ANSWER if promise.tries_card else promise.until
    content = {"hold": str(promise.hold_id)}
    steps.plan(session, case, StepKind.PROMISE, key, first_look, "The customer promised to pay.", content)
    return promise


def run_promise(running: RunningStep) -> None:
    """See what became of a promise: money ends the case, a decline or the end of its day breaks it."""
    observe_invoice(running.context, running.gateway, running.connection, running.invoice_stripe_id)
    now = running.context.clock.now()
    with running.context.database.organization(running.organization_id) as session:
        case = cases.lock_case(session, running.case_id)
        hold = session.get(Hold, UUID(running.step.plan["hold"]))
        if hold is None or hold.released_at is not None or case.state not in OPEN_CASE_STATES:
            steps.finish(session, running.claim, StepState.SKIPPED, "the promise stands no more", now)
            return
        if case.state is CaseState.CHARGING:
            steps.postpone(session, running.claim, now + pause_for_charge(session, case, now), "a charge is under way")
            return
        end = hold.until or now
        if now < end and not was_tested(session, case, hold):
            steps.postpone(session, running.claim, min(_next_look(session, case, now), end), "its day is not over")
            return
        break_promise(session, case, hold, now)
        steps.finish(session, running.claim, StepState.DONE, "the promise was not kept", now)


def break_promise(session: Session, case: RecoveryCase, hold: Hold, now: datetime) -> None:
    """Write down that a promise was not kept, end its hold, and let the plan go on. The case is locked."""
    moment = may_try_from(hold)
    day = moment.astimezone(_ask(session, case, now).zone).date()  # as it was chosen, on their own calendar
    summary = f"The promise to pay on {day.isoformat()} was not kept."
    data = {"hold": str(hold.id), "promised_for": moment.isoformat()}
    cases.append(session, case, EntryKind.FACT, BROKEN, f"{BROKEN}:{hold.id}", now, now, summary, data)
    holds.release(session, hold, "the promised day went by without the money", now)
    notices.tell_of_broken_promise(session, case, hold.id, now)


def _may_promise(session: Session, case: RecoveryCase, now: datetime) -> bool:
    other = find_hold(session, case, now, but=HoldKind.PROMISE)
    is_open = case.state in (CaseState.WAITING, CaseState.NEEDS_CUSTOMER)
    return is_open and other is None and _made(session, case) < MOST_MADE and not _was_broken(session, case)


def _ask(session: Session, case: RecoveryCase, now: datetime) -> _Question:
    connection, definition = session.get_one(Connection, case.connection_id), planning.definition_of(session, case)
    facts, policy = gather(session, case, now), policy_for(connection, definition, case.currency)
    organization = session.get_one(Organization, case.organization_id)
    zone = zone_for(facts) or find_zone(organization.timezone) or ZoneInfo("UTC")
    return _Question(facts, policy, zone, case.window_ends_at, _can_try(case, facts, policy))


def _can_try(case: RecoveryCase, facts: CaseFacts, policy: RetryPolicy) -> bool:
    """Whether the card on file can be tried at all; where it cannot, a promise keeps things quiet and no more."""
    barred = closing_refusal(facts) or is_issued_in_india(facts) or spent_cap_of_number(facts)
    spent = policy.mode == "drive" and spent_cap_of_invoice(facts, policy)
    return case.state is CaseState.WAITING and not barred and not spent


def _next_look(session: Session, case: RecoveryCase, now: datetime) -> datetime:
    """After the try that is planned, if one is; else when the day is over."""
    planned = [step.due_at for step in steps.open_steps(session, case.id, StepKind.RETRY)]
    return max(planned[0], now) + TIME_TO_ANSWER if planned else now + timedelta(days=1)


def _tell(session: Session, case: RecoveryCase, promise: Promise, number: int, name: str, now: datetime) -> None:
    summary = f"The customer promised to pay on {promise.day:%Y-%m-%d}."
    data = {"day": promise.day.isoformat(), "hold": str(promise.hold_id), "tries_card": promise.tries_card}
    cases.append(session, case, EntryKind.FACT, name, f"promise:{number}", now, now, summary, data)


def _made(session: Session, case: RecoveryCase) -> int:
    made = (CaseEntry.case_id == case.id, CaseEntry.name.in_((MADE, MOVED)))
    return len(session.scalars(select(CaseEntry.id).where(*made)).all())


def _was_broken(session: Session, case: RecoveryCase) -> bool:
    broken = (CaseEntry.case_id == case.id, CaseEntry.name == BROKEN)
    return session.scalar(select(CaseEntry.id).where(*broken).limit(1)) is not None
