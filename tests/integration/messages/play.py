"""One person with three debts, to whom anything may happen: played on real rows through the real outbox, and looked at
afterwards. The sender keeps what it is given and when.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from app.campaigns.contact import ContactRules
from app.context import Context
from app.messages import outbox, pauses, recipients, suppression
from app.messages.cadence import ANSWERS, ASKED_FOR, CAN_BE_REFUSED, CHASING, MailKind
from app.messages.senders.port import OutgoingMail
from app.messages.sweep import sweep_due
from app.messages.words import SuppressedBecause
from app.models import Customer, Hold, Invoice, Message, RecoveryCase, SubscriptionSnapshot
from app.vocabulary import CaseState, FinalActionKind, FinalActionState, HoldKind, RecoveredBy, StopReason
from tests.integration.messages.conftest import TurnedClock
from tests.integration.messages.rows import write_case, write_rows

RULES = ContactRules()  # what a campaign that says nothing keeps to
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
CHANGES = (MailKind.SUBSCRIPTION_CHANGED, MailKind.CHOICE_CONFIRMED)


@dataclass
class Kept:
    """A sender that keeps mails with the moment of their leaving."""

    now: Callable[[], datetime]
    left: list[tuple[datetime, OutgoingMail]] = field(default_factory=list)
    name = "kept"
    delivers_at_once = True

    def send(self, mail: OutgoingMail) -> str:
        self.left.append((self.now(), mail))
        return str(len(self.left))


@dataclass
class Held:
    """A hold as it was placed; an open end lasts until it is released."""

    customer_id: UUID
    case_id: UUID | None
    begins_at: datetime
    until: datetime | None

    def lies_on(self, message: Message, at: datetime) -> bool:
        is_theirs = self.customer_id == message.customer_id and self.case_id in (None, message.case_id)
        return is_theirs and self.begins_at < at and (self.until is None or at < self.until)


class Play:
    """One person with three debts, two of them of one customer and one of a twin with the same address."""

    def __init__(self, context: Context, clock: TurnedClock, zone: ZoneInfo = BERLIN) -> None:
        self.context, self.clock, self.zone = context, clock, zone
        self.sender = Kept(clock.now)
        first = write_rows(context.database, timezone=zone.key)
        with context.database.organization(first.organization_id) as session:
            ids = (first.organization_id, first.connection_id, first.version_id)
            second = write_case(session, *ids, customer_id=first.customer_id)
            twin = write_case(session, *ids, email="ANNA.Schmidt@example.com", timezone=zone.key)
        self.debts = [first, second, twin]
        self.ended: dict[int, datetime] = {}
        self.taken: dict[int, datetime] = {}
        self.silenced: dict[SuppressedBecause, datetime] = {}
        self.held: list[Held] = []
        self.bills: dict[UUID, datetime | None] = {}
        self.count = 0

    def plan(self, debt: int, kind: MailKind) -> None:
        self.count += 1
        with self.rows() as session:
            case = session.get_one(RecoveryCase, self.debts[debt].case_id)
            key = f"{kind}:{self.count}"
            outbox.queue_for_all(session, case=case, key=key, kind=kind, step_id=None, now=self.clock.now())

    def pay(self, debt: int) -> None:
        self._end(
            debt, "paid", state=CaseState.RECOVERED, recovered_at=self.clock.now(), recovered_by=RecoveredBy.RETRY
        )

    def stop(self, debt: int) -> None:
        self._end(debt, "void", state=CaseState.CLOSED, closed_at=self.clock.now(), stop_reason=StopReason.CANCELLED)

    def hold(self, debt: int, kind: HoldKind, hours: int, *, on_case: bool = False) -> None:
        self.count += 1
        rows = self.debts[debt]
        until = None if kind is HoldKind.DISPUTE else self.clock.now() + hours * HOUR
        self.held.append(Held(rows.customer_id, rows.case_id if on_case else None, self.clock.now(), until))
        with self.rows() as session:
            session.add(
                Hold(
                    organization_id=rows.organization_id,
                    customer_id=rows.customer_id,
                    case_id=rows.case_id if on_case else None,
                    kind=kind,
                    key=f"hold:{self.count}",
                    reason="a test",
                    begins_at=self.clock.now(),
                    until=until,
                    created_by="test",
                )
            )

    def release(self) -> None:
        with self.rows() as session:
            session.execute(update(Hold).where(Hold.released_at.is_(None)).values(released_at=self.clock.now()))
        for held in self.held:
            held.until = min(held.until or self.clock.now(), self.clock.now())

    def promise(self, debt: int, hours: int) -> None:
        """The customer picks a day, which is confirmed at once."""
        rows, now = self.debts[debt], self.clock.now()
        if debt in self.ended:
            return
        hold_id, until = uuid4(), now + hours * HOUR
        self.held.append(Held(rows.customer_id, rows.case_id, now, until))
        with self.rows() as session:
            promise = Hold(
                id=hold_id,
                organization_id=rows.organization_id,
                customer_id=rows.customer_id,
                case_id=rows.case_id,
                kind=HoldKind.PROMISE,
                key=f"promise:{hold_id}",
                reason="a test",
                begins_at=now,
                promised_for=until,
                until=until,
                created_by="the customer",
            )
            session.add(promise)
            kind, case = MailKind.PROMISE_CONFIRMED, session.get_one(RecoveryCase, rows.case_id)
            outbox.queue(session, case=case, key=f"{kind}:{hold_id}", kind=kind, step_id=None, now=now)

    def take(self, debt: int, is_chosen: bool) -> None:
        """The subscription was changed: by the final action, or as the customer chose; both are told."""
        if debt in self.ended or debt in self.taken:
            return
        rows, now = self.debts[debt], self.clock.now()
        self.taken[debt] = now
        with self.rows() as session:
            taken = SubscriptionSnapshot(
                organization_id=rows.organization_id,
                case_id=rows.case_id,
                action=FinalActionKind.PAUSE,
                state=FinalActionState.DONE,
                taken_at=now,
                done_at=now,
                parameters={"chosen": is_chosen, "did": ["subscription"]},
            )
            session.add(taken)
            case = session.get_one(RecoveryCase, rows.case_id)
            case.state, case.exhausted_at = CaseState.EXHAUSTED, now
        self.plan(debt, MailKind.CHOICE_CONFIRMED if is_chosen else MailKind.SUBSCRIPTION_CHANGED)

    def silence(self, why: SuppressedBecause) -> None:
        """The person's address is written to no more, or gets no reminders."""
        with self.rows() as session:
            suppression.suppress(session, "anna.schmidt@example.com", why, self.clock.now())
        self.silenced.setdefault(why, self.clock.now())

    def bill(self, days: int) -> None:
        """An invoice that is paid by hand, with its notices planned for their days."""
        rows, now = self.debts[0], self.clock.now()
        with self.rows() as session:
            customer = session.get_one(Customer, rows.customer_id)
            invoice = Invoice(
                organization_id=rows.organization_id,
                connection_id=rows.connection_id,
                stripe_id=f"in_{uuid4().hex[:14]}",
                customer_stripe_id=customer.stripe_id,
                number=f"BY-HAND-{len(self.bills)}",
                status="open",
                currency="eur",
                amount_due=9900,
                amount_paid=0,
                amount_remaining=9900,
                collection_method="send_invoice",
                due_at=now + timedelta(days=days),
                invoiced_at=now,
                refreshed_at=now,
            )
            session.add(invoice)
            session.flush()
            self.bills[invoice.id] = None
            for kind in (MailKind.INVOICE_DUE_SOON, MailKind.INVOICE_DUE, MailKind.INVOICE_OVERDUE):
                key = f"{kind}:{invoice.stripe_id}"
                outbox.queue_notice(session, customer=customer, about=invoice, key=key, kind=kind, now=now)

    def pay_bills(self) -> None:
        with self.rows() as session:
            for invoice_id in [each for each, paid_at in self.bills.items() if paid_at is None]:
                invoice = session.get_one(Invoice, invoice_id)
                invoice.status, invoice.amount_remaining = "paid", 0
                self.bills[invoice_id] = self.clock.now()

    def add_contact(self, debt: int) -> None:
        with self.rows() as session:
            customer = session.get_one(Customer, self.debts[debt].customer_id)
            recipients.add(session, customer, "books@partner.example", by="test", now=self.clock.now())

    def stripe_mails(self, debt: int) -> None:
        with self.rows() as session:
            session.get_one(Invoice, self.debts[debt].invoice_id).mailed_at = self.clock.now()

    def wait(self, hours: int) -> None:
        """Let time go by, with a sweep every hour."""
        for _ in range(hours):
            self.clock.turn(HOUR)
            with self.context.database.system() as session:
                due = sweep_due(session, self.clock.now(), 50)
            for organization_id, message_id in due:
                outbox.deliver(self.context, organization_id, message_id, self.sender)

    def rows(self) -> Any:
        return self.context.database.organization(self.debts[0].organization_id)

    def _end(self, debt: int, status: str, **case: Any) -> None:
        if debt in self.ended:
            return
        self.ended[debt] = self.clock.now()
        with self.rows() as session:
            invoice = session.get_one(Invoice, self.debts[debt].invoice_id)
            invoice.status, invoice.amount_remaining = status, 0
            row = session.get_one(RecoveryCase, self.debts[debt].case_id)
            for name, value in case.items():
                setattr(row, name, value)

    def check(self) -> None:
        """Hold every mail that left against the rules."""
        by_person: dict[str, list[tuple[datetime, MailKind]]] = {}
        for at, mail in self.sender.left:
            by_person.setdefault(mail.to.lower(), []).append((at, MailKind(mail.kind)))
        for sent in by_person.values():
            for place, (at, kind) in enumerate(sent):
                if kind in ANSWERS:
                    continue
                before = [one for one, _ in sent[:place]]
                assert not before or at - max(before) >= RULES.gap_hours * HOUR, sent
                lately = [one for one, other in sent[:place] if one > at - pauses.WEEK and other not in ANSWERS]
                assert kind is MailKind.FINAL_NOTICE or len(lately) < RULES.max_per_week, sent
        for at, mail in self.sender.left:
            assert MailKind(mail.kind) in ASKED_FOR or not pauses.is_quiet(RULES, at, self.zone), (at, mail.kind)
        with self.rows() as session:
            messages = {message.id: message for message in session.scalars(select(Message))}
        for at, mail in self.sender.left:
            self._check_ends(at, mail, messages[mail.message_id])
            self._check_silences(at, mail, messages[mail.message_id])

    def _check_ends(self, at: datetime, mail: OutgoingMail, message: Message) -> None:
        """Nothing after the money, nothing that chases after the subscription was changed."""
        kind = MailKind(mail.kind)
        for debt, end in self.ended.items():
            is_news = kind is MailKind.RECOVERED or (kind in CHANGES and debt in self.taken)
            assert message.case_id != self.debts[debt].case_id or is_news or at < end, (kind, at, end)
        for debt, end in self.taken.items():
            is_about = message.case_id == self.debts[debt].case_id
            assert not (is_about and kind in CHASING) or at < end, (kind, at, end)
        paid_at = self.bills.get(message.invoice_id) if message.invoice_id else None
        assert paid_at is None or at < paid_at, (kind, at, paid_at)

    def _check_silences(self, at: datetime, mail: OutgoingMail, message: Message) -> None:
        """No chasing under a hold, and nothing for an address that is closed to it."""
        kind = MailKind(mail.kind)
        if kind in CHASING:
            lying = [held for held in self.held if held.lies_on(message, at)]
            assert lying == [], (kind, at, lying)
        if mail.to.lower() == "anna.schmidt@example.com":
            for why, since in self.silenced.items():
                is_refused = why is not SuppressedBecause.UNSUBSCRIBED or kind in CAN_BE_REFUSED
                assert not is_refused or at < since, (kind, at, why)
