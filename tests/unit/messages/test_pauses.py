"""The silences of the contact rules: nights on every clock there is, gaps, and a week's worth of mails."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.campaigns.contact import ContactRules
from app.messages import pauses

NIGHT = ContactRules(quiet_from=time(21), quiet_until=time(8))
BERLIN = ZoneInfo("Europe/Berlin")


def local(*parts: int, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=zone, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "wakes"),
    [
        (local(2026, 9, 1, 20, 59), local(2026, 9, 1, 20, 59)),
        (local(2026, 9, 1, 21, 0), local(2026, 9, 2, 8, 0)),
        (local(2026, 9, 2, 7, 59), local(2026, 9, 2, 8, 0)),
        (local(2026, 3, 28, 23, 0), local(2026, 3, 29, 8, 0)),  # the clock goes forward that night
        (local(2026, 10, 24, 23, 0), local(2026, 10, 25, 8, 0)),  # and back in that one
    ],
)
def test_a_night_ends_at_the_same_time_of_day_also_when_the_clock_is_changed(at: datetime, wakes: datetime) -> None:
    assert pauses.wakes_at(NIGHT, at, BERLIN) == wakes


def test_an_end_that_comes_twice_counts_when_it_comes_and_one_that_is_left_out_when_its_time_has_passed() -> None:
    early = ContactRules(quiet_from=time(22), quiet_until=time(2, 30))
    assert pauses.wakes_at(early, local(2026, 10, 25, 1), BERLIN) == local(2026, 10, 25, 2, 30)
    between = local(2026, 10, 25, 2, 10, fold=1)
    assert pauses.wakes_at(early, between, BERLIN) == local(2026, 10, 25, 2, 30, fold=1)
    assert pauses.wakes_at(early, local(2026, 3, 29, 1), BERLIN) == local(2026, 3, 29, 3, 30)


def test_quiet_hours_may_lie_within_a_day_or_not_exist() -> None:
    noon = ContactRules(quiet_from=time(12), quiet_until=time(14))
    assert pauses.wakes_at(noon, local(2026, 9, 1, 13), BERLIN) == local(2026, 9, 1, 14)
    never = ContactRules(quiet_from=time(9), quiet_until=time(9))
    assert not any(pauses.is_quiet(never, local(2026, 9, 1, hour), BERLIN) for hour in range(24))


def rules_of(begins: int, length: int) -> ContactRules:
    """Quiet for `length` minutes from the minute `begins` of the day; nobody is quiet for more than twenty hours."""
    ends = (begins + length) % 1440
    return ContactRules(quiet_from=time(begins // 60, begins % 60), quiet_until=time(ends // 60, ends % 60))


rules = st.builds(rules_of, st.integers(0, 1439), st.integers(0, 1200))
zones = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu"]
).map(ZoneInfo)
moments = st.integers(0, 3 * 365 * 86_400).map(lambda seconds: local(2025, 1, 1) + timedelta(seconds=seconds))


@settings(deadline=None, max_examples=400)
@given(rules, moments, zones)
def test_whoever_sleeps_wakes_within_a_day_and_is_awake_then(
    given_rules: ContactRules, at: datetime, zone: ZoneInfo
) -> None:
    woken = pauses.wakes_at(given_rules, at, zone)
    assert at <= woken < at + timedelta(hours=24)
    assert not pauses.is_quiet(given_rules, woken, zone)
    assert pauses.wakes_at(given_rules, woken, zone) == woken


def test_the_gap_counts_from_the_last_mail_and_the_week_from_the_one_that_fills_it() -> None:
    at = local(2026, 9, 10, 12)
    written = [at - timedelta(days=days) for days in (1, 6, 3)]
    wanted = ContactRules(gap_hours=20, max_per_week=3)
    assert pauses.gap_ends(wanted, written) == at - timedelta(hours=4)
    assert pauses.week_ends(wanted, written) == at + timedelta(days=1)
    assert pauses.week_ends(wanted, written[:2]) is None
    assert pauses.gap_ends(wanted, []) is None
