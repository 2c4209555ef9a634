"""The rows of one unpaid invoice, written as the rest of the program would write them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.db import Database
from app.models import (
    Campaign,
    CampaignVersion,
    Connection,
    Customer,
    Invoice,
    Organization,
    RecoveryCase,
    Subscription,
)
from app.vocabulary import CaseState, ConnectionMode, ConnectionStatus

START = datetime(2026, 9, 1, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Rows:
    """The ids of what was written."""

    organization_id: UUID
    connection_id: UUID
    customer_id: UUID
    subscription_id: UUID
    invoice_id: UUID
    version_id: UUID
    case_id: UUID

    def case(self, session: Session) -> RecoveryCase:
        return session.get_one(RecoveryCase, self.case_id)


def write_rows(database: Database, **customer: Any) -> Rows:
    """A new organization with one customer who has one unpaid invoice and an open case."""
    organization_id = uuid4()
    with database.system() as session:
        session.add(
            Organization(
                id=organization_id,
                slug=f"org-{organization_id.hex[:8]}",
                name="Northwind Tools",
                support_email="help@northwind.example.com",
                sender_email="billing@northwind.example.com",
                brand_color="#1f5eff",
                timezone="Europe/Berlin",
                default_locale="en",
                created_at=START,
            )
        )
    with database.organization(organization_id) as session:
        connection = _connection(organization_id)
        version = _version(session, organization_id)
        session.add(connection)
        session.flush()
        return write_case(session, organization_id, connection.id, version.id, **customer)


def write_case(session: Session, organization_id: UUID, connection_id: UUID, version_id: UUID, **customer: Any) -> Rows:
    """A customer (or the one named by `customer_id`) with one more unpaid invoice and its case."""
    customer_id = customer.pop("customer_id", None)
    person = session.get(Customer, customer_id) if customer_id else None
    if person is None:
        person = _customer(organization_id, connection_id, customer)
    plan = _subscription(organization_id, connection_id, person.stripe_id)
    invoice = _invoice(organization_id, connection_id, person.stripe_id)
    session.add_all([person, plan, invoice])
    session.flush()
    case = RecoveryCase(
        organization_id=organization_id,
        connection_id=connection_id,
        invoice_id=invoice.id,
        customer_id=person.id,
        subscription_id=plan.id,
        campaign_version_id=version_id,
        state=CaseState.WAITING,
        why="declined: insufficient_funds",
        decline_class="soft",
        customer_reason="no_funds",
        amount_due=4900,
        currency="eur",
        billed_name="Northwind Pro",
        failed_at=START - timedelta(hours=1),
        opened_at=START - timedelta(hours=1),
        window_ends_at=START + timedelta(days=28),
        grace_until=START + timedelta(days=28),
    )
    session.add(case)
    session.flush()
    return Rows(organization_id, connection_id, person.id, plan.id, invoice.id, version_id, case.id)


def _connection(organization_id: UUID) -> Connection:
    return Connection(
        organization_id=organization_id,
        account_id="acct_tests",
        livemode=False,
        mode=ConnectionMode.DRIVE,
        status=ConnectionStatus.ACTIVE,
        sealed_api_key=b"-",
        sealed_webhook_secrets=b"-",
        created_at=START,
    )


def _version(session: Session, organization_id: UUID) -> CampaignVersion:
    campaign = Campaign(
        organization_id=organization_id,
        slug="monthly",
        name="Monthly plans",
        position=1,
        is_default=True,
        created_at=START,
    )
    session.add(campaign)
    session.flush()
    version = CampaignVersion(
        organization_id=organization_id,
        campaign_id=campaign.id,
        number=1,
        definition={"final_action": {"kind": "downgrade", "prices": {"eur": "price_free"}, "debt": "keep"}},
        created_at=START,
        created_by="tests",
    )
    session.add(version)
    session.flush()
    return version


def _customer(organization_id: UUID, connection_id: UUID, given: dict[str, Any]) -> Customer:
    values = {
        "email": "anna.schmidt@example.com",
        "name": "Anna Schmidt",
        "locales": ["de-DE"],
        "timezone": "Europe/Berlin",
    }
    return Customer(
        organization_id=organization_id,
        connection_id=connection_id,
        stripe_id=f"cus_{uuid4().hex[:14]}",
        refreshed_at=START,
        **(values | given),
    )


def _subscription(organization_id: UUID, connection_id: UUID, customer: str) -> Subscription:
    return Subscription(
        organization_id=organization_id,
        connection_id=connection_id,
        stripe_id=f"sub_{uuid4().hex[:14]}",
        customer_stripe_id=customer,
        status="past_due",
        plan_name="Northwind Pro",
        unit_amount=4900,
        currency="eur",
        interval="month",
        interval_count=1,
        current_period_end=START + timedelta(days=29),
        refreshed_at=START,
    )


def _invoice(organization_id: UUID, connection_id: UUID, customer: str) -> Invoice:
    return Invoice(
        organization_id=organization_id,
        connection_id=connection_id,
        stripe_id=f"in_{uuid4().hex[:14]}",
        customer_stripe_id=customer,
        number=f"NW-{uuid4().hex[:6]}",
        status="open",
        currency="eur",
        amount_due=4900,
        amount_paid=0,
        amount_remaining=4900,
        hosted_invoice_url="https://invoice.example.com/i/1",
        invoiced_at=START - timedelta(hours=1),
        refreshed_at=START,
    )
