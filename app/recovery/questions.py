"""Something is wrong with this invoice: the customer says what, and the chase rests until somebody has answered.

The note is a hold of kind `dispute` on one case, without an end; it ends when an operator answers or releases it, when
the customer takes it back, or with the case. Refuses to judge who is right.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import RecoupError
from app.models import CaseEntry, Hold, RecoveryCase
from app.recovery import cases, holds
from app.vocabulary import OPEN_CASE_STATES, EntryKind, HoldKind

ASKED, ANSWERED, TAKEN_BACK = "invoice_questioned", "question_answered", "question_taken_back"
LONGEST = 1000  # characters
MOST_ASKED = 3  # of one case: the debt does not rest for ever
CUSTOMER = "the customer"


class NotAskable(RecoupError):
    """The case is over, asked about already, or was asked about too often."""


class NothingSaid(RecoupError):
    """The note is empty."""


def can_ask(session: Session, case: RecoveryCase) -> bool:
    """Whether the customer may say now that something is wrong."""
    if case.state not in OPEN_CASE_STATES or find_open(session, case) is not None:
        return False
    asked = select(CaseEntry.id).where(CaseEntry.case_id == case.id, CaseEntry.name == ASKED)
    return len(session.scalars(asked).all()) < MOST_ASKED


def ask(session: Session, case: RecoveryCase, note: str, name: str, now: datetime) -> None:
    """Write the customer's note down and hold the case; `name` is the click's, so that one form is one note.

    The case is locked. Raises `NothingSaid` and `NotAskable`.
    """
    note = " ".join(note.replace("\x00", "").split())[:LONGEST]
    if not note:
        raise NothingSaid("the note is empty")
    standing = find_open(session, case)
    if standing is not None and standing.key == _key(case, name):
        return
    if not can_ask(session, case):
        raise NotAskable("this case cannot be asked about (any more)")
    summary = f"The customer says that something is wrong: {note}"
    cases.append(session, case, EntryKind.FACT, ASKED, f"{ASKED}:{name}", now, now, summary, {"note": note})
    holds.place(
        session,
        organization_id=case.organization_id,
        customer_id=case.customer_id,
        case_id=case.id,
        kind=HoldKind.DISPUTE,
        key=_key(case, name),
        reason=f"The customer says that something is wrong: {note}",
        until=None,
        by=CUSTOMER,
        now=now,
    )


def find_open(session: Session, case: RecoveryCase) -> Hold | None:
    """The note that nobody has answered yet."""
    return session.scalar(
        select(Hold)
        .where(Hold.case_id == case.id, Hold.key.startswith("question:"), Hold.released_at.is_(None))
        .order_by(Hold.begins_at.desc())
        .limit(1)
    )


def find_note(session: Session, case: RecoveryCase) -> tuple[str | None, str | None]:
    """What the customer wrote last, and what they were answered to it; None for what is not there."""
    said = select(CaseEntry).where(CaseEntry.case_id == case.id, CaseEntry.name.in_((ASKED, ANSWERED, TAKEN_BACK)))
    last = session.scalars(said.order_by(CaseEntry.id.desc()).limit(1)).first()
    if last is None or last.name == TAKEN_BACK:
        return None, None
    return last.data.get("note"), last.data.get("answer")


def is_question(hold: Hold) -> bool:
    """Whether a hold is a customer's note, and not a bank's dispute or a person's."""
    return hold.key.startswith("question:")


def take_back(session: Session, case: RecoveryCase, now: datetime) -> bool:
    """The customer says that it is settled: the plan goes on. False where nothing stood. The case is locked."""
    hold = find_open(session, case)
    if hold is None:
        return False
    _tell(session, case, TAKEN_BACK, hold, "The customer took the note back.", {}, now)
    return holds.release(session, hold, "the customer took the note back", now)


def answer(session: Session, hold: Hold, words: str, by: str, now: datetime) -> None:
    """Keep an operator's answer, which the customer's page shows; releasing the hold is the caller's."""
    if hold.case_id is None or not is_question(hold):
        return
    case = session.get_one(RecoveryCase, hold.case_id)
    note, _ = find_note(session, case)
    _tell(session, case, ANSWERED, hold, f"{by} answered: {words}", {"note": note, "answer": words}, now)


def open_questions(session: Session) -> list[UUID]:
    """The open cases whose customers wait for an answer, longest first."""
    query = (
        select(RecoveryCase.id)
        .join(Hold, Hold.case_id == RecoveryCase.id)
        .where(Hold.key.startswith("question:"), Hold.released_at.is_(None), RecoveryCase.state.in_(OPEN_CASE_STATES))
        .order_by(Hold.begins_at)
    )
    return list(session.scalars(query))


def _key(case: RecoveryCase, name: str) -> str:
    return f"question:{case.id}:{name}"


def _tell(
    session: Session,
    case: RecoveryCase,
    name: str,
    hold: Hold,
    summary: str,
    data: dict[str, str | None],
    now: datetime,
) -> None:
    cases.append(session, case, EntryKind.FACT, name, f"{name}:{hold.id}", now, now, summary, data)
