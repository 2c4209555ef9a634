"""How things stand between one customer and the merchant, read from rows: every bill, and what may be said of them.

Refuses to know wording, HTTP and Stripe.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.links import PayLink
from app.messages.cadence import MailKind
from app.messages.facts import Conversation, mail_facts, read_conversation
from app.models import Connection, Customer, Invoice, RecoveryCase, Subscription, SubscriptionSnapshot
from app.payment_page.bills import OVER, TO_SETTLE, Bill, CardUse, Stage, card_use, read_bill, spoken_of
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
    """Everything the page may show. Bills are oldest first; `facts` speak of what is to be settled now, if anything,
    and tell the story of `first`, which is the bill of the link itself wherever it can be.
    """

    connection: Connection
    customer: Customer
    bills: tuple[Bill, ...]
    first: Bill | None
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
        """The bills that the page's amounts are the sum of."""
        return spoken_of(self.bills)

    @property
    def to_settle(self) -> tuple[Bill, ...]:
        """The bills that the page asks its reader to do something about."""
        return tuple(bill for bill in self.spoken_of if bill.stage in TO_SETTLE)

    @property
    def waiting(self) -> tuple[Bill, ...]:
        """The bills whose bank waits for its customer."""
        return tuple(bill for bill in self.spoken_of if bill.stage is Stage.NEEDS_APPROVAL)

    @property
    def resting(self) -> tuple[Bill, ...]:
        """The bills that are listed apart, because nothing is charged for them now and the page speaks of others."""
        return tuple(bill for bill in self.owed if bill.rests and bill not in self.spoken_of)

    @property
    def listed(self) -> tuple[Bill, ...]:
        """The bills that are listed with the page's sum: those it is the sum of, and those that are under way."""
        return tuple(bill for bill in self.owed if bill not in self.resting)

    @property
    def is_asked(self) -> bool:
        """Whether the customer's own notes keep everything at rest that the page speaks of."""
        return bool(self.spoken_of) and all(bill.rests and bill.is_asked for bill in self.spoken_of)

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
        """When what the page asks for stops resting, where that is one moment for all of it."""
        ends = {bill.held_until for bill in self.spoken_of if bill.rests}
        return ends.pop() if len(ends) == 1 else None

    @property
    def their_try_at(self) -> datetime | None:
        """The first moment at which Stripe tries by itself, where it does, whatever rests with us."""
        return min((bill.their_try_at for bill in self.owed if bill.their_try_at), default=None)

    @property
    def can_be_tried(self) -> tuple[Bill, ...]:
        """The bills for which the card on file may be charged now because its holder asks for it."""
        return tuple(bill for bill in self.spoken_of if bill.can_try_again)

    def about(self, bills: Iterable[Bill]) -> "Standing":
        """The same, with amounts that are the sum of `bills`."""
        return replace(self, facts=replace(self.facts, amounts=tuple(map(_owed, bills))))


def read_standing(session: Session, settings: Settings, link: PayLink, now: datetime) -> Standing:
    """How things stand for the customer behind `link`, as this transaction sees it."""
    own = session.get_one(RecoveryCase, link.case_id)
    bills = tuple(read_bill(session, *row, now) for row in _cases_of(session, own, now))
    speaks_of = spoken_of(bills)
    first = _first(speaks_of, own)
    case = session.get_one(RecoveryCase, first.case_id) if first else own
    rows = _read_rows(session, case)
    is_ended = case.state is CaseState.EXHAUSTED and _has_changed(rows) and not _is_chosen(rows)
    kind = MailKind.SUBSCRIPTION_CHANGED if is_ended else MailKind.REMINDER
    facts = mail_facts(session, settings, rows, kind, now)
    if _is_end_suspended(session, case, facts.final_action_at, now):
        facts = replace(facts, final_action_at=None)
    offers = read_offers(session, own, bills, now)
    tries = [bill.next_try_at for bill in bills if bill.next_try_at]
    amounts = speaks_of or tuple(bill for bill in bills if bill.stage is Stage.PAID)
    of_link = rows if case is own else read_conversation(session, own)
    return Standing(
        connection=session.get_one(Connection, case.connection_id),
        customer=rows.customer,
        bills=bills,
        first=first,
        facts=replace(facts, amounts=tuple(map(_owed, amounts)), next_attempt_at=min(tries, default=None)),
        ended_by=None if offers.chosen else _ended_by(rows, facts),
        is_being_restored=own.state is CaseState.RECOVERED
        and _has_changed(of_link)
        and _can_be_undone(of_link)
        and not _is_chosen(of_link),
        renews_at=_renewal(of_link.subscription, now),
        offers=offers,
        card=_card_on_file(session, case),
    )


def _first(bills: Sequence[Bill], own: RecoveryCase) -> Bill | None:
    """The bill whose story is told: one that waits for its customer before others, that of the link if it is among
    them."""
    waiting = [bill for bill in bills if bill.stage is Stage.NEEDS_APPROVAL] or bills
    return next((bill for bill in waiting if bill.case_id == own.id), waiting[0] if waiting else None)


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


def _read_rows(session: Session, case: RecoveryCase) -> Conversation:
    """The rows around a case; where another debt of the same subscription has ended that, with what was taken then."""
    rows = read_conversation(session, case)
    if case.state is not CaseState.EXHAUSTED or _has_changed(rows) or case.subscription_id is None:
        return rows
    done = (
        select(SubscriptionSnapshot)
        .join(RecoveryCase, RecoveryCase.id == SubscriptionSnapshot.case_id)
        .where(
            RecoveryCase.subscription_id == case.subscription_id,
            SubscriptionSnapshot.state == FinalActionState.DONE,
        )
        .order_by(SubscriptionSnapshot.done_at.desc())
    )
    taken = [one for one in session.scalars(done) if one.has_changed_subscription and not one.is_chosen]
    return replace(rows, snapshot=taken[0]) if taken else rows


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
