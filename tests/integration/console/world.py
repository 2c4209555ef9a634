"""An organization with at least one row of every kind that a console page shows, each marked with its name."""

import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.accounts import conflicts, users
from app.accounts.passwords import hash_password
from app.campaigns.definition import MONTHLY
from app.db import Database
from app.models import (
    ApiKey,
    AuditEntry,
    Campaign,
    CampaignVersion,
    CaseEntry,
    ChargeAttempt,
    Connection,
    Customer,
    DeliveryEvent,
    Hold,
    InboxEvent,
    Invoice,
    MailWording,
    Message,
    Organization,
    PaymentMethod,
    RecoveryCase,
    Rehearsal,
    Step,
    Subscription,
    SubscriptionSnapshot,
    User,
)
from app.vocabulary import (
    AttemptSource,
    AttemptState,
    CaseState,
    ConflictKind,
    ConnectionMode,
    ConnectionStatus,
    EntryKind,
    EventKind,
    FinalActionKind,
    FinalActionState,
    HoldKind,
    InboxState,
    MessageState,
    RecoveredBy,
    RehearsalState,
    Role,
    StepKind,
    StepState,
    StopReason,
)

PASSWORD = "correct horse battery"
PASSWORD_HASH = hash_password(PASSWORD)
REHEARSED = {
    "recovered": {"share": 0.5, "count": 100, "of": 200, "interval": [0.43, 0.57]},
    "tries": 420,
    "mails": 610,
    "findings": [],
}


@dataclass
class World:
    """Ids of the rows, and the word that every text in them carries."""

    mark: str
    organization_id: UUID
    connection_id: UUID
    campaign_id: UUID
    campaign_version_id: UUID
    case_ids: dict[CaseState, UUID] = field(default_factory=dict)
    customer_id: UUID = field(default_factory=uuid4)
    message_id: UUID = field(default_factory=uuid4)
    hold_id: UUID = field(default_factory=uuid4)
    rehearsal_id: UUID = field(default_factory=uuid4)
    api_key_id: UUID = field(default_factory=uuid4)
    event_id: int = 0
    wording_entry_id: int = 0


def make_world(database: Database, mark: str, now: datetime) -> World:
    """Write the organization `mark`, with a case in every state."""
    slug = mark.lower()
    with database.system() as session:
        organization = users.create_organization(session, slug, f"{mark} Inc", now)
        organization.timezone = "Europe/Berlin"
        connection = Connection(
            id=uuid4(), organization_id=organization.id, account_id=f"acct_{mark}", account_name=f"{mark} Account",
            livemode=True, mode=ConnectionMode.DRIVE, status=ConnectionStatus.BROKEN,
            status_reason=f"{mark} key revoked", sealed_api_key=b"", sealed_webhook_secrets=b"",
            created_at=now,
        )  # fmt: skip
        session.add(connection)
    with database.organization(organization.id) as session:
        detail = f"{mark} invoice is charged by both."
        conflicts.note(session, connection, ConflictKind.STRIPE_PLANS_TRY, detail, now)
        campaign = Campaign(
            id=uuid4(), organization_id=organization.id, slug=slug, name=f"{mark} campaign", position=1,
            is_default=True, created_at=now,
        )  # fmt: skip
        version = CampaignVersion(
            id=uuid4(), organization_id=organization.id, campaign_id=campaign.id, number=1,
            definition=MONTHLY.model_dump(mode="json"), created_at=now, created_by=f"{mark} author",
        )  # fmt: skip
        session.add_all([campaign, version])
        session.flush()
        world = World(mark, organization.id, connection.id, campaign.id, version.id)
        for number, state in enumerate(CaseState):
            case = add_case(session, world, state, now - timedelta(days=number + 1), now, number)
            world.case_ids[state] = case.id
            if state is CaseState.WAITING:
                world.customer_id = case.customer_id
        _add_history(session, world, now)
    return world


def add_member(database: Database, world: World, role: Role, now: datetime, name: str = "Ann") -> User:
    """A person of this organization whose password is `PASSWORD`."""
    with database.system() as session:
        user = User(
            id=uuid4(), email=f"{name}.{role}.{world.mark}@example.net".lower(), name=f"{world.mark} {name}",
            password_hash=PASSWORD_HASH, created_at=now,
        )  # fmt: skip
        session.add(user)
        session.flush()
        users.add_member(session, session.get_one(Organization, world.organization_id), user, role, now)
    return user


def add_case(
    session: Session,
    world: World,
    state: CaseState,
    failed_at: datetime,
    now: datetime,
    number: int,
    amount: int = 4900,
    currency: str = "eur",
) -> RecoveryCase:
    """One case with its customer, subscription, card and invoice."""
    mine: dict[str, Any] = {"organization_id": world.organization_id}
    theirs = {**mine, "connection_id": world.connection_id}
    key = f"{world.mark}_{number}_{uuid4().hex[:6]}"
    customer = Customer(
        id=uuid4(), **theirs, stripe_id=f"cus_{key}", email=f"{key}@customer.example".lower(), locales=[],
        name=f"{world.mark} <Customer> {number}", country="DE", refreshed_at=now, default_payment_method_id=f"pm_{key}",
        delinquent=True, deleted=False, stripe_metadata={},
    )  # fmt: skip
    subscription = Subscription(
        id=uuid4(), **theirs, stripe_id=f"sub_{key}", customer_stripe_id=customer.stripe_id, status="past_due",
        plan_name=f"{world.mark} Team", unit_amount=amount, currency=currency, interval="month", interval_count=1,
        current_period_end=now + timedelta(days=12), cancel_at_period_end=False, refreshed_at=now,
    )  # fmt: skip
    card = PaymentMethod(
        id=uuid4(), **theirs, stripe_id=f"pm_{key}", customer_stripe_id=customer.stripe_id, type="card", brand="visa",
        funding="debit", country="DE", last4="4242", exp_month=4, exp_year=2030, refreshed_at=now,
    )  # fmt: skip
    invoice = Invoice(
        id=uuid4(), **theirs, stripe_id=f"in_{key}", customer_stripe_id=customer.stripe_id,
        subscription_stripe_id=subscription.stripe_id, number=f"{world.mark}-{number:04}", status="open",
        description=f"{world.mark} Team, monthly", currency=currency, amount_due=amount, amount_paid=0,
        amount_remaining=amount, invoiced_at=failed_at, refreshed_at=now,
    )  # fmt: skip
    session.add_all([customer, subscription, card, invoice])
    session.flush()
    case = RecoveryCase(
        id=uuid4(), **theirs, invoice_id=invoice.id, customer_id=customer.id, subscription_id=subscription.id,
        campaign_version_id=world.campaign_version_id, state=state, amount_due=amount, currency=currency,
        why=f"{world.mark}: the account lacked money; the next try waits for a better day", failed_at=failed_at,
        decline_class="soft_timed", opened_at=failed_at, window_ends_at=failed_at + timedelta(days=28),
        grace_until=failed_at + timedelta(days=28), **_ending(state, amount, now),
    )  # fmt: skip
    session.add(case)
    session.flush()
    return case


def _ending(state: CaseState, amount: int, now: datetime) -> dict[str, Any]:
    earlier = now - timedelta(hours=20)
    return {
        CaseState.RECOVERED: {
            "recovered_at": earlier, "recovered_by": RecoveredBy.NEW_CARD, "recovered_amount": amount,
        },
        CaseState.EXHAUSTED: {"exhausted_at": earlier},
        CaseState.CLOSED: {"closed_at": earlier, "stop_reason": StopReason.OPERATOR},
    }.get(state, {})  # fmt: skip


def _add_history(session: Session, world: World, now: datetime) -> None:
    mine: dict[str, Any] = {"organization_id": world.organization_id}
    case = session.get_one(RecoveryCase, world.case_ids[CaseState.WAITING])
    mark, failed_at = world.mark, case.failed_at
    of_case = {**mine, "case_id": case.id}
    session.add_all(
        [
            Step(id=uuid4(), **of_case, kind=StepKind.RETRY, key="retry:1", due_at=now + timedelta(days=2),
                 why=f"{mark}: third day after the failure, 3 of 10 tries used", state=StepState.PLANNED, plan={}),
            Step(id=uuid4(), **of_case, kind=StepKind.MESSAGE, key="message:1", due_at=now - timedelta(hours=3),
                 why="the customer was written to today", state=StepState.SKIPPED, plan={}),
            ChargeAttempt(id=uuid4(), **of_case, connection_id=world.connection_id, number=None,
                          source=AttemptSource.STRIPE, state=AttemptState.DECLINED, amount=case.amount_due,
                          parameters={}, currency=case.currency, started_at=failed_at, charge_id=f"ch_{mark}",
                          reached_network=True, decision={},
                          signals={"decline_code": "insufficient_funds", "network_decline_code": "51"}),
            Message(id=world.message_id, **of_case, customer_id=case.customer_id, key="payment_failed",
                    kind="payment_failed", state=MessageState.BOUNCED, reason="mailbox_full", planned_at=failed_at,
                    recipient=f"{mark}@customer.example".lower(), locale="en", subject=f"{mark}: your payment failed",
                    text_body=f"{mark} text", html_body=f"<h1>{mark}</h1><p>Your payment failed.</p>", sends=1,
                    tries=1),
            Message(id=uuid4(), **of_case, customer_id=case.customer_id, key="reminder", kind="reminder",
                    state=MessageState.PLANNED, planned_at=now, sends=0, tries=0),
            Hold(id=world.hold_id, **of_case, customer_id=case.customer_id, kind=HoldKind.PROMISE, key="promise:1",
                 reason=f"{mark}: I get paid on Friday", begins_at=failed_at, until=now + timedelta(days=1),
                 created_by="the customer"),
            CaseEntry(**of_case, kind=EntryKind.FACT, name="declined", key="declined:1", happened_at=failed_at,
                      recorded_at=failed_at, to_state=CaseState.WAITING, data={"code": "insufficient_funds"},
                      summary=f"{mark}: Stripe tried the card and the bank declined it: no money."),
            CaseEntry(**of_case, kind=EntryKind.DECISION, name="retry_not_made", key="decision:1", happened_at=now,
                      recorded_at=now, summary=f"{mark}: not tried today, because the customer promised to pay.",
                      data={}),
            SubscriptionSnapshot(id=uuid4(), **mine, case_id=world.case_ids[CaseState.EXHAUSTED],
                                 subscription_stripe_id=f"sub_{mark}", action=FinalActionKind.DOWNGRADE,
                                 state=FinalActionState.DONE, before={"price": f"{mark} price"}, parameters={},
                                 taken_at=now, done_at=now),
            Rehearsal(id=world.rehearsal_id, **mine, campaign=f"{mark} campaign", slug=mark.lower(), cases=200, days=40,
                      seed=1, asked_by=f"{mark} Ann", state=RehearsalState.DONE, began_at=now, beat_at=now,
                      ended_at=now, figures=REHEARSED, report=zlib.compress(f"<h1>{mark}</h1>".encode())),
            ApiKey(id=world.api_key_id, **mine, name=f"{mark} shop", prefix=f"rcp_{mark.lower()}", secret_hash=b"-",
                   scopes=["read"], created_at=now),
            AuditEntry(**mine, actor=f"{mark} Ann", action="case.snoozed", subject=f"case {case.id}", happened_at=now,
                       data={"note": f"{mark} note"}),
        ]
    )  # fmt: skip
    event = InboxEvent(
        **mine, connection_id=world.connection_id, event_id=f"evt_{mark}", kind=EventKind.SNAPSHOT,
        type="invoice.payment_failed", object_id=f"in_{mark}", created_at=now, received_at=now, tries=5,
        body=zlib.compress(b"{}"), state=InboxState.PARKED, next_try_at=now, problem=f"{mark}: no such customer",
    )  # fmt: skip
    said = {"before": None, "after": f"{mark}: thank you"}
    worded = AuditEntry(
        **mine, actor=f"{mark} Ann", action="mail_texts.changed", subject="mails in sv", happened_at=now,
        data={"language": "sv", "kinds": ["recovered"], "texts": {"recovered.heading": said}, "why": "changed"},
    )  # fmt: skip
    wording = MailWording(
        **mine,
        language="sv",
        key="recovered.heading",
        text=f"{mark}: thank you",
        changed_at=now,
        changed_by=f"{mark} Ann",
    )
    session.add_all([event, worded, wording])
    session.flush()
    session.add(
        DeliveryEvent(
            **mine,
            message_id=world.message_id,
            provider="sendgrid",
            provider_event_id=f"sg_{mark}",
            type="bounce",
            happened_at=now,
            received_at=now,
            data={},
        )
    )
    world.event_id, world.wording_entry_id = event.id, worded.id
