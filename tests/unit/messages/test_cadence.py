"""Whether a mail may go: examples for each reason, and what holds for every situation there can be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import emails
from app.campaigns.contact import ContactRules
from app.messages import pauses
from app.messages.cadence import (
    ANSWERS,
    ASKED_FOR,
    CAN_BE_REFUSED,
    CHASING,
    NOTICES,
    SENSIBLE_FOR,
    CurrentHold,
    Later,
    MailKind,
    Send,
    Situation,
    Skip,
    Written,
    decide,
)
from app.messages.words import Reason, SuppressedBecause
from app.vocabulary import CaseState, ConnectionStatus, FinalActionState, HoldKind

NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
ASKING = Situation(
    kind=MailKind.PAYMENT_FAILED,
    due_at=NOW,
    address="anna@example.com",
    case_state=CaseState.WAITING,
    invoice_status="open",
)
THANKS = replace(ASKING, kind=MailKind.RECOVERED, case_state=CaseState.RECOVERED, invoice_status="paid")
CHANGED = replace(
    ASKING,
    kind=MailKind.SUBSCRIPTION_CHANGED,
    case_state=CaseState.EXHAUSTED,
    final_action=FinalActionState.DONE,
    changed_at=NOW - timedelta(hours=1),
)
SNOOZED = CurrentHold(HoldKind.SNOOZE, NOW + DAY)
DISPUTED = CurrentHold(HoldKind.DISPUTE, None)


def test_every_mail_that_can_be_written_has_a_cadence() -> None:
    assert set(MailKind) == set(emails.kinds) == set(SENSIBLE_FOR)
    assert set(MailKind) == CHASING | NOTICES | ANSWERS
    assert not (CHASING & NOTICES | CHASING & ANSWERS | NOTICES & ANSWERS)


def test_nobody_can_refuse_what_tells_of_a_change_or_was_asked_for() -> None:
    assert CAN_BE_REFUSED <= CHASING | NOTICES
    assert not CAN_BE_REFUSED & {MailKind.PAYMENT_FAILED, MailKind.ACTION_REQUIRED, MailKind.FINAL_NOTICE}


@pytest.mark.parametrize("facts", [ASKING, THANKS, CHANGED])
def test_a_mail_that_is_due_and_true_is_sent(facts: Situation) -> None:
    assert decide(facts, NOW) == Send()


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (replace(ASKING, case_state=CaseState.RECOVERED), Reason.PAID),
        (replace(ASKING, invoice_status="paid"), Reason.PAID),
        (replace(ASKING, case_state=CaseState.CLOSED), Reason.STOPPED),
        (replace(ASKING, invoice_status="void"), Reason.STOPPED),
        (replace(ASKING, invoice_status="uncollectible"), Reason.STOPPED),
        (replace(ASKING, case_state=CaseState.EXHAUSTED, final_action=FinalActionState.DONE), Reason.ENDED),
        (replace(ASKING, case_state=CaseState.EXHAUSTED, final_action=FinalActionState.INTENDED), Reason.ENDED),
        (replace(ASKING, holds=(DISPUTED,)), Reason.DISPUTE),
        (replace(ASKING, holds=(SNOOZED, CurrentHold(HoldKind.DISPUTE, NOW + DAY))), Reason.DISPUTE),
        (replace(ASKING, holds=(CurrentHold(HoldKind.SNOOZE, None),)), Reason.HELD),
        (replace(ASKING, holds=(CurrentHold(HoldKind.PROMISE, NOW + 5 * DAY),)), Reason.HELD),
        (replace(ASKING, address=None), Reason.NO_ADDRESS),
        (replace(ASKING, address=""), Reason.NO_ADDRESS),
        (replace(ASKING, address="nobody at home"), Reason.INVALID_ADDRESS),
        (replace(ASKING, address="a@example.com\nBcc: b@example.com"), Reason.INVALID_ADDRESS),
        (replace(ASKING, suppressed=SuppressedBecause.BOUNCED), Reason.SUPPRESSED),
        (replace(ASKING, is_customer_deleted=True), Reason.CUSTOMER_DELETED),
        (replace(ASKING, connection_status=ConnectionStatus.DISCONNECTED), Reason.DISCONNECTED),
        (replace(ASKING, due_at=NOW - 3 * DAY - timedelta(seconds=1)), Reason.STALE),
        (replace(THANKS, case_state=CaseState.WAITING), Reason.NOT_RECOVERED),
        (replace(CHANGED, final_action=None), Reason.NOTHING_CHANGED),
        (replace(CHANGED, final_action=FinalActionState.SKIPPED), Reason.NOTHING_CHANGED),
        (replace(CHANGED, told_at=NOW), Reason.ALREADY_TOLD),
        (replace(CHANGED, suppressed=SuppressedBecause.SPAM_REPORT), Reason.SUPPRESSED),
    ],
)
def test_a_mail_that_is_not_true_any_more_or_has_nowhere_to_go_is_skipped(facts: Situation, reason: Reason) -> None:
    assert decide(facts, NOW) == Skip(reason)


@pytest.mark.parametrize(
    ("facts", "until", "reason"),
    [
        (replace(ASKING, holds=(SNOOZED,)), NOW + DAY, Reason.HELD),
        (replace(ASKING, case_state=CaseState.CHARGING), NOW + timedelta(minutes=5), Reason.CHARGING),
        (replace(ASKING, connection_status=ConnectionStatus.BROKEN), NOW + DAY / 24, Reason.CONNECTION_BROKEN),
        (replace(ASKING, written=(Written(NOW - DAY / 2),)), NOW + timedelta(hours=8), Reason.WRITTEN_TO_RECENTLY),
    ],
)
def test_a_mail_that_comes_at_a_bad_moment_waits(facts: Situation, until: datetime, reason: Reason) -> None:
    assert decide(facts, NOW) == Later(until, reason)


def test_of_several_reasons_to_wait_the_longest_counts() -> None:
    facts = replace(ASKING, holds=(SNOOZED,), case_state=CaseState.CHARGING, written=(Written(NOW),))
    assert decide(facts, NOW) == Later(NOW + DAY, Reason.HELD)


def test_a_thank_you_is_neither_held_nor_delayed_by_other_mails() -> None:
    assert decide(replace(THANKS, holds=(SNOOZED, DISPUTED), written=(Written(NOW),)), NOW) == Send()


def test_a_second_change_is_told_although_the_first_one_was() -> None:
    facts = replace(CHANGED, told_at=NOW - DAY, final_action=FinalActionState.RESTORED, changed_at=NOW)
    assert decide(facts, NOW) == Send()


def test_a_final_notice_still_goes_while_the_case_is_exhausted_and_nothing_was_taken_away() -> None:
    facts = replace(ASKING, kind=MailKind.FINAL_NOTICE, case_state=CaseState.EXHAUSTED)
    assert decide(facts, NOW) == Send()


def test_of_a_week_only_so_many_mails_ask_for_money_and_answers_do_not_count() -> None:
    asked = tuple(Written(NOW - DAY * days) for days in (1, 3, 5))
    assert decide(replace(ASKING, written=asked), NOW) == Later(NOW + 2 * DAY, Reason.ENOUGH_THIS_WEEK)
    answered = (*asked[:2], Written(NOW - 5 * DAY, is_answer=True))
    assert decide(replace(ASKING, written=answered), NOW) == Send()


def test_the_end_is_announced_whatever_was_written_that_week() -> None:
    asked = tuple(Written(NOW - DAY * days) for days in (1, 3, 5))
    assert decide(replace(ASKING, kind=MailKind.FINAL_NOTICE, written=asked), NOW) == Send()


def test_nobody_is_woken_and_the_mail_goes_when_the_night_is_over() -> None:
    zone = ZoneInfo("America/New_York")  # five in the morning there
    assert decide(replace(ASKING, zone=zone), NOW) == Later(NOW + timedelta(hours=3), Reason.QUIET_HOURS)
    link = replace(ASKING, kind=MailKind.FRESH_LINK, zone=zone)
    assert decide(link, NOW) == Send()


def test_a_wait_that_would_end_at_night_ends_in_the_morning() -> None:
    night = replace(ASKING, written=(Written(NOW - timedelta(hours=7)),))  # the gap is over at 22:00
    assert decide(night, NOW) == Later(NOW + timedelta(hours=23), Reason.WRITTEN_TO_RECENTLY)


@pytest.mark.parametrize("kind", sorted(CAN_BE_REFUSED & CHASING))
def test_whoever_unsubscribed_gets_no_reminder(kind: MailKind) -> None:
    facts = replace(ASKING, kind=kind, suppressed=SuppressedBecause.UNSUBSCRIBED)
    assert decide(facts, NOW) == Skip(Reason.UNSUBSCRIBED)


@pytest.mark.parametrize("kind", [MailKind.PAYMENT_FAILED, MailKind.FINAL_NOTICE, MailKind.FRESH_LINK])
def test_whoever_unsubscribed_still_hears_what_changes_for_them(kind: MailKind) -> None:
    assert decide(replace(ASKING, kind=kind, suppressed=SuppressedBecause.UNSUBSCRIBED), NOW) == Send()


def test_a_mail_that_named_this_debt_stands_for_its_own_reminder_and_not_for_its_own_end() -> None:
    named = replace(ASKING, kind=MailKind.REMINDER, named_at=NOW - DAY / 2)
    assert decide(named, NOW) == Skip(Reason.NAMED_ELSEWHERE)
    assert decide(replace(named, kind=MailKind.FINAL_NOTICE), NOW) == Send()
    assert decide(replace(named, named_at=NOW - 2 * DAY), NOW) == Send()


moments = st.integers(-10 * 86_400, 10 * 86_400).map(lambda seconds: NOW + timedelta(seconds=seconds))
situations = st.builds(
    Situation,
    kind=st.sampled_from(MailKind),
    due_at=moments.map(lambda moment: min(moment, NOW)),
    address=st.sampled_from([None, "", "anna@example.com", "broken"]),
    case_state=st.sampled_from(CaseState),
    invoice_status=st.sampled_from(["draft", "open", "paid", "void", "uncollectible"]),
    connection_status=st.sampled_from(ConnectionStatus),
    suppressed=st.none() | st.sampled_from(SuppressedBecause),
    is_a_contact=st.booleans(),
    untrue=st.none() | st.sampled_from(Reason),
    rules=st.builds(
        ContactRules,
        gap_hours=st.integers(1, 72),
        max_per_week=st.integers(1, 5),
        quiet_from=st.times(),
        quiet_until=st.times(),
    ),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"]).map(ZoneInfo),
    is_customer_deleted=st.booleans(),
    holds=st.lists(
        st.builds(CurrentHold, st.sampled_from(HoldKind), st.none() | moments.filter(lambda moment: moment > NOW)),
        max_size=2,
    ).map(tuple),
    written=st.lists(st.builds(Written, moments.map(lambda moment: min(moment, NOW)), st.booleans()), max_size=4).map(
        tuple
    ),
    named_at=st.none() | moments.map(lambda moment: min(moment, NOW)),
    told_at=st.none() | moments.map(lambda moment: min(moment, NOW)),
    final_action=st.none() | st.sampled_from(FinalActionState),
    changed_at=st.none() | moments.map(lambda moment: min(moment, NOW)),
)


@settings(deadline=None)
@given(situations)
def test_whatever_the_situation_nobody_is_written_to_who_must_not_be(facts: Situation) -> None:
    if decide(facts, NOW) != Send():
        return
    assert facts.address == "anna@example.com"
    assert facts.is_a_contact
    assert facts.suppressed in (None, SuppressedBecause.UNSUBSCRIBED)
    assert not (facts.suppressed and facts.kind in CAN_BE_REFUSED)
    assert not facts.is_customer_deleted
    assert facts.connection_status is ConnectionStatus.ACTIVE
    assert facts.due_at + SENSIBLE_FOR[facts.kind] >= NOW
    if facts.kind in CHASING:
        assert facts.invoice_status == "open"
        assert facts.case_state not in (CaseState.RECOVERED, CaseState.CLOSED, CaseState.CHARGING)
        assert not facts.holds
    if facts.kind in NOTICES:
        assert facts.untrue is None
        assert not facts.holds
    if facts.kind not in ANSWERS:
        assert all(one.at + timedelta(hours=facts.rules.gap_hours) <= NOW for one in facts.written)
    if facts.kind not in ASKED_FOR:
        assert not pauses.is_quiet(facts.rules, NOW, facts.zone)
    if facts.kind not in ANSWERS | {MailKind.FINAL_NOTICE}:
        lately = [one for one in facts.written if not one.is_answer and one.at > NOW - pauses.WEEK]
        assert len(lately) < facts.rules.max_per_week


@settings(deadline=None)
@given(situations)
def test_whatever_the_situation_a_mail_waits_forward_and_not_beyond_its_sense(facts: Situation) -> None:
    decision = decide(facts, NOW)
    if isinstance(decision, Later):
        assert NOW < decision.until <= facts.due_at + SENSIBLE_FOR[facts.kind]


@settings(deadline=None)
@given(situations)
def test_a_mail_that_waits_comes_to_an_end(facts: Situation) -> None:
    now = NOW
    for _ in range(5000):
        decision = decide(facts, now)
        if not isinstance(decision, Later):
            return
        now = decision.until
        # A hold is over at its end; the reader of holds leaves it out then.
        facts = replace(facts, holds=tuple(hold for hold in facts.holds if hold.until is None or hold.until > now))
    pytest.fail("still waiting")
