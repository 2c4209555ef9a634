from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from emails import moments

NOON = datetime(2026, 3, 27, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en", "Friday, March 27"),
        ("en_GB", "Friday, 27 March"),
        ("de", "Freitag, 27. März"),
        ("fr", "vendredi 27 mars"),
        ("es", "viernes, 27 de marzo"),
        ("it", "venerdì 27 marzo"),
        ("pt_BR", "sexta-feira, 27 de março"),
        ("nl", "vrijdag 27 maart"),
        ("sv", "fredag 27 mars"),
        ("pl", "piątek, 27 marca"),
        ("ja", "3月27日金曜日"),
        ("zh_Hans", "3月27日星期五"),
        ("ar", "الجمعة، 27 مارس"),
    ],
)
def test_a_day_is_written_without_its_year_in_each_language_to_come(locale: str, written: str) -> None:
    assert moments.day(NOON, Locale.parse(locale), ZoneInfo("UTC")) == written


def test_the_first_of_a_month_is_an_ordinal_in_french_alone() -> None:
    first = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
    assert moments.day(first, Locale("fr"), ZoneInfo("UTC")) == "mercredi 1er avril"
    assert moments.date(first, Locale("fr"), ZoneInfo("UTC")) == "1er avril 2026"
    assert moments.date(first.replace(day=21), Locale("fr"), ZoneInfo("UTC")) == "21 avril 2026"
    assert moments.date(first, Locale("es"), ZoneInfo("UTC")) == "1 de abril de 2026"


def test_a_zone_that_does_not_exist_is_said_to_be_utc() -> None:
    for name in ("Mars/Olympus", "", "../etc/passwd", "Europe"):
        assert moments.zone(name).key == "UTC"
    assert "Coordinated Universal Time" in moments.clock_time(NOON, Locale("en"), moments.zone("Mars/Olympus"))


def test_the_time_carries_its_zone() -> None:
    written = moments.clock_time(NOON, Locale("de"), ZoneInfo("Asia/Kathmandu"))
    assert written == "17:45 (GMT+05:45)"
