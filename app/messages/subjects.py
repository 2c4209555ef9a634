"""What a message is about, a case or a notice, behind one face: may it go, what may it say, who hears it."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.db import get_row
from app.messages import facts, notices, situation
from app.messages.cadence import MailKind, Situation
from app.models import Customer, Message, Organization, RecoveryCase
from app.settings import Settings
from emails import MailFacts


class Subject(Protocol):
    """Everything that the sending of one message asks of what it is about."""

    @property
    def organization(self) -> Organization: ...

    @property
    def customer(self) -> Customer: ...

    @property
    def locale(self) -> str: ...

    def situation(self, now: datetime) -> Situation:
        """All that decides whether the message may go at `now`."""
        ...

    def facts(self, settings: Settings, now: datetime) -> MailFacts:
        """All that the message may say at `now`."""
        ...


class OfCase:
    """A message about a case."""

    def __init__(self, session: Session, message: Message, case_id: UUID) -> None:
        self._session, self._message = session, message
        self._rows = facts.read_conversation(session, get_row(session, RecoveryCase, case_id))

    @property
    def organization(self) -> Organization:
        return self._rows.organization

    @property
    def customer(self) -> Customer:
        return self._rows.customer

    @property
    def locale(self) -> str:
        return self._rows.locale

    def situation(self, now: datetime) -> Situation:
        return situation.read(self._session, self._rows, self._message, now)

    def facts(self, settings: Settings, now: datetime) -> MailFacts:
        return facts.mail_facts(self._session, settings, self._rows, MailKind(self._message.kind), now)


class OfNotice:
    """A message about no case."""

    def __init__(self, session: Session, message: Message) -> None:
        self._session, self._message = session, message
        self._notice = notices.read_notice(session, message)

    @property
    def organization(self) -> Organization:
        return self._notice.organization

    @property
    def customer(self) -> Customer:
        return self._notice.customer

    @property
    def locale(self) -> str:
        return self._notice.locale

    def situation(self, now: datetime) -> Situation:
        return notices.read_situation(self._session, self._notice, self._message, now)

    def facts(self, settings: Settings, now: datetime) -> MailFacts:
        return notices.notice_facts(self._session, settings, self._notice, self._message, now)


def subject_of(session: Session, message: Message) -> Subject:
    """What `message` is about, as this transaction sees it."""
    return OfCase(session, message, message.case_id) if message.case_id else OfNotice(session, message)
