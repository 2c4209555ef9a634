"""One unpaid invoice, and campaigns to be written, chosen, changed and moved between."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.definition import CampaignDefinition
from app.context import Context
from app.models import CampaignVersion, CaseEntry, RecoveryCase, Step
from app.recovery.campaigns import add_version
from app.recovery.operator import Person
from tests.integration.messages.rows import START, Rows, write_rows

BY = Person("Ines")


@dataclass
class StandingClock:
    """A clock that stands where it is put."""

    moment: datetime = START

    def now(self) -> datetime:
        return self.moment


@dataclass
class Desk:
    """The rows of one organization, and what tests do with them."""

    context: Context
    rows: Rows
    clock: StandingClock

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self.context.database.organization(self.rows.organization_id) as session:
            yield session

    def write(self, slug: str, is_default: bool = False, **content: Any) -> UUID:
        """A new version of a campaign; its id."""
        with self.session() as session:
            version = add_version(
                session,
                slug=slug,
                name=slug.capitalize(),
                definition=CampaignDefinition.model_validate(content),
                is_default=is_default,
                now=self.clock.now(),
                by="Ines",
            )
            return version.id

    def case(self) -> RecoveryCase:
        with self.session() as session:
            return self.rows.case(session)

    def put_case_on(self, version_id: UUID) -> None:
        with self.session() as session:
            self.rows.case(session).campaign_version_id = version_id

    def steps(self) -> dict[str, Step]:
        with self.session() as session:
            return {step.key: step for step in session.scalars(select(Step).order_by(Step.due_at))}

    def timeline(self) -> list[CaseEntry]:
        with self.session() as session:
            return list(session.scalars(select(CaseEntry).order_by(CaseEntry.id)))

    def numbers(self) -> list[int]:
        with self.session() as session:
            return list(session.scalars(select(CampaignVersion.number).order_by(CampaignVersion.number)))


@pytest.fixture
def make_desk(context: Context) -> Callable[..., Desk]:
    def make(**customer: Any) -> Desk:
        clock = StandingClock()
        return Desk(replace(context, clock=clock), write_rows(context.database, **customer), clock)

    return make


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk(country="DE", stripe_metadata={"tier": "gold", "tags": "vip, early"})
