"""One unpaid invoice at a Stripe that answers over HTTP, its case in Postgres, and the ways to disturb both."""

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests

from app import embedded
from app.clock import SandboxClock
from app.context import Context
from app.models import Invoice, RecoveryCase, Subscription
from app.models import SubscriptionSnapshot as Row
from app.outcomes import ledger
from app.outcomes.actions import FinalAction, FinalResult
from app.outcomes.final import run_final_action
from app.outcomes.restoring import RestoreResult, restore
from app.sandbox.server import run_in_thread
from app.schema import upgrade
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.snapshots import InvoiceSnapshot, SubscriptionSnapshot
from app.vocabulary import DebtAfterwards, FinalActionKind
from tests.integration.messages.rows import write_rows
from tests.integration.outcomes.doors import API_KEY, make_context, make_gateway
from tests.services import new_database, template_database


@dataclass
class Recorder:
    """Stands before the sandbox and remembers each write: its path and idempotency key."""

    app: Any
    writes: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] in ("POST", "DELETE") and environ["PATH_INFO"].startswith("/v1/"):
            self.writes.append((environ["PATH_INFO"], environ.get("HTTP_IDEMPOTENCY_KEY", "")))
        answer: Iterable[bytes] = self.app(environ, start)
        return answer


@dataclass
class Stripe:
    """The pretend Stripe, and hands to change it as an operator, a customer or bad luck would."""

    url: str
    recorder: Recorder

    def control(self, path: str, given: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/_sandbox/{path}", json=given, timeout=10)
        answer.raise_for_status()
        return dict(answer.json())

    def ask(self, path: str, given: dict[str, Any] | None = None, method: str = "POST") -> dict[str, Any]:
        """One call to the API, past the gateway."""
        headers = {"Authorization": f"Bearer {API_KEY}"}
        answer = requests.request(method, f"{self.url}/v1/{path}", data=given or {}, headers=headers, timeout=10)
        answer.raise_for_status()
        return dict(answer.json())

    def trouble(self, kind: str, path: str, count: int = 1, method: str = "") -> None:
        self.control("faults", {"kind": kind, "path": path, "count": count, "method": method})

    def calm(self) -> None:
        """No more trouble."""
        requests.delete(f"{self.url}/_sandbox/faults", timeout=10).raise_for_status()

    def writes(self, part: str) -> list[str]:
        """The idempotency keys of the writes so far whose path holds `part`."""
        return [key for path, key in self.recorder.writes if part in path]


@dataclass
class Scene:
    """The case, with everything a worker has at hand."""

    context: Context
    gateway: StripeGateway
    stripe: Stripe
    organization_id: UUID
    case_id: UUID
    payment_method: str
    subscription_id: str
    invoice_id: str
    price_id: str
    free_price_id: str

    def take(
        self, kind: FinalActionKind, debt: DebtAfterwards = DebtAfterwards.KEEP, price_id: str | None = None
    ) -> FinalResult:
        price = price_id or (self.free_price_id if kind is FinalActionKind.DOWNGRADE else None)
        return run_final_action(
            self.context,
            self.gateway,
            organization_id=self.organization_id,
            case_id=self.case_id,
            action=FinalAction(kind, price, debt),
        )

    def restore(self) -> RestoreResult:
        return restore(self.context, self.gateway, organization_id=self.organization_id, case_id=self.case_id)

    def subscription(self) -> SubscriptionSnapshot:
        return self.gateway.get_subscription(self.subscription_id)

    def invoice(self) -> InvoiceSnapshot:
        return self.gateway.get_invoice(self.invoice_id)

    def prices(self) -> list[str | None]:
        return [item.price_id for item in self.subscription().items]

    def row(self) -> Row:
        with self.context.database.organization(self.organization_id) as session:
            row = ledger.find_row(session, self.case_id)
            assert row is not None
            return row

    def pay(self) -> None:
        """The customer pays after all."""
        self.stripe.control(f"cards/{self.payment_method}/script", {"script": ["approve"]})
        self.stripe.ask(f"invoices/{self.invoice_id}/pay", {"payment_method": self.payment_method})

    def turn(self, by: timedelta) -> None:
        clock = self.context.clock
        assert isinstance(clock, SandboxClock)
        clock.turn_to(clock.now() + by)

    def has_something_to_restore(self) -> bool:
        with self.context.database.organization(self.organization_id) as session:
            return ledger.has_something_to_restore(session, self.case_id)

    def has_ended(self) -> bool:
        with self.context.database.organization(self.organization_id) as session:
            return ledger.has_ended(session, self.subscription_id)

    def remember_price(self, price_id: str) -> None:
        """The snapshot speaks of this price."""
        with self.context.database.organization(self.organization_id) as session:
            row = ledger.find_row(session, self.case_id)
            assert row is not None
            before = copy.deepcopy(row.before)
            before["items"]["data"][0]["price"]["id"] = price_id
            row.before = before

    def be_about(self, invoice_id: str | None = None, subscription_id: str | None = None) -> None:
        """The case is about another invoice, with or without a subscription."""
        with self.context.database.organization(self.organization_id) as session:
            case = session.get_one(RecoveryCase, self.case_id)
            case.subscription_id = None
            invoice = session.get_one(Invoice, case.invoice_id)
            invoice.stripe_id = invoice_id or invoice.stripe_id
            invoice.subscription_stripe_id = subscription_id


@pytest.fixture(scope="module")
def outcomes_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the sandbox and the clock of one file of tests live; each test has customers of its own there."""
    return tmp_path_factory.mktemp("outcomes")


@pytest.fixture(scope="module")
def outcomes_database_url(services: embedded.Services) -> Iterator[str]:
    with new_database(services, template_database(services, upgrade)) as url:
        yield url


@pytest.fixture(scope="module")
def outcomes_sandbox(outcomes_home: Path) -> Iterator[Stripe]:
    running = run_in_thread(outcomes_home, SandboxClock(outcomes_home / "clock.json"))
    recorder = Recorder(running.app)
    running.server.app = recorder
    stripe = Stripe(running.url, recorder)
    stripe.control("settings", {"retries": "off", "end_behavior": "past_due"})
    try:
        yield stripe
    finally:
        running.stop()


@pytest.fixture
def stripe(outcomes_sandbox: Stripe) -> Iterator[Stripe]:
    outcomes_sandbox.recorder.writes.clear()
    yield outcomes_sandbox
    outcomes_sandbox.calm()


@pytest.fixture(scope="module")
def outcomes_context(outcomes_database_url: str, outcomes_home: Path) -> Iterator[Context]:
    context = make_context(outcomes_database_url, outcomes_home)
    try:
        yield context
    finally:
        context.database.dispose()


@pytest.fixture
def scene(outcomes_context: Context, stripe: Stripe) -> Scene:
    """A subscription at 49 a month whose renewal has failed."""
    made = stripe.control("customers", {"name": "Robin", "plan": "Team", "amount": 4900, "currency": "eur"})
    failed = stripe.control("fail", {"customer": made["customer"], "decline_code": "insufficient_funds"})
    free = stripe.ask(
        "prices",
        {"currency": "eur", "unit_amount": 0, "recurring[interval]": "month", "product_data[name]": "Free"},
    )
    rows = write_rows(outcomes_context.database)
    with outcomes_context.database.organization(rows.organization_id) as session:
        invoice = session.get_one(Invoice, rows.invoice_id)
        invoice.stripe_id, invoice.subscription_stripe_id = failed["invoice"], made["subscription"]
        session.get_one(Subscription, rows.subscription_id).stripe_id = made["subscription"]
    return Scene(
        context=outcomes_context,
        gateway=make_gateway(stripe.url),
        stripe=stripe,
        organization_id=rows.organization_id,
        case_id=rows.case_id,
        payment_method=made["payment_method"],
        subscription_id=made["subscription"],
        invoice_id=failed["invoice"],
        price_id=made["price"],
        free_price_id=free["id"],
    )
