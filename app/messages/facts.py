"""From rows to what a mail may say (`emails.MailFacts`). Decides nothing: whether a mail goes is the cadence's."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, true
from sqlalchemy.orm import Session

from app.db import prepared
from app.links import PayLink, make_pay_url
from app.messages import endings
from app.messages.branding import merchant_of
from app.messages.cadence import ABOUT_DEBT, CHASING, MailKind
from app.messages.choices import cases_of_choice, plan_chosen
from app.messages.names import first_name
from app.messages.zones import read_zone
from app.models import (
    CampaignVersion,
    CaseEntry,
    ChargeAttempt,
    Customer,
    Hold,
    Invoice,
    Organization,
    PaymentMethod,
    RecoveryCase,
    Step,
    Subscription,
    SubscriptionSnapshot,
)
from app.money import Money
from app.settings import Settings
from app.vocabulary import (
    OPEN_CASE_STATES,
    OPEN_STEP_STATES,
    CaseState,
    FinalActionKind,
    FinalActionState,
    HoldKind,
    StepKind,
)
from emails import Card, DeclineReason, FinalAction, MailFacts, Owed, choose_locale
from emails.facts import is_web_link

PLAN_NAMED = "plan_named"  # the entry of a case's timeline that knows what a downgrade's plan is called
ABOUT_PROMISES = frozenset({MailKind.PROMISE_CONFIRMED, MailKind.PROMISE_BROKEN})
AFTER_ACTION = frozenset({MailKind.SUBSCRIPTION_CHANGED, MailKind.CHOICE_CONFIRMED})
DROPPED = ("void", "uncollectible")  # what an invoice is that nobody asks for any more
_REASONS = {reason.value: reason for reason in DeclineReason}


@dataclass(frozen=True)
class Conversation:
    """The rows that every mail of one case is about."""

    organization: Organization
    case: RecoveryCase
    customer: Customer
    invoice: Invoice
    subscription: Subscription | None
    snapshot: SubscriptionSnapshot | None
    version: CampaignVersion

    @property
    def locale(self) -> str:
        """BCP 47: the first of the customer's languages that mails are written in, else the organization's."""
        return choose_locale(self.customer.locales, self.organization.default_locale)

    @property
    def is_about_subscription(self) -> bool:
        """Whether there is a subscription to speak of: one that goes on, or that this case has had its end for."""
        is_ours = self.subscription is not None and self.snapshot is not None
        return is_ours or endings.has_stake(self.subscription)


def read_conversation(session: Session, case: RecoveryCase) -> Conversation:
    """The rows around `case`, as this transaction sees them."""
    organization, customer, invoice, version, subscription, snapshot = session.execute(*_around(case.id)).one()
    return Conversation(organization, case, customer, invoice, subscription, snapshot, version)


@prepared
def _around(
    case_id: UUID,
) -> Select[Organization, Customer, Invoice, CampaignVersion, Subscription, SubscriptionSnapshot]:
    return (
        select(Organization, Customer, Invoice, CampaignVersion, Subscription, SubscriptionSnapshot)
        .select_from(RecoveryCase)
        .join(Organization, Organization.id == RecoveryCase.organization_id)
        .join(Customer, Customer.id == RecoveryCase.customer_id)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .join(CampaignVersion, CampaignVersion.id == RecoveryCase.campaign_version_id)
        .outerjoin(Subscription, Subscription.id == RecoveryCase.subscription_id)
        .outerjoin(SubscriptionSnapshot, SubscriptionSnapshot.case_id == RecoveryCase.id)
        .where(RecoveryCase.id == case_id)
    )


def mail_facts(session: Session, settings: Settings, rows: Conversation, kind: MailKind, now: datetime) -> MailFacts:
    """What a mail of this kind may say at `now`.

    Raises `SettingsIncomplete` without a secret key and `emails.UnsafeLink` for a public URL that is no web link.
    """
    case, customer, snapshot = rows.case, rows.customer, rows.snapshot
    action, action_at = _final_action(session, rows, kind, now)
    link = PayLink(case.organization_id, case.id, case.link_version)
    is_ending = action is FinalActionKind.CANCEL_AT_PERIOD_END and rows.subscription is not None
    period_end = rows.subscription.current_period_end if rows.subscription else None
    return MailFacts(
        merchant=merchant_of(rows.organization, settings.base_url()),
        pay_url=make_pay_url(settings.base_url(), settings.require("secret_key"), link, now),
        amounts=_amounts(session, rows, kind, now),
        customer_first_name=first_name(customer.name, rows.locale),
        locale=rows.locale,
        timezone=str(read_zone(session, customer, rows.organization)),
        decline_reason=_REASONS.get(case.customer_reason, DeclineReason.UNKNOWN),
        card=_card(session, case),
        product_name=case.billed_name,
        invoice_number=rows.invoice.number,
        is_about_subscription=rows.is_about_subscription,
        next_attempt_at=_next_attempt(session, rows, now),
        final_action=FinalAction(action.value) if action else None,
        final_action_at=action_at,
        downgrade_to=_plan_afterwards(session, case, kind) if action is FinalActionKind.DOWNGRADE else None,
        period_ends_at=period_end,
        access_until=period_end if is_ending else None,
        has_debt_left=rows.invoice.status == "open" and rows.invoice.amount_remaining > 0,
        is_debt_dropped=rows.invoice.status in DROPPED,
        resumes_at=snapshot.resumes_at if snapshot else None,
        is_restored=snapshot is not None and snapshot.state is FinalActionState.RESTORED,
        paid_at=rows.invoice.paid_at or case.recovered_at,
        receipt_url=rows.invoice.hosted_invoice_url if is_web_link(rows.invoice.hosted_invoice_url) else None,
        promised_for=_promised_for(session, case) if kind in ABOUT_PROMISES else None,
    )


def _amounts(session: Session, rows: Conversation, kind: MailKind, now: datetime) -> tuple[Owed, ...]:
    """One customer with several unpaid invoices is one conversation: a mail that asks for money names them all, but for
    those whose payer has been promised quiet (a note about the invoice, a chosen day, a dispute).
    """
    own = _owed(rows.case, rows.invoice, kind)
    if kind is MailKind.CHOICE_CONFIRMED:
        return _amounts_of_choice(session, rows, kind) or (own,)
    if kind not in ABOUT_DEBT:
        return (own,)
    others = (
        select(RecoveryCase, Invoice)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .where(
            RecoveryCase.customer_id == rows.customer.id,
            RecoveryCase.id != rows.case.id,
            RecoveryCase.state.in_((*OPEN_CASE_STATES, CaseState.EXHAUSTED)),
            Invoice.status == "open",
            Invoice.amount_remaining > 0,
        )
        .order_by(RecoveryCase.failed_at, RecoveryCase.id)
    )
    if kind in CHASING:
        others = others.where(~_is_held(kind, now))
    return (own, *(_owed(case, invoice, kind) for case, invoice in session.execute(others)))


def _amounts_of_choice(session: Session, rows: Conversation, kind: MailKind) -> tuple[Owed, ...]:
    """Everything that was owed for the subscription when its customer chose, but for what has been paid since."""
    chosen_for = cases_of_choice(session, rows.case)
    bills = [(case, session.get_one(Invoice, case.invoice_id)) for case in chosen_for]
    return tuple(_owed(case, invoice, kind) for case, invoice in bills if invoice.status != "paid")


def _is_held(kind: MailKind, now: datetime) -> ColumnElement[bool]:
    """Whether a hold keeps this very case quiet at `now`; those on all of a customer's keep the mail itself back.

    A day is chosen for all debts at once, so the mail that says that it passed names them all.
    """
    counts = Hold.kind != HoldKind.PROMISE if kind is MailKind.PROMISE_BROKEN else true()
    return exists().where(
        counts,
        Hold.case_id == RecoveryCase.id,
        Hold.released_at.is_(None),
        or_(Hold.until.is_(None), Hold.until > now),
    )


def _owed(case: RecoveryCase, invoice: Invoice, kind: MailKind) -> Owed:
    minor = invoice.amount_remaining or case.amount_due
    if kind is MailKind.RECOVERED:
        minor = case.recovered_amount or invoice.amount_paid or case.amount_due
    return Owed(Money(minor, invoice.currency), invoice.number, case.billed_name or invoice.description)


def _card(session: Session, case: RecoveryCase) -> Card | None:
    """The card of the newest attempt."""
    found = session.execute(*_newest_card(case.id)).first()
    return Card(found.brand, found.last4) if found and found.brand and found.last4 else None


@prepared
def _newest_card(case_id: UUID) -> Select[str | None, str | None]:
    return (
        select(PaymentMethod.brand, PaymentMethod.last4)
        .join(
            ChargeAttempt,
            and_(
                ChargeAttempt.payment_method_id == PaymentMethod.stripe_id,
                ChargeAttempt.connection_id == PaymentMethod.connection_id,
            ),
        )
        .where(ChargeAttempt.case_id == case_id)
        .order_by(ChargeAttempt.started_at.desc())
        .limit(1)
    )


def _next_attempt(session: Session, rows: Conversation, now: datetime) -> datetime | None:
    """Our next try if one is planned, else Stripe's own, if it lies ahead."""
    moment = session.scalar(*_planned_try(rows.case.id)) or rows.invoice.next_payment_attempt
    return moment if moment and moment > now else None


@prepared
def _planned_try(case_id: UUID) -> Select[datetime]:
    is_open = Step.state.in_(OPEN_STEP_STATES)
    return select(Step.due_at).where(Step.case_id == case_id, Step.kind == StepKind.RETRY, is_open)


def _promised_for(session: Session, case: RecoveryCase) -> datetime | None:
    """The day that was promised last, whether it stands, was kept or has passed."""
    newest = (
        select(Hold.promised_for)
        .where(
            Hold.customer_id == case.customer_id,
            or_(Hold.case_id == case.id, Hold.case_id.is_(None)),
            Hold.kind == HoldKind.PROMISE,
            Hold.promised_for.is_not(None),
        )
        .order_by(Hold.begins_at.desc())
        .limit(1)
    )
    return session.scalar(newest)


def _final_action(
    session: Session, rows: Conversation, kind: MailKind, now: datetime
) -> tuple[FinalActionKind | None, datetime | None]:
    """What ends the case and when: as done where it is done, else as far as it can be foreseen."""
    snapshot = rows.snapshot
    if snapshot is not None and kind in AFTER_ACTION:
        return snapshot.action, snapshot.restored_at or snapshot.done_at
    return endings.announced(session, rows.case, rows.subscription, now)


def _plan_afterwards(session: Session, case: RecoveryCase, kind: MailKind) -> str | None:
    """What the plan is called that a downgrade leads to, as far as it has been asked."""
    if kind is MailKind.CHOICE_CONFIRMED:
        return plan_chosen(session, case)
    known = select(CaseEntry.data["name"].astext).where(CaseEntry.case_id == case.id, CaseEntry.key == PLAN_NAMED)
    return session.scalar(known)
