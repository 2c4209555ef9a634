"""A migrated database with one organization whose cases a test writes one by one, as they ended."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from app import embedded
from app.db import Database
from app.models import RecoveryCase
from app.schema import upgrade
from app.vocabulary import CaseState, RecoveredBy, StopReason
from tests.integration.messages.rows import Rows, write_case, write_rows
from tests.services import new_database, template_database

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@dataclass
class Books:
    """The cases of one organization. Times are days after `failed_at`, amounts minor units."""

    database: Database
    first: Rows
    written: list[UUID] = field(default_factory=list)

    def session(self) -> AbstractContextManager[Session]:
        return self.database.organization(self.first.organization_id)

    def case(self, failed_at: datetime, amount: int = 1000, currency: str = "eur", **ending: Any) -> UUID:
        """One case; `window` in days, everything else columns of the case."""
        window = timedelta(days=ending.pop("window", 28))
        with self.session() as session:
            rows = self.first
            if self.written:
                rows = write_case(session, rows.organization_id, rows.connection_id, rows.version_id)
            case = session.get_one(RecoveryCase, rows.case_id)
            values = {"amount_due": amount, "currency": currency, "failed_at": failed_at, "opened_at": failed_at}
            ends = {"window_ends_at": failed_at + window, "grace_until": failed_at + window}
            for name, value in (values | ends | ending).items():
                setattr(case, name, value)
            self.written.append(case.id)
            return case.id

    def recovered(self, failed_at: datetime, after: float, by: RecoveredBy = RecoveredBy.RETRY, **more: Any) -> UUID:
        paid = more.pop("paid", more.get("amount", 1000))
        moment = failed_at + timedelta(days=after)
        ending = {"state": CaseState.RECOVERED, "recovered_at": moment, "recovered_by": by, "recovered_amount": paid}
        return self.case(failed_at, **ending, **more)

    def exhausted(self, failed_at: datetime, after: float, **more: Any) -> UUID:
        moment = failed_at + timedelta(days=after)
        return self.case(failed_at, **{"state": CaseState.EXHAUSTED, "exhausted_at": moment} | more)

    def closed(self, failed_at: datetime, after: float, reason: StopReason, **more: Any) -> UUID:
        moment = failed_at + timedelta(days=after)
        return self.case(failed_at, state=CaseState.CLOSED, closed_at=moment, stop_reason=reason, **more)


@pytest.fixture(scope="module")
def books_database(services: embedded.Services) -> Iterator[Database]:
    """One for each file of tests, as each test has an organization of its own."""
    with fresh_database(services) as database:
        yield database


@contextmanager
def fresh_database(services: embedded.Services) -> Iterator[Database]:
    with new_database(services, template_database(services, upgrade)) as url:
        database = Database(url)
        try:
            yield database
        finally:
            database.dispose()


@pytest.fixture
def make_books(books_database: Database) -> Callable[[], Books]:
    return lambda: Books(books_database, write_rows(books_database))


@pytest.fixture
def books(make_books: Callable[[], Books]) -> Books:
    return make_books()
