"""How things stand between one customer and the merchant, read from rows: every bill, and what may be said of them.

Refuses to know wording, HTTP and Stripe.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.links import PayLink
from app.messages.cadence import MailKind
from app.messages.facts import Conversation, mail_facts, read_conversation
from app.models import Connection, Customer, Invoice, RecoveryCase, Subscription
from app.payment_page.bills import OVER, TO_SETTLE, Bill, CardUse, Stage, card_use, read_bill
from app.payment_page.offers import Offers, read_offers
from app.recovery.facts import find_hold, find_method_in_force
from app.recovery.showing import Shown
from app.settings import Settings
from app.vocabulary import OPEN_CASE_STATES, CaseState, FinalActionKind, FinalActionState
from emails import Card, FinalAction, MailFacts, Owed

STAYS_PAID = timedelta(days=1)  # for so long a paid bill is shown beside what is still open
MOST_BILLS = 25
UNDONE_BY_PAYMENT = (FinalActionKind.CANCEL_AT_PERIOD_END, FinalActionKind.DOWNGRADE, FinalActionKind.PAUSE)


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
    offers: Offers
    card: Card | None

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
    def card_use(self) -> CardUse:
        """When a card given on the page pays what it asks for."""
        return card_use(self.spoken_of)

    @property
    def is_card_for_later(self) -> bool:
        """Whether a card given now is only kept for the time being."""
        return self.card_use in (CardUse.LATER, CardUse.AFTER_DISPUTE)

    @property
    def held_until(self) -> datetime | None:
        """When the last of the holds on what the page asks for ends, where that is known of all of them."""
        ends = [bill.held_until for bill in self.spoken_of if bill.held]
        return None if None in ends else max((end for end in ends if end), default=None)

    @property
    def can_try_again(self) -> bool:
        """Whether the card on file may be charged for any bill now because its holder asks for it."""
        return any(bill.can_try_again for bill in self.bills)


def read_standing(session: Session, settings: Settings, link: PayLink, now: datetime) -> Standing:
    """How things stand for the customer behind `link`, as this transaction sees it."""
    case = session.get_one(RecoveryCase, link.case_id)
    rows = read_conversation(session, case)
    bills = tuple(read_bill(session, *row, now) for row in _cases_of(session, case, now))
    to_settle = tuple(bill for bill in bills if bill.stage in TO_SETTLE)
    owed = tuple(bill for bill in bills if bill.stage not in OVER)
    paid = tuple(bill for bill in bills if bill.stage is Stage.PAID)
    spoken_of = to_settle or owed or paid
    is_ended = case.state is CaseState.EXHAUSTED and _has_changed(rows) and not _is_chosen(rows)
    kind = MailKind.SUBSCRIPTION_CHANGED if is_ended else MailKind.REMINDER
    facts = mail_facts(session, settings, rows, kind, now)
    if _is_end_suspended(session, case, facts.final_action_at, now):
        facts = replace(facts, final_action_at=None)
    offers = read_offers(session, case, bills, now)
    tries = [bill.next_try_at for bill in owed if bill.next_try_at]
    return Standing(
        connection=session.get_one(Connection, case.connection_id),
        customer=rows.customer,
        bills=bills,
        facts=replace(facts, amounts=tuple(map(_owed, spoken_of)), next_attempt_at=min(tries, default=None)),
        ended_by=None if offers.chosen else _ended_by(rows, facts),
        is_being_restored=case.state is CaseState.RECOVERED
        and _has_changed(rows)
        and _can_be_undone(rows)
        and not _is_chosen(rows),
        renews_at=_renewal(rows.subscription, now),
        offers=offers,
        card=_card_on_file(session, case),
    )


def _cases_of(session: Session, own: RecoveryCase, now: datetime) -> list[tuple[RecoveryCase, Invoice]]:
    is_shown = (
        (RecoveryCase.id == own.id)
        | RecoveryCase.state.in_((*OPEN_CASE_STATES, CaseState.EXHAUSTED))
        | (RecoveryCase.recovered_at > now - STAYS_PAID)
    )
    query = (
        select(RecoveryCase, Invoice)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .where(RecoveryCase.customer_id == own.customer_id, is_shown)
        .order_by(RecoveryCase.failed_at, RecoveryCase.id)
        .limit(MOST_BILLS)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def _owed(bill: Bill) -> Owed:
    return Owed(bill.money, bill.number, bill.title)


def _ended_by(rows: Conversation, facts: MailFacts) -> FinalActionKind | None:
    """What has ended the case; `leave` where nothing was, or will be, taken: trying has stopped, and that is all."""
    if rows.case.state is not CaseState.EXHAUSTED or _is_chosen(rows):
        return None
    if rows.snapshot is not None and _has_changed(rows):
        return rows.snapshot.action
    is_still_to_come = facts.final_action_at is not None and facts.final_action is not FinalAction.LEAVE
    return None if is_still_to_come else FinalActionKind.LEAVE


def _has_changed(rows: Conversation) -> bool:
    """Whether the final action took something from the subscription."""
    snapshot = rows.snapshot
    return snapshot is not None and snapshot.state is FinalActionState.DONE and snapshot.has_changed_subscription


def _is_chosen(rows: Conversation) -> bool:
    return rows.snapshot is not None and rows.snapshot.is_chosen


def _card_on_file(session: Session, case: RecoveryCase) -> Card | None:
    """The card that one more try would charge."""
    method = find_method_in_force(session, case)
    return Card(method.brand, method.last4) if method and method.brand and method.last4 else None


def _is_end_suspended(session: Session, case: RecoveryCase, ends_at: datetime | None, now: datetime) -> bool:
    """Whether a hold outlasts the day on which the case would end: then nobody knows the day."""
    hold = find_hold(session, case, now) if ends_at and case.state in OPEN_CASE_STATES else None
    return hold is not None and ends_at is not None and (hold.until is None or hold.until > ends_at)


def _can_be_undone(rows: Conversation) -> bool:
    return rows.snapshot is not None and rows.snapshot.action in UNDONE_BY_PAYMENT


def _renewal(subscription: Subscription | None, now: datetime) -> datetime | None:
    """When the next payment is due, if the subscription simply goes on."""
    if subscription is None or subscription.cancel_at_period_end or subscription.pause_collection is not None:
        return None
    if subscription.status not in ("active", "past_due"):
        return None
    end = subscription.current_period_end
    return end if end and end > now else None
