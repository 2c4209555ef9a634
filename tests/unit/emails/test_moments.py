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
        ("es", "viernes 27 de marzo"),
        ("it", "venerdì 27 marzo"),
        ("pt_BR", "27 de março (sexta-feira)"),
        ("nl", "vrijdag 27 maart"),
        ("sv", "fredag den 27 mars"),
        ("pl", "27 marca (piątek)"),
        ("ja", "3月27日（金）"),
        ("zh_Hans", "3月27日（星期五）"),
        ("ar", "الجمعة 27 مارس"),
    ],
)
def test_a_day_is_written_without_its_year_and_as_each_language_says_it_inside_a_sentence(
    locale: str, written: str
) -> None:
    assert moments.day(NOON, Locale.parse(locale), ZoneInfo("UTC")) == written


def test_the_first_of_a_month_is_an_ordinal_in_french_and_portuguese() -> None:
    first = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
    assert moments.day(first, Locale("fr"), ZoneInfo("UTC")) == "mercredi 1er avril"
    assert moments.date(first, Locale("fr"), ZoneInfo("UTC")) == "1er avril 2026"
    assert moments.date(first.replace(day=21), Locale("fr"), ZoneInfo("UTC")) == "21 avril 2026"
    assert moments.date(first, Locale("es"), ZoneInfo("UTC")) == "1 de abril de 2026"
    assert moments.day(first, Locale.parse("pt_BR"), ZoneInfo("UTC")) == "1º de abril (quarta-feira)"
    assert moments.date(first.replace(day=11), Locale.parse("pt_BR"), ZoneInfo("UTC")) == "11 de abril de 2026"


def test_a_zone_that_does_not_exist_is_said_to_be_utc() -> None:
    for name in ("Mars/Olympus", "", "../etc/passwd", "Europe"):
        assert moments.zone(name).key == "UTC"
    assert "Coordinated Universal Time" in moments.clock_time(NOON, Locale("en"), moments.zone("Mars/Olympus"))


def test_the_time_carries_its_zone() -> None:
    written = moments.clock_time(NOON, Locale("de"), ZoneInfo("Asia/Kathmandu"))
    assert written == "17:45 (GMT+05:45)"


@pytest.mark.parametrize(
    ("locale", "written"),
    [
        ("en", "Friday, March 27, 1:00 PM (Central European Standard Time)"),
        ("sv", "fredag den 27 mars 13:00 (centraleuropeisk normaltid)"),
        ("ja", "3月27日（金） 13:00（中央ヨーロッパ標準時）"),
        ("ar", "الجمعة 27 مارس، 1:00 م (توقيت وسط أوروبا الرسمي)"),
    ],
)
def test_day_and_time_are_tied_together_as_the_language_does(locale: str, written: str) -> None:
    said = moments.minute(NOON, Locale.parse(locale), ZoneInfo("Europe/Berlin"))
    assert " ".join(said.split()) == written
