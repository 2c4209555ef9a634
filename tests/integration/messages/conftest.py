"""A migrated database, a context whose clock the test turns, and one unpaid invoice to write mails about."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.bell import Bell
from app.context import Context
from app.crypto import KeyRing
from app.db import Database
from app.messages import outbox
from app.models import Message
from app.settings import Settings
from app.vocabulary import MessageState
from tests.integration.messages.rows import START, Rows, write_rows


@dataclass
class TurnedClock:
    """A clock that stands still until the test turns it."""

    moment: datetime = START

    def now(self) -> datetime:
        return self.moment

    def turn(self, by: timedelta) -> datetime:
        self.moment += by
        return self.moment


@pytest.fixture
def mail_clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def mail_database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    try:
        yield database
    finally:
        database.dispose()


@pytest.fixture
def make_mail_context(mail_database: Database, mail_clock: TurnedClock, tmp_path: Path) -> Callable[..., Context]:
    """A context on the test's database; settings can be given by name."""

    def make(**settings: Any) -> Context:
        given = {
            "home": tmp_path,
            "secret_key": "a secret for tests",
            "public_url": "https://pay.example.com",
        } | settings
        return Context(
            settings=Settings(_env_file=None, **given),
            clock=mail_clock,
            database=mail_database,
            bell=Bell("redis://127.0.0.1:1/0"),
            keys=KeyRing.parse("tests:" + "A" * 43 + "="),
        )

    return make


@pytest.fixture
def mail_context(make_mail_context: Callable[..., Context]) -> Context:
    return make_mail_context()


@pytest.fixture
def rows(mail_context: Context) -> Rows:
    """One organization, customer, unpaid invoice and waiting case."""
    return write_rows(mail_context.database)


@dataclass(frozen=True)
class Post:
    """The outbox of one organization, as a worker and a clock use it."""

    context: Context
    rows: Rows

    def queue(self, kind: str = "payment_failed", key: str | None = None, rows: Rows | None = None) -> UUID:
        """Plan one mail in a transaction of its own."""
        rows = rows or self.rows
        with self.context.database.organization(rows.organization_id) as session:
            message = outbox.queue(
                session,
                case=rows.case(session),
                key=key or kind,
                kind=kind,
                step_id=None,
                now=self.context.clock.now(),
            )
            return message.id

    def deliver(self, message_id: UUID, sender: Any = None) -> MessageState:
        return outbox.deliver(self.context, self.rows.organization_id, message_id, sender)

    def message(self, message_id: UUID) -> Message:
        with self.context.database.organization(self.rows.organization_id) as session:
            return session.get_one(Message, message_id)

    def change(self, record: Any, row_id: UUID, **values: Any) -> None:
        """Change a row, as some other part of the program would."""
        with self.context.database.organization(self.rows.organization_id) as session:
            row = session.get_one(record, row_id)
            for name, value in values.items():
                setattr(row, name, value)

    def add(self, record: Any) -> None:
        with self.context.database.organization(self.rows.organization_id) as session:
            session.add(record)

    def files(self) -> list[Path]:
        """What the outbox folder holds."""
        return sorted((self.context.settings.home / "outbox").glob("*.eml"))


@pytest.fixture
def post(mail_context: Context, rows: Rows) -> Post:
    return Post(mail_context, rows)
