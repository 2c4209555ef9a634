"""Puts what became of a mail on its case's timeline, once for each thing, however often it is told."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db import table_of
from app.models import CaseEntry, Message
from app.vocabulary import EntryKind

_NOTE = insert(table_of(CaseEntry)).on_conflict_do_nothing()


def note(
    session: Session, message: Message, kind: EntryKind, name: str, summary: str, happened_at: datetime, now: datetime
) -> None:
    """One line `name` about `message`; the same name again, for the same send, changes nothing. No addresses in it.

    A notice has no case to tell: what became of it stands with the message itself.
    """
    if message.case_id is None:
        return
    values = {
        "organization_id": message.organization_id,
        "case_id": message.case_id,
        "kind": kind,
        "name": name,
        "key": f"message:{message.id}:{message.sends}:{name}",
        "happened_at": happened_at,
        "recorded_at": now,
        "summary": summary,
        "data": {"message_id": str(message.id), "mail": message.kind, "reason": message.reason},
    }
    session.execute(_NOTE, values)
