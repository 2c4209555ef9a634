"""Notices before anything fails: only a card that dies before its next charge, only an invoice that is still owed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.messages.cadence import MailKind
from app.messages.notice_rules import (
    CardInUse,
    InvoiceByHand,
    NoticeSettings,
    card_notice,
    expires_at,
    invoice_notice,
    may_want_notice,
    why_card_is_no_news,
    why_kind_is_over,
)
from app.messages.words import Reason

CHARGED = datetime(2026, 11, 10, 12, tzinfo=UTC)
DYING = CardInUse(exp_month=10, exp_year=2026, charged_at=CHARGED, subscription_status="active")
WANTED = NoticeSettings()
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def test_a_card_is_good_through_the_last_day_of_its_month() -> None:
    assert expires_at(2026, 10) == datetime(2026, 11, 1, tzinfo=UTC)
    assert expires_at(2026, 12) == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_dying_card_is_told_of_fourteen_days_before_it_is_charged_and_not_earlier() -> None:
    assert card_notice(DYING, WANTED, CHARGED - 14 * DAY - timedelta(minutes=1)) is None
    due = card_notice(DYING, WANTED, CHARGED - 14 * DAY)
    assert due is not None
    assert (due.kind, due.due_at) == (MailKind.CARD_EXPIRING, CHARGED - 14 * DAY)
    assert due.key == "card_expiring:2026-11-10:2026-10"


def test_looking_again_gives_the_same_notice_and_another_card_or_charge_gives_another() -> None:
    first, again = (card_notice(DYING, WANTED, CHARGED - days * DAY) for days in (13, 6))
    assert first is not None
    assert again is not None
    assert first.key == again.key
    other = card_notice(replace(DYING, exp_month=9), WANTED, CHARGED - 6 * DAY)
    assert other is not None
    assert other.key != first.key


@pytest.mark.parametrize(
    ("card", "why"),
    [
        (replace(DYING, exp_month=11), Reason.CARD_IS_GOOD),
        (replace(DYING, exp_year=2029), Reason.CARD_IS_GOOD),  # the network has renewed it
        (replace(DYING, exp_month=None, exp_year=None), Reason.CARD_IS_GOOD),  # no card at all
        (replace(DYING, is_ending=True), Reason.NO_LONGER_DUE),
        (replace(DYING, is_paused=True), Reason.NO_LONGER_DUE),
        (replace(DYING, is_by_hand=True), Reason.NO_LONGER_DUE),
        (replace(DYING, subscription_status="past_due"), Reason.NO_LONGER_DUE),
        (replace(DYING, subscription_status="canceled"), Reason.NO_LONGER_DUE),
        (replace(DYING, charged_at=None), Reason.NO_LONGER_DUE),
        (replace(DYING, charged_at=CHARGED - 40 * DAY), Reason.NO_LONGER_DUE),
        (replace(DYING, has_open_case=True), Reason.IN_RECOVERY),
    ],
)
def test_a_card_that_will_do_or_is_not_charged_is_not_told_of(card: CardInUse, why: Reason) -> None:
    assert why_card_is_no_news(card, WANTED, CHARGED - 5 * DAY) is why
    assert card_notice(card, WANTED, CHARGED - 5 * DAY) is None


DUE = datetime(2026, 11, 20, 15, tzinfo=UTC)
OPEN = InvoiceByHand("open", 4900, DUE)


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (DUE - 4 * DAY, None),
        (DUE - 3 * DAY, MailKind.INVOICE_DUE_SOON),
        (DUE - 1.1 * DAY, MailKind.INVOICE_DUE_SOON),
        (DUE - 0.9 * DAY, None),
        (DUE - 0.5 * DAY, MailKind.INVOICE_DUE),
        (DUE + 0.3 * DAY, MailKind.INVOICE_DUE),
        (DUE + 0.4 * DAY, None),
        (DUE + 2.5 * DAY, None),
        (DUE + 3 * DAY, MailKind.INVOICE_OVERDUE),
        (DUE + 10.5 * DAY, MailKind.INVOICE_OVERDUE),
        (DUE + 60 * DAY, None),
    ],
)
def test_an_invoice_is_told_of_around_its_moments_and_never_long_after_them(
    now: datetime, kind: MailKind | None
) -> None:
    due = invoice_notice(OPEN, WANTED, now)
    assert (due.kind if due else None) == kind


@pytest.mark.parametrize(
    ("zone", "begins", "ends"),
    [
        ("Asia/Tokyo", "2026-11-20T15:00", "2026-11-21T14:59"),
        ("America/Los_Angeles", "2026-11-20T08:00", "2026-11-21T07:59"),
    ],
)
def test_the_day_it_is_due_is_the_day_on_the_customers_clock(zone: str, begins: str, ends: str) -> None:
    theirs = replace(OPEN, zone=ZoneInfo(zone))
    first, last = (datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in (begins, ends))
    for now, is_due in ((first - MINUTE, False), (first, True), (last, True), (last + MINUTE, False)):
        found = invoice_notice(theirs, NoticeSettings(due_soon_days=0), now)
        assert (found is not None) == is_due
        assert (why_kind_is_over(MailKind.INVOICE_DUE, DUE, now, theirs.zone) is None) == is_due
        assert may_want_notice(OPEN, WANTED, now) or not is_due


def test_each_reminder_of_an_overdue_invoice_has_a_key_of_its_own() -> None:
    first, second = (invoice_notice(OPEN, WANTED, DUE + days * DAY) for days in (3, 10))
    assert first is not None
    assert second is not None
    assert first.key != second.key


@pytest.mark.parametrize(
    "invoice",
    [
        replace(OPEN, status="paid", amount_remaining=0),
        replace(OPEN, amount_remaining=0),
        replace(OPEN, status="void"),
        replace(OPEN, has_case=True),
        replace(OPEN, is_by_hand=False),
        replace(OPEN, due_at=None),
    ],
)
def test_an_invoice_that_is_paid_gone_or_asked_for_elsewhere_is_not_told_of(invoice: InvoiceByHand) -> None:
    assert invoice_notice(invoice, WANTED, DUE - 3 * DAY) is None


def test_what_is_switched_off_is_not_told_of() -> None:
    off = NoticeSettings(card_expiring=False, invoices=False)
    assert card_notice(DYING, off, CHARGED - DAY) is None
    assert invoice_notice(OPEN, off, DUE - 3 * DAY) is None
    assert invoice_notice(OPEN, NoticeSettings(due_soon_days=0), DUE - 3 * DAY) is None
    assert invoice_notice(OPEN, NoticeSettings(on_due_date=False), DUE) is None
    assert invoice_notice(OPEN, NoticeSettings(overdue_days=()), DUE + 3 * DAY) is None


def test_a_notice_that_waited_too_long_says_what_is_not_so_any_more() -> None:
    assert why_kind_is_over(MailKind.INVOICE_DUE_SOON, DUE, DUE) is Reason.NO_LONGER_DUE
    assert why_kind_is_over(MailKind.INVOICE_DUE_SOON, DUE, DUE - DAY) is None
    assert why_kind_is_over(MailKind.INVOICE_DUE, DUE, DUE + 2 * DAY) is Reason.NO_LONGER_DUE
    assert why_kind_is_over(MailKind.INVOICE_OVERDUE, DUE + 30 * DAY, DUE) is Reason.NO_LONGER_DUE  # given more time
