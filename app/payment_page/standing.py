"""How things stand between one customer and the merchant, read from rows: each bill, its stage, what may be done.

A bill is one unpaid invoice with its case. Refuses to know wording, HTTP and Stripe.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.links import PayLink
from app.messages.cadence import MailKind
from app.messages.facts import Conversation, mail_facts, read_conversation
from app.models import Connection, Customer, Invoice, RecoveryCase, Step, Subscription
from app.money import Money
from app.payment_page import trying
from app.recovery import showing
from app.recovery.facts import attempts_of
from app.recovery.showing import Shown
from app.settings import Settings
from app.vocabulary import (
    OPEN_CASE_STATES,
    OPEN_STEP_STATES,
    CaseState,
    FinalActionKind,
    FinalActionState,
    StepKind,
)
from emails import MailFacts, Owed

ANSWERS_WITHIN = timedelta(minutes=2)  # what takes longer is not worth watching
STAYS_PAID = timedelta(days=1)  # for so long a paid bill is shown beside what is still open
MOST_BILLS = 25
NOT_SHOWN = "not_shown"  # beside the reasons of a decline: a new card was given, but not for this bill
UNDONE_BY_PAYMENT = (FinalActionKind.CANCEL_AT_PERIOD_END, FinalActionKind.DOWNGRADE, FinalActionKind.PAUSE)


class Stage(StrEnum):
    """Where one bill is, as its payer sees it."""

    OWED = "owed"
    NEEDS_APPROVAL = "needs_approval"
    CARD_SAVED = "card_saved"
    WORKING = "working"
    SLOW = "slow"
    PAID = "paid"
    NOTHING_DUE = "nothing_due"


TO_SETTLE = (Stage.OWED, Stage.NEEDS_APPROVAL)
OVER = (Stage.PAID, Stage.NOTHING_DUE)


@dataclass(frozen=True)
class Bill:
    """One invoice on the page. `next_try_at` is set where a try lies ahead."""

    case_id: UUID
    invoice_stripe_id: str
    stage: Stage
    money: Money
    title: str | None
    number: str | None
    reason: str
    next_try_at: datetime | None
    refreshed_at: datetime
    receipt_url: str | None
    can_try_again: bool


@dataclass(frozen=True)
class Standing:
    """Everything the page may show. Bills are oldest first; `facts` speak of what is to be settled now, if anything."""

    connection: Connection
    customer: Customer
    bills: tuple[Bill, ...]
    facts: MailFacts
    ended_by: FinalActionKind | None
    is_being_restored: bool
    renews_at: datetime | None

    def at(self, *stages: Stage) -> tuple[Bill, ...]:
        """The bills in these stages."""
        return tuple(bill for bill in self.bills if bill.stage in stages)

    @property
    def owed(self) -> tuple[Bill, ...]:
        """What is still to be paid."""
        return tuple(bill for bill in self.bills if bill.stage not in OVER)

    @property
    def spoken_of(self) -> tuple[Bill, ...]:
        """The bills that the page's amounts are the sum of: what is to be settled now, else what is still open."""
        return self.at(*TO_SETTLE) or self.owed

    @property
    def asked_for(self) -> Shown:
        """What the page asks its reader to pay, by invoice; nothing else may be charged on their click."""
        return {bill.invoice_stripe_id: bill.money for bill in self.spoken_of}

    @property
    def can_try_again(self) -> bool:
        """Whether the card on file may be charged for any bill now because its holder asks for it."""
        return any(bill.can_try_again for bill in self.bills)


def read_standing(session: Session, settings: Settings, link: PayLink, now: datetime) -> Standing:
    """How things stand for the customer behind `link`, as this transaction sees it."""
    case = session.get_one(RecoveryCase, link.case_id)
    rows = read_conversation(session, case)
    bills = tuple(_bill(session, *row, now=now) for row in _cases_of(session, case, now))
    to_settle = tuple(bill for bill in bills if bill.stage in TO_SETTLE)
    owed = tuple(bill for bill in bills if bill.stage not in OVER)
    paid = tuple(bill for bill in bills if bill.stage is Stage.PAID)
    spoken_of = to_settle or owed or paid
    is_ended = case.state is CaseState.EXHAUSTED and _is_done(rows)
    kind = MailKind.SUBSCRIPTION_CHANGED if is_ended else MailKind.REMINDER
    facts = mail_facts(session, settings, rows, kind, now)
    tries = [bill.next_try_at for bill in owed if bill.next_try_at]
    return Standing(
        connection=session.get_one(Connection, case.connection_id),
        customer=rows.customer,
        bills=bills,
        facts=replace(facts, amounts=tuple(map(_owed, spoken_of)), next_attempt_at=min(tries, default=None)),
        ended_by=rows.snapshot.action if rows.snapshot and is_ended else None,
        is_being_restored=case.state is CaseState.RECOVERED and _is_done(rows) and _can_be_undone(rows),
        renews_at=_renewal(rows.subscription, now),
    )


def _cases_of(
    session: Session, own: RecoveryCase, now: datetime
) -> list[tuple[RecoveryCase, Invoice, Subscription | None]]:
    is_shown = (
        (RecoveryCase.id == own.id)
        | RecoveryCase.state.in_((*OPEN_CASE_STATES, CaseState.EXHAUSTED))
        | (RecoveryCase.recovered_at > now - STAYS_PAID)
    )
    query = (
        select(RecoveryCase, Invoice, Subscription)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .outerjoin(Subscription, Subscription.id == RecoveryCase.subscription_id)
        .where(RecoveryCase.customer_id == own.customer_id, is_shown)
        .order_by(RecoveryCase.failed_at, RecoveryCase.id)
        .limit(MOST_BILLS)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def _bill(
    session: Session, case: RecoveryCase, invoice: Invoice, subscription: Subscription | None, *, now: datetime
) -> Bill:
    retry = session.scalar(
        select(Step).where(Step.case_id == case.id, Step.kind == StepKind.RETRY, Step.state.in_(OPEN_STEP_STATES))
    )
    attempts = attempts_of(session, case)
    last_at = attempts[-1].started_at if attempts else None
    stage = _stage(case, invoice, retry, last_at, now)
    is_news = stage is Stage.CARD_SAVED and _is_unshown(session, case, invoice, now)
    stage = Stage.OWED if is_news else stage
    minor = invoice.amount_remaining if stage not in OVER else case.recovered_amount or case.amount_due
    ahead = (retry.due_at if retry else None) or invoice.next_payment_attempt
    return Bill(
        case_id=case.id,
        invoice_stripe_id=invoice.stripe_id,
        stage=stage,
        money=Money(minor, invoice.currency),
        title=(subscription.plan_name if subscription else None) or invoice.description,
        number=invoice.number,
        reason=NOT_SHOWN if is_news else case.customer_reason,
        next_try_at=ahead if ahead and ahead > now and case.state is CaseState.WAITING else None,
        refreshed_at=invoice.refreshed_at,
        receipt_url=invoice.hosted_invoice_url if stage is Stage.PAID else None,
        can_try_again=stage is Stage.OWED and trying.may_ask(session, case, attempts, now),
    )


def _stage(
    case: RecoveryCase, invoice: Invoice, retry: Step | None, last_try_at: datetime | None, now: datetime
) -> Stage:
    if case.state is CaseState.RECOVERED or invoice.status == "paid":
        return Stage.PAID
    if case.state is CaseState.CLOSED or invoice.status != "open" or invoice.amount_remaining <= 0:
        return Stage.NOTHING_DUE
    if case.state is CaseState.CHARGING:
        return _watched(last_try_at, now)
    if retry is not None and retry.due_at <= now:
        return _watched(retry.due_at, now)
    if case.state is CaseState.NEEDS_CUSTOMER and case.customer_reason == "needs_approval":
        return Stage.NEEDS_APPROVAL
    is_untried = case.new_card_at is not None and (last_try_at is None or last_try_at < case.new_card_at)
    return Stage.CARD_SAVED if is_untried and case.state is CaseState.WAITING else Stage.OWED


def _is_unshown(session: Session, case: RecoveryCase, invoice: Invoice, now: datetime) -> bool:
    """Whether the new card was given on a page that did not show this invoice, so that its payer must hear first."""
    until = showing.waits_until(session, case, invoice)
    return until is not None and until > now


def _watched(since: datetime | None, now: datetime) -> Stage:
    return Stage.WORKING if since is None or now - since < ANSWERS_WITHIN else Stage.SLOW


def _owed(bill: Bill) -> Owed:
    return Owed(bill.money, bill.number, bill.title)


def _is_done(rows: Conversation) -> bool:
    return rows.snapshot is not None and rows.snapshot.state is FinalActionState.DONE


def _can_be_undone(rows: Conversation) -> bool:
    return rows.snapshot is not None and rows.snapshot.action in UNDONE_BY_PAYMENT


def _renewal(subscription: Subscription | None, now: datetime) -> datetime | None:
    """When the next payment is due, if the subscription simply goes on."""
    if subscription is None or subscription.cancel_at_period_end or subscription.status not in ("active", "past_due"):
        return None
    end = subscription.current_period_end
    return end if end and end > now else None
