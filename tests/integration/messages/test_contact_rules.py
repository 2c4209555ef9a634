"""One conversation: whatever happens in whatever order, nobody gets two mails within the gap, and none after the end.

Sequences of happenings are made up by hypothesis and played (`play`) in several zones, also in the weeks in which the
clocks change.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from app.context import Context
from app.messages import recipients
from app.messages.cadence import CHASING, MailKind
from app.messages.words import SuppressedBecause
from app.models import ChargeAttempt, Connection, Customer, Message
from app.vocabulary import AttemptSource, AttemptState, HoldKind
from tests.integration.messages.conftest import TurnedClock
from tests.integration.messages.play import BERLIN, Play
from tests.integration.messages.rows import START, Rows

ZONES = (BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo"))
BEGINS = (0, 53, 59)  # days: an ordinary week, and those in which the clocks change in Europe and in America
OFTEN = sorted(CHASING | {MailKind.FRESH_LINK, MailKind.RECOVERED})

debts = st.integers(0, 2)
happenings = st.one_of(
    st.tuples(st.just("plan"), debts, st.sampled_from(OFTEN)),
    st.tuples(st.just("plan"), debts, st.sampled_from(OFTEN)),
    st.tuples(st.just("wait"), st.integers(1, 40)),
    st.tuples(st.just("pay"), debts),
    st.tuples(st.just("stop"), debts),
    st.tuples(st.just("hold"), debts, st.sampled_from(HoldKind), st.integers(1, 60)),
    st.tuples(st.just("release")),
    st.tuples(st.just("promise"), debts, st.integers(1, 60)),
    st.tuples(st.just("take"), debts, st.booleans()),
    st.tuples(st.just("silence"), st.sampled_from(SuppressedBecause)),
    st.tuples(st.just("bill"), st.integers(1, 4)),
    st.tuples(st.just("pay_bills")),
    st.tuples(st.just("add_contact"), debts),
    st.tuples(st.just("stripe_mails"), debts),
)


@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(happenings, min_size=3, max_size=14), st.sampled_from(ZONES), st.sampled_from(BEGINS))
def test_no_sequence_of_events_writes_twice_within_the_gap_at_night_or_after_the_end(
    make_mail_context: Callable[..., Context], sequence: list[tuple[Any, ...]], zone: ZoneInfo, days: int
) -> None:
    clock = TurnedClock(START + timedelta(days=days))
    play = Play(replace(make_mail_context(), clock=clock), clock, zone)
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
