"""One conversation: whatever happens in whatever order, nobody gets two mails within the gap, and none after the end.

Sequences of happenings are made up by hypothesis and played on real rows through the real outbox, with a sender that
keeps what it is given and the moment at which it was given it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.campaigns.contact import ContactRules
from app.context import Context
from app.messages import outbox, pauses, recipients
from app.messages.cadence import ANSWERS, ASKED_FOR, CHASING, MailKind
from app.messages.senders.port import OutgoingMail
from app.messages.sweep import sweep_due
from app.models import ChargeAttempt, Connection, Customer, Hold, Invoice, Message, RecoveryCase
from app.vocabulary import AttemptSource, AttemptState, CaseState, HoldKind, RecoveredBy, StopReason
from tests.integration.messages.conftest import TurnedClock
from tests.integration.messages.rows import Rows, write_case, write_rows

RULES = ContactRules()  # what a campaign that says nothing keeps to
BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
OFTEN = sorted(CHASING | {MailKind.FRESH_LINK, MailKind.RECOVERED})


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


class Play:
    """One person with three debts, two of them of one customer and one of a twin with the same address."""

    def __init__(self, context: Context, clock: TurnedClock) -> None:
        self.context, self.clock = context, clock
        self.sender = Kept(clock.now)
        first = write_rows(context.database)
        with context.database.organization(first.organization_id) as session:
            ids = (first.organization_id, first.connection_id, first.version_id)
            second = write_case(session, *ids, customer_id=first.customer_id)
            twin = write_case(session, *ids, email="ANNA.Schmidt@example.com")
        self.debts = [first, second, twin]
        self.ended: dict[int, datetime] = {}
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
            assert MailKind(mail.kind) in ASKED_FOR or not pauses.is_quiet(RULES, at, BERLIN), (at, mail.kind)
        self._check_ends()

    def _check_ends(self) -> None:
        with self.rows() as session:
            cases = dict(session.execute(select(Message.id, Message.case_id)).all())
        ends = {self.debts[debt].case_id: at for debt, at in self.ended.items()}
        for at, mail in self.sender.left:
            end = ends.get(cases[mail.message_id])
            assert mail.kind == MailKind.RECOVERED or end is None or at < end, (mail.kind, at, end)


debts = st.integers(0, 2)
happenings = st.one_of(
    st.tuples(st.just("plan"), debts, st.sampled_from(OFTEN)),
    st.tuples(st.just("plan"), debts, st.sampled_from(OFTEN)),
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.just("pay"), debts),
    st.tuples(st.just("stop"), debts),
    st.tuples(st.just("hold"), debts, st.sampled_from(HoldKind), st.integers(1, 60)),
    st.tuples(st.just("release")),
    st.tuples(st.just("add_contact"), debts),
    st.tuples(st.just("stripe_mails"), debts),
)


@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(happenings, min_size=3, max_size=14))
def test_no_sequence_of_events_writes_twice_within_the_gap_at_night_or_after_the_end(
    make_mail_context: Callable[..., Context], sequence: list[tuple[Any, ...]]
) -> None:
    context = make_mail_context()
    assert isinstance(context.clock, TurnedClock)
    play = Play(context, context.clock)
    for name, *values in sequence:
        getattr(play, name)(*values)
    play.wait(90)
    play.check()


@pytest.fixture
def play(make_mail_context: Callable[..., Context], mail_clock: TurnedClock) -> Play:
    return Play(make_mail_context(), mail_clock)


def test_several_debts_of_one_customer_are_one_mail_that_names_them_all(play: Play) -> None:
    for debt in (0, 1):
        play.plan(debt, MailKind.PAYMENT_FAILED)
    play.wait(80)
    ((_, mail),) = play.sender.left
    assert mail.text.count("49,00") >= 2


def test_a_debt_that_its_payer_was_promised_quiet_about_is_in_no_mail_about_another(play: Play) -> None:
    play.hold(1, HoldKind.DISPUTE, 0, on_case=True)
    play.plan(0, MailKind.REMINDER)
    play.wait(1)
    ((_, mail),) = play.sender.left
    assert (mail.text.count("49,00"), mail.text.count("98,00")) == (1, 0)
    play.wait(1)
    play.release()
    play.plan(1, MailKind.REMINDER)  # nobody has named it yet, so it is said
    play.wait(40)
    assert [later.text.count("98,00") for _, later in play.sender.left[1:]] == [1]


def test_two_contacts_are_two_people_each_with_a_gap_of_their_own(play: Play) -> None:
    play.add_contact(0)
    play.plan(0, MailKind.PAYMENT_FAILED)
    play.wait(1)
    assert sorted(mail.to for _, mail in play.sender.left) == ["anna.schmidt@example.com", "books@partner.example"]


def test_a_contact_that_was_taken_away_gets_nothing_that_was_planned_before(play: Play) -> None:
    play.add_contact(0)
    play.plan(0, MailKind.PAYMENT_FAILED)
    with play.rows() as session:
        recipients.remove(session, session.get_one(Customer, play.debts[0].customer_id), "books@partner.example")
    play.wait(1)
    assert [mail.to for _, mail in play.sender.left] == ["anna.schmidt@example.com"]


def test_stripes_own_failed_tries_count_as_mails_only_where_somebody_said_that_it_writes(
    play: Play,
) -> None:
    from_stripe = _failed_try(play.debts[0], play.clock.now())
    with play.rows() as session:
        session.add(from_stripe)
        session.get_one(Connection, play.debts[0].connection_id).stripe_mails = True
    play.plan(0, MailKind.PAYMENT_FAILED)
    play.wait(1)
    assert play.sender.left == []
    with play.rows() as session:
        session.get_one(Connection, play.debts[0].connection_id).stripe_mails = False
        session.execute(update(Message).values(next_try_at=play.clock.now()))
    play.wait(1)
    assert len(play.sender.left) == 1


def _failed_try(rows: Rows, at: datetime) -> Any:
    return ChargeAttempt(
        organization_id=rows.organization_id,
        connection_id=rows.connection_id,
        case_id=rows.case_id,
        source=AttemptSource.STRIPE,
        state=AttemptState.DECLINED,
        amount=4900,
        currency="eur",
        started_at=at,
        signals={},
        parameters={},
    )
