"""A whole Recoup for one test: sandbox Stripe and web over real HTTP, jobs through real RQ, the clock in our hands.

Workers and the clock's sweep run in the test's own thread whenever it says `settle`, so that a story is told in order
and as fast as the machine allows; what they run is the program's own code.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import requests
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts.connections import connect
from app.accounts.users import create_organization
from app.campaigns.definition import MONTHLY, CampaignDefinition, RetrySettings
from app.context import Context
from app.models import CaseEntry, ChargeAttempt, Invoice, Message, RecoveryCase, Step
from app.recovery.campaigns import add_defaults, add_version
from app.sandbox.server import RunningSandbox
from app.settings import Settings
from app.vocabulary import ConnectionMode
from tests.daytime import begin_by_day
from tests.house import House
from workers import boot
from workers.pool import work
from workers.sweeping import sweep_once

SANDBOX_KEY = "rk_test_sandbox"
ROUNDS = 60
LADDER = MONTHLY.model_copy(update={"retries": RetrySettings(timing="ladder")})


@dataclass
class Stage:
    """Everything a story needs at hand."""

    context: Context
    sandbox: RunningSandbox
    base_url: str
    organization_id: UUID
    connection_id: UUID
    http: requests.Session = field(default_factory=requests.Session)

    @property
    def now(self) -> datetime:
        return self.context.clock.now()

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        """Ask the sandbox's control API."""
        answer = self.http.post(f"{self.sandbox.url}/_sandbox/{path}", json=body, timeout=60)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def customer(self, **wanted: Any) -> dict[str, Any]:
        """A sandbox customer with a card and a paid subscription."""
        return self.control("customers", **wanted)

    def fail(self, customer: str, *script: Any) -> str:
        """A renewal fails now by the script; the invoice's id, once Recoup has heard of it."""
        invoice = self.control("fail", customer=customer, script=list(script) or ["insufficient_funds"])["invoice"]
        self.settle()
        return str(invoice)

    def settle(self) -> None:
        """Let webhooks be delivered and every due row be worked on, until nothing is due."""
        for _ in range(ROUNDS):
            self._deliver()
            rings = sweep_once(self.context)
            if self.context.bell.waiting():
                work(self.context, burst=True)
            if not rings and not self.sandbox_reading()["pending_deliveries"] and not self._is_due():
                return
        raise AssertionError("the stage does not come to rest")

    def advance(self, **by: float) -> None:
        """Turn the clock, stopping at each moment at which the sandbox or Recoup has something due."""
        target = self.now + timedelta(**by)
        while True:
            self.settle()
            coming = self._next_moment()
            if coming is None or coming > target:
                break
            self._turn(coming)
        self._turn(target)
        self.settle()

    def rows(self, record: type[Any], *conditions: Any) -> list[Any]:
        """Rows of this organization."""
        with self.context.database.organization(self.organization_id) as session:
            return list(session.scalars(select(record).where(*conditions)))

    def case(self, invoice: str) -> RecoveryCase:
        """The case of a Stripe invoice."""
        with self.context.database.organization(self.organization_id) as session:
            return _case(session, invoice)

    def timeline(self, invoice: str) -> list[CaseEntry]:
        with self.context.database.organization(self.organization_id) as session:
            case = _case(session, invoice)
            return list(session.scalars(select(CaseEntry).where(CaseEntry.case_id == case.id).order_by(CaseEntry.id)))

    def attempts(self, invoice: str) -> list[ChargeAttempt]:
        case = self.case(invoice)
        found = self.rows(ChargeAttempt, ChargeAttempt.case_id == case.id)
        return sorted(found, key=lambda attempt: attempt.started_at)

    def messages(self, invoice: str) -> list[Message]:
        case = self.case(invoice)
        return sorted(self.rows(Message, Message.case_id == case.id), key=lambda message: message.planned_at)

    def steps(self, invoice: str) -> list[Step]:
        case = self.case(invoice)
        return sorted(self.rows(Step, Step.case_id == case.id), key=lambda step: step.due_at)

    def use_campaign(self, definition: CampaignDefinition) -> None:
        """Have new cases follow this campaign, whatever their plan's interval."""
        with self.context.database.organization(self.organization_id) as session:
            add_version(
                session, slug="monthly", name="Test", definition=definition, is_default=True, now=self.now, by="test"
            )

    def sandbox_reading(self) -> dict[str, Any]:
        found: dict[str, Any] = self.http.get(f"{self.sandbox.url}/_sandbox/clock", timeout=10).json()
        return found

    def stripe(self, method: str, path: str, **form: Any) -> dict[str, Any]:
        """Speak to the sandbox as the operator would from Stripe's dashboard."""
        answer = self.http.request(
            method, f"{self.sandbox.url}/v1/{path}", data=form, auth=(SANDBOX_KEY, ""), timeout=30
        )
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _deliver(self) -> None:
        for _ in range(400):
            if not self.sandbox_reading()["pending_deliveries"]:
                return
            threading.Event().wait(0.01)

    def _turn(self, to: datetime) -> None:
        """Go to a moment, unless the clock, which runs by itself as well, has passed it."""
        if to > self.now:
            body = {"to": to.isoformat()}
            answer = self.http.post(f"{self.sandbox.url}/_sandbox/clock", json=body, timeout=60)
            assert answer.ok or "has passed" in answer.text, answer.text

    def _next_moment(self) -> datetime | None:
        with self.context.database.system() as session:
            due = session.scalars(
                select(Step.due_at).where(Step.state == "planned").order_by(Step.due_at).limit(1)
            ).first()
            mail = session.scalars(
                select(Message.next_try_at)
                .where(Message.next_try_at.is_not(None))
                .order_by(Message.next_try_at)
                .limit(1)
            ).first()
            check = session.scalars(
                select(ChargeAttempt.next_check_at)
                .where(ChargeAttempt.next_check_at.is_not(None))
                .order_by(ChargeAttempt.next_check_at)
                .limit(1)
            ).first()
        coming = self.sandbox_reading()["next_event_at"]
        theirs = datetime.fromisoformat(coming) if coming else None
        return min((moment for moment in (due, mail, check, theirs) if moment), default=None)

    def _is_due(self) -> bool:
        """Whether a sweep would find something that a moment's wait does not have to pass for."""
        with self.context.database.system() as session:
            return session.scalar(select(Step.id).where(Step.state == "planned", Step.due_at <= self.now)) is not None


def _case(session: Session, invoice: str) -> RecoveryCase:
    return session.scalars(
        select(RecoveryCase).join(Invoice, Invoice.id == RecoveryCase.invoice_id).where(Invoice.stripe_id == invoice)
    ).one()


@contextmanager
def open_stage(house: House, settings: Settings, mode: ConnectionMode = ConnectionMode.DRIVE) -> Iterator[Stage]:
    """Set the stage: an organization connected to a sandbox in which nothing has happened, by day."""
    begin_by_day(settings)
    with house.stripe(settings) as sandbox, house.context(settings, sandbox.url) as context, jobs_of(context):
        organization_id = new_organization(context)
        connected = connect(context, organization_id, api_key=SANDBOX_KEY, webhook_secret=None, mode=mode, actor="test")
        yield Stage(context, sandbox, house.url, organization_id, connected.connection_id)


@contextmanager
def jobs_of(context: Context) -> Iterator[None]:
    """Jobs that run in this process use this context."""
    previous, boot.context = boot.context, lambda: context  # type: ignore[assignment]
    try:
        yield
    finally:
        boot.context = previous


def new_organization(context: Context) -> UUID:
    """One with the campaigns that everybody begins with."""
    now = context.clock.now()
    with context.database.system() as session:
        organization = create_organization(session, "acme", "Acme", now)
        session.flush()
        organization_id = organization.id
    with context.database.organization(organization_id) as session:
        add_defaults(session, now, "test")
    return organization_id
