"""The mails of a case's campaign on the calendar: at the opening, after things that happened, and when it is moved.

Plans and moves steps. Whether a mail may go when its time has come is asked again then, by `mailing` and the cadence.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.campaigns.definition import SOFT_CLASSES, CampaignDefinition, MessageStep, StepEvent
from app.campaigns.matching import matches
from app.campaigns.words import DECLINES, EVENTS, say
from app.models import CaseEntry, RecoveryCase, Step
from app.recovery import cases, steps
from app.recovery.segment_facts import facts_of_case
from app.vocabulary import EntryKind, Fact, StepKind, StepState

PREFIX = "message:"
EXCLUDED = "excluded"
MOVED = "moved to another version"
BREATH = timedelta(days=2)  # lies between a first mail that had to wait and the next one
OWN_TEXT = "The campaign foresees it."
FORMER_TEXT = "campaign"  # of steps from before they carried what they are
_DECLINES = (Fact.DECLINED, Fact.DEAD_CARD)


@dataclass(frozen=True)
class Planned:
    """A mail that a definition foresees for a case: its step's key, when it is due, and what it is."""

    key: str
    due_at: datetime
    message: MessageStep

    @property
    def content(self) -> dict[str, Any]:
        """What the step carries, so that whoever sends it needs no definition."""
        wanted = {
            "kind": self.message.kind,
            "decline_classes": list(self.message.decline_classes),
            "variants": list(self.message.variants),
            "step": self.message.key,
        }
        return {name: value for name, value in wanted.items() if value}


def plan_opening(session: Session, case: RecoveryCase, definition: CampaignDefinition, now: datetime) -> None:
    """Put on the calendar what is foreseen from the first day; nothing for whom the campaign leaves alone."""
    if is_excluded(session, case, definition):
        summary = f"Left alone, because the campaign excludes whom this fits: {say(definition.exclude)}."
        cases.append(session, case, EntryKind.DECISION, EXCLUDED, EXCLUDED, now, now, summary)
        return
    for planned in foreseen(definition, case):
        steps.plan(session, case, StepKind.MESSAGE, planned.key, planned.due_at, OWN_TEXT, planned.content)


def is_excluded(session: Session, case: RecoveryCase, definition: CampaignDefinition) -> bool:
    """Whether the campaign leaves this case alone, as its customer's rows stand now."""
    return definition.exclude is not None and bool(matches(definition.exclude, facts_of_case(session, case)))


def foreseen(definition: CampaignDefinition, case: RecoveryCase) -> Iterator[Planned]:
    """The mails with a day of their own: counted from the failure or from the end of the window."""
    is_soft = case.decline_class in SOFT_CLASSES
    for message in definition.messages:
        if message.anchor != "event":
            due_at = _due(message, definition, case, is_soft=is_soft)
            yield Planned(PREFIX + message.key, due_at, message)


def answer_events(
    session: Session, case: RecoveryCase, definition: CampaignDefinition, now: datetime, *, is_late_fine: bool = True
) -> None:
    """Plan the mails that answer what has happened to the case. By the timeline, so it may be called at any time.

    One that should have gone before `now` goes now, or not at all where `is_late_fine` is not.
    """
    wanted = [message for message in definition.messages if message.on is not None]
    answers = [answer for message in wanted for answer in _answers(session, case, message)]
    if not answers or is_excluded(session, case, definition):
        return
    for planned in answers:
        if is_late_fine or planned.due_at > now:
            why = f"It answers {EVENTS[planned.message.on or '']}."
            _plan_again(session, case, planned, max(planned.due_at, now), why)


def bring_forward(session: Session, case: RecoveryCase, definition: CampaignDefinition, now: datetime) -> None:
    """Only the payer can help now, so the silence kept for soft declines ends; the first mail goes at once."""
    for message in definition.messages:
        if message.anchor == "failure":
            due_at = _due(message, definition, case, is_soft=False)
            is_first = message.kind == "payment_failed"
            _move_earlier(session, case, PREFIX + message.key, now if is_first else max(due_at, now))


def why_not(plan: dict[str, Any], case: RecoveryCase) -> str | None:
    """Why the mail of a step is not for a case as it is now: its condition by decline class. None where it is."""
    wanted = plan.get("decline_classes")
    if not wanted or case.decline_class in wanted:
        return None
    found = DECLINES.get(case.decline_class or "", "not known")
    return f"it is only for payments declined because {' or '.join(DECLINES[word] for word in wanted)}; here: {found}"


def refit(session: Session, case: RecoveryCase, definition: CampaignDefinition, now: datetime) -> int:
    """Bring mails that have not begun into line with `definition`, and give how many are to come.

    What went stays, by its key, and is not sent again. What should have gone before now is not made up for, except
    the very first mail.
    """
    _drop_planned(session, case, now)
    if is_excluded(session, case, definition):
        return 0
    count = 0
    wrote = _has_written(session, case)
    for planned in foreseen(definition, case):
        is_first = planned.message.kind == "payment_failed" and not wrote
        if planned.due_at > now or is_first:
            count += _plan_again(session, case, planned, max(planned.due_at, now))
    answer_events(session, case, definition, now, is_late_fine=False)
    return count


def _due(message: MessageStep, definition: CampaignDefinition, case: RecoveryCase, *, is_soft: bool) -> datetime:
    if message.anchor == "end":
        return case.window_ends_at - timedelta(days=message.days)
    own = timedelta(days=message.days)
    return case.failed_at + (max(own, _after_silence(message, definition)) if is_soft else own)


def _after_silence(message: MessageStep, definition: CampaignDefinition) -> timedelta:
    """How long after a soft decline a mail may go at the soonest: once its silence is over, and not close upon the
    first mail where that had to wait for the same silence.
    """
    silence = timedelta(hours=max(message.soft_delay_hours, definition.silent_hours))
    first = min((each for each in definition.messages if each.anchor == "failure"), key=lambda each: each.days)
    planned = timedelta(days=first.days)
    begins = timedelta(hours=max(first.soft_delay_hours, definition.silent_hours))
    if begins <= planned:
        return silence
    return max(silence, begins + min(timedelta(days=message.days) - planned, BREATH))


def _occurrences(session: Session, case: RecoveryCase, event: StepEvent | None) -> list[datetime]:
    """When the thing happened, each time, oldest first; the second soft decline happens once."""
    query = select(CaseEntry).where(CaseEntry.case_id == case.id).order_by(CaseEntry.id)
    if event == "soft_decline_twice":
        declines = session.scalars(query.where(CaseEntry.kind == EntryKind.FACT, CaseEntry.name.in_(_DECLINES)))
        soft = sorted(entry.happened_at for entry in declines if entry.data.get("decline_class") in SOFT_CLASSES)
        return soft[1:2]
    return [entry.happened_at for entry in session.scalars(query.where(CaseEntry.name == event))]


def _answers(session: Session, case: RecoveryCase, message: MessageStep) -> Iterator[Planned]:
    for number, at in enumerate(_occurrences(session, case, message.on), start=1):
        yield Planned(f"{PREFIX}{message.key}:{number}", at + timedelta(days=message.days), message)


def _move_earlier(session: Session, case: RecoveryCase, key: str, due_at: datetime) -> None:
    session.execute(
        update(Step)
        .where(Step.case_id == case.id, Step.key == key, Step.state == StepState.PLANNED, Step.due_at > due_at)
        .values(due_at=due_at)
    )


def _drop_planned(session: Session, case: RecoveryCase, now: datetime) -> None:
    session.execute(
        update(Step)
        .where(Step.case_id == case.id, Step.kind == StepKind.MESSAGE, Step.state == StepState.PLANNED)
        .where(Step.plan.has_key("step") | (Step.why == FORMER_TEXT))
        .values(state=StepState.CANCELLED, problem=MOVED, finished_at=now)
    )


def _plan_again(session: Session, case: RecoveryCase, planned: Planned, due_at: datetime, why: str = OWN_TEXT) -> bool:
    """Plan it, or take up one that a move had taken off the calendar; False where it has gone or stands already."""
    if steps.plan(session, case, StepKind.MESSAGE, planned.key, due_at, why, planned.content):
        return True
    revived = session.scalars(
        update(Step)
        .where(Step.case_id == case.id, Step.key == planned.key)
        .where(Step.state == StepState.CANCELLED, Step.problem == MOVED)
        .values(state=StepState.PLANNED, due_at=due_at, why=why, plan=planned.content, problem=None, finished_at=None)
        .returning(Step.id)
    ).one_or_none()
    return revived is not None


def _has_written(session: Session, case: RecoveryCase) -> bool:
    done = select(Step.id).where(
        Step.case_id == case.id, Step.kind == StepKind.MESSAGE, Step.state.in_((StepState.DONE, StepState.RUNNING))
    )
    return session.scalar(done.limit(1)) is not None
