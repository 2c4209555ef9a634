"""Pay calendars: which day money comes, and how long ago that was."""

from datetime import date

import numpy as np
import pytest

from app.retries.paydays import CALENDARS, POSTED_AT, POSTINGS, easter, payday_table


def paydays(name: str, country: str | None = "US", year: int = 2026) -> set[date]:
    table = payday_table(country, year)
    return {date.fromordinal(int(day)) for day in table.last[CALENDARS.index(name)] if day}


def test_pay_that_falls_on_a_weekend_comes_on_friday() -> None:
    assert date(2026, 1, 30) in paydays("monthly-last")  # 31 January 2026 is a Saturday
    assert date(2026, 2, 13) in paydays("monthly-15")
    assert date(2026, 2, 15) not in paydays("monthly-15")


def test_a_bank_holiday_moves_pay_in_its_own_country_only() -> None:
    assert date(2026, 12, 24) in paydays("monthly-25", "GB")
    assert date(2025, 7, 3) in paydays("monthly-4", "US")
    assert date(2025, 7, 4) in paydays("monthly-4", "GB")
    assert date(2027, 3, 25) in paydays("monthly-26", "GB", 2027)  # Good Friday
    assert date(2027, 3, 26) in paydays("monthly-26", "US", 2027)


def test_a_short_month_pays_on_its_last_working_day() -> None:
    assert date(2026, 2, 27) in paydays("monthly-30")


def test_the_two_phases_of_fortnightly_pay_share_no_day_and_miss_none() -> None:
    odd, even, weekly = (paydays(name) for name in ("fortnightly-wed-odd", "fortnightly-wed-even", "weekly-wed"))
    this_year = {day for day in odd | even if day.year == 2026}
    assert not odd & even
    assert this_year == {day for day in weekly if day.year == 2026}


def test_social_security_pays_on_the_second_third_or_fourth_wednesday() -> None:
    assert date(2026, 3, 11) in paydays("wednesday-2")
    assert date(2026, 3, 25) in paydays("wednesday-4")


def test_some_are_paid_on_the_first_or_last_of_a_weekday_in_the_month() -> None:
    assert date(2026, 4, 1) in paydays("wednesday-1")
    assert date(2026, 10, 30) in paydays("friday-last")
    assert date(2026, 10, 23) not in paydays("friday-last")


def test_brazil_is_paid_by_the_fifth_working_day() -> None:
    found = paydays("workday-5", "BR")
    assert {date(2026, 2, 6), date(2026, 8, 7), date(2026, 9, 7), date(2026, 11, 6)} <= found


@pytest.mark.parametrize("day", [date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2038, 4, 25)])
def test_easter_is_on_its_sunday(day: date) -> None:
    assert easter(day.year) == day


@pytest.mark.parametrize(("number", "posting"), list(enumerate(POSTINGS)))
def test_days_since_pay_begin_when_it_is_posted(number: int, posting: str) -> None:
    table, monthly, posted = payday_table("US", 2026), np.array([CALENDARS.index("monthly-10")]), POSTED_AT[posting]
    tenth = float(date(2026, 6, 10).toordinal())
    since, which = table.days_since(monthly, np.array([number]), np.array([tenth, tenth + posted, tenth + 2.5]))
    assert since[0] == pytest.approx([33 - posted, 0, 2.5 - posted])  # the tenth of May was a Sunday
    assert list(which[0][1:]) == [tenth, tenth]


def test_every_day_of_every_calendar_has_a_payday_before_it_within_reach() -> None:
    table = payday_table(None, 2026)
    days = np.arange(table.first, table.first + table.last.shape[1])
    assert ((days - table.last >= 0) & (days - table.last <= 40)).all()
