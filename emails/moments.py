"""Moments as the customer reads them: their zone, their language, their order of day and month. Knows no clock."""

import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name

# The year and what ties it to the rest. Dunning looks weeks ahead, so a year is noise.
_YEAR = re.compile(r"[\s,]*y")
# Weekdays are declined in Polish and have a gender in Portuguese, so they stand behind the day; Spanish, Swedish and
# Arabic say inside a sentence what CLDR writes above a letter.
_DAYS = {
    "ar": "EEEE d MMMM",
    "es": "EEEE d 'de' MMMM",
    "ja": "M月d日（EEE）",
    "pl": "d MMMM (EEEE)",
    "pt": "d 'de' MMMM (EEEE)",
    "sv": "EEEE 'den' d MMMM",
    "zh": "M月d日（EEEE）",
}
# The first of a month is an ordinal there, and CLDR writes a plain 1.
_FIRST = re.compile(r"(?<!\d)1 (?=[^\W\d])")
_ORDINAL = {"fr": "1er ", "pt": "1º "}
WIDE = frozenset({"ja", "zh"})


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name; UTC where the name is none, because the text then says UTC and stays true."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def day(moment: datetime, locale: Locale, timezone: ZoneInfo) -> str:
    """Weekday, day and month: `Friday, March 27`."""
    pattern = _DAYS.get(locale.language) or _YEAR.sub("", locale.date_formats["full"].pattern)
    return _polish(format_date(moment.astimezone(timezone), pattern, locale=locale), locale)


def date(moment: datetime, locale: Locale, timezone: ZoneInfo) -> str:
    """Day, month and year, for moments that may lie far away: `March 27, 2026`."""
    return _polish(format_date(moment.astimezone(timezone), "long", locale=locale), locale)


def clock_time(moment: datetime, locale: Locale, timezone: ZoneInfo) -> str:
    """The time with the zone it is meant in: `10:05 AM (Central European Standard Time)`."""
    local = moment.astimezone(timezone)
    time, name = format_time(local, "short", locale=locale), get_timezone_name(local, locale=locale)
    return f"{time}（{name}）" if locale.language in WIDE else f"{time} ({name})"


def minute(moment: datetime, locale: Locale, timezone: ZoneInfo) -> str:
    """Day and time of day with its zone, for what must be known exactly."""
    both = str(locale.datetime_formats["medium"])
    return both.replace("{1}", day(moment, locale, timezone)).replace("{0}", clock_time(moment, locale, timezone))


def _polish(written: str, locale: Locale) -> str:
    ordinal = _ORDINAL.get(locale.language)
    return _FIRST.sub(ordinal, written) if ordinal else written
