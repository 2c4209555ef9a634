"""The rows that a notice is about: whether what it says is still so, and what it may say. Knows no sender.

A notice has no case. It is about an invoice that its customer pays by hand, or about a subscription whose card expires
before it is charged next.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

import emails
from app.campaigns.contact import ContactRules
from app.links import MailLink, make_notice_url
from app.messages import notice_rules, situation
from app.messages.branding import merchant_of
from app.messages.cadence import MailKind, Situation
from app.messages.correspondence import LEFT
from app.messages.names import first_name
from app.messages.notice_rules import CardInUse, InvoiceByHand, NoticeSettings
from app.messages.words import Reason
from app.messages.zones import read_zone
from app.models import (
    Connection,
    Customer,
    Invoice,
    Message,
    Organization,
    PaymentMethod,
    RecoveryCase,
    Subscription,
)
from app.money import Money
from app.settings import Settings
from app.vocabulary import OPEN_CASE_STATES
from emails import Card, MailFacts, Owed

ABOUT_INVOICES = (MailKind.INVOICE_DUE_SOON, MailKind.INVOICE_DUE, MailKind.INVOICE_OVERDUE)
MOST_NAMED = 20


@dataclass(frozen=True)
class Notice:
    """What one notice is about: an invoice, or a subscription with the card that it charges."""

    organization: Organization
    connection: Connection
    customer: Customer
    invoice: Invoice | None = None
    subscription: Subscription | None = None
    card: PaymentMethod | None = None

    @property
    def locale(self) -> str:
        """BCP 47: the customer's first preferred language that is spoken, else the organization's."""
        return emails.choose_locale(self.customer.locales, self.organization.default_locale)

    @property
    def settings(self) -> NoticeSettings:
        """What this organization tells its customers before anything fails."""
        return settings_of(self.organization)


def settings_of(organization: Organization) -> NoticeSettings:
    """The organization's choice of notices; all of them where it made none."""
    return NoticeSettings.model_validate(organization.notices)


def read_notice(session: Session, message: Message) -> Notice:
    """The rows around a message without a case, as this transaction sees them."""
    customer = session.get_one(Customer, message.customer_id)
    subscription = session.get(Subscription, message.subscription_id) if message.subscription_id else None
    return Notice(
        organization=session.get_one(Organization, message.organization_id),
        connection=session.get_one(Connection, customer.connection_id),
        customer=customer,
        invoice=session.get(Invoice, message.invoice_id) if message.invoice_id else None,
        subscription=subscription,
        card=card_charged(session, customer, subscription) if subscription else None,
    )


def card_charged(session: Session, customer: Customer, subscription: Subscription) -> PaymentMethod | None:
    """The card that Stripe charges for a subscription, in its order of precedence, as far as it was read."""
    wanted = subscription.default_payment_method_id or customer.default_payment_method_id or customer.default_source_id
    found = select(PaymentMethod).where(
        PaymentMethod.connection_id == customer.connection_id, PaymentMethod.stripe_id == wanted
    )
    return session.scalar(found) if wanted else None


def card_in_use(session: Session, subscription: Subscription, customer: Customer) -> CardInUse:
    """A subscription and its card as the rules see them."""
    card = card_charged(session, customer, subscription)
    is_card = card is not None and card.type == "card"
    open_case = select(RecoveryCase.id).where(
        RecoveryCase.customer_id == customer.id, RecoveryCase.state.in_(OPEN_CASE_STATES)
    )
    return CardInUse(
        exp_month=card.exp_month if card and is_card else None,
        exp_year=card.exp_year if card and is_card else None,
        charged_at=subscription.current_period_end,
        subscription_status=subscription.status,
        is_ending=subscription.cancel_at_period_end or subscription.canceled_at is not None,
        is_paused=subscription.pause_collection is not None,
        is_by_hand=subscription.collection_method == notice_rules.BY_HAND,
        has_open_case=session.scalar(open_case.limit(1)) is not None,
    )


def invoice_by_hand(session: Session, invoice: Invoice, zone: tzinfo) -> InvoiceByHand:
    """An invoice of somebody who lives in `zone` as the rules see it."""
    case = select(RecoveryCase.id).where(RecoveryCase.invoice_id == invoice.id)
    return InvoiceByHand(
        status=invoice.status,
        amount_remaining=invoice.amount_remaining,
        due_at=invoice.due_at,
        zone=zone,
        is_by_hand=invoice.collection_method == notice_rules.BY_HAND,
        has_case=session.scalar(case) is not None,
    )


def read_situation(session: Session, notice: Notice, message: Message, now: datetime) -> Situation:
    """The situation of a message without a case at `now`."""
    rules = situation.standing_rules(session)
    person = situation.of_person(session, notice.connection, notice.customer, message, rules, now)
    return Situation(
        **person,
        kind=MailKind(message.kind),
        due_at=situation.due_at(session, message),
        untrue=_why_untrue(session, notice, message, now) or _why_named(session, notice, message, rules),
        holds=situation.holds_on(session, notice.customer, None, now),
    )


def notice_facts(session: Session, settings: Settings, notice: Notice, message: Message, now: datetime) -> MailFacts:
    """What a notice may say at `now`. Raises `SettingsIncomplete` and `emails.UnsafeLink`."""
    organization, invoice, subscription, card = notice.organization, notice.invoice, notice.subscription, notice.card
    link = MailLink(message.organization_id, message.id)
    return MailFacts(
        merchant=merchant_of(organization, settings.base_url()),
        pay_url=make_notice_url(settings.base_url(), settings.require("secret_key"), link),
        amounts=_amounts(session, notice, now),
        customer_first_name=first_name(notice.customer.name, notice.locale),
        locale=notice.locale,
        timezone=str(read_zone(session, notice.customer, organization)),
        card=_named(card),
        product_name=subscription.plan_name if subscription else None,
        invoice_number=invoice.number if invoice else None,
        is_about_subscription=subscription is not None,
        invoice_due_at=invoice.due_at if invoice else None,
        next_charge_at=subscription.current_period_end if subscription else None,
    )


def invoices_to_pay(session: Session, notice: Notice, now: datetime) -> list[Invoice]:
    """The notice's own invoice while it is open, then the customer's other open ones that are due soon or over."""
    query = select(Invoice).where(
        Invoice.connection_id == notice.connection.id,
        Invoice.customer_stripe_id == notice.customer.stripe_id,
        Invoice.status == "open",
        Invoice.collection_method == notice_rules.BY_HAND,
        Invoice.amount_remaining > 0,
        Invoice.due_at < _horizon(notice, now),
    )
    found = list(session.scalars(query.order_by(Invoice.due_at, Invoice.id).limit(MOST_NAMED)))
    own = notice.invoice
    if own is None or own.status != "open" or own.amount_remaining <= 0:
        return found
    return [own, *(one for one in found if one.id != own.id)]


def _named(card: PaymentMethod | None) -> Card | None:
    if card is None or not card.brand or not card.last4:
        return None
    return Card(card.brand, card.last4, card.exp_month, card.exp_year)


def _why_untrue(session: Session, notice: Notice, message: Message, now: datetime) -> Reason | None:
    if notice.subscription is not None:
        card = card_in_use(session, notice.subscription, notice.customer)
        return notice_rules.why_card_is_no_news(card, notice.settings, now)
    if notice.invoice is None:
        return Reason.STOPPED
    zone = read_zone(session, notice.customer, notice.organization)
    why = notice_rules.why_invoice_is_no_news(invoice_by_hand(session, notice.invoice, zone), notice.settings)
    return why or notice_rules.why_kind_is_over(MailKind(message.kind), notice.invoice.due_at, now, zone)


def _why_named(session: Session, notice: Notice, message: Message, rules: ContactRules) -> Reason | None:
    """Another invoice's notice of the same kind has just named this one, too: several are one mail."""
    if notice.invoice is None or notice.invoice.due_at is None:
        return None
    query = select(func.max(Message.claimed_at)).where(
        Message.customer_id == notice.customer.id,
        Message.addressee.is_not_distinct_from(message.addressee),
        Message.case_id.is_(None),
        Message.kind == message.kind,
        Message.invoice_id != message.invoice_id,
        Message.state.in_(LEFT),
        Message.claimed_at >= situation.due_at(session, message) - timedelta(hours=rules.gap_hours),
    )
    named_at = session.scalar(query)
    is_named = named_at is not None and notice.invoice.due_at < _horizon(notice, named_at)
    return Reason.NAMED_ELSEWHERE if is_named else None


def _amounts(session: Session, notice: Notice, now: datetime) -> tuple[Owed, ...]:
    """Every open invoice that is paid by hand and due soon or over, the notice's own first. What a card will be charged
    is not said: quantities, taxes and discounts of an invoice to come are not known here."""
    own = notice.invoice
    if own is None:
        return ()
    found = invoices_to_pay(session, notice, now)
    return tuple(Owed(Money(one.amount_remaining, one.currency), one.number, one.description) for one in found)


def _horizon(notice: Notice, at: datetime) -> datetime:
    """Until when an invoice is due that a notice written at `at` names."""
    return at + timedelta(days=max(notice.settings.due_soon_days, 1))
