"""Moments as the customer reads them: their zone, their language, their order of day and month. Knows no clock."""

import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name

# The year and what ties it to the rest: `, y`, ` y`, ` 'de' y`, `y年`. Dunning looks weeks ahead, so a year is noise.
_YEAR = re.compile(r"[\s,،]*('de'\s)?y年?")
_FRENCH_FIRST = re.compile(r"\b1 (?=[a-zéû]+)")


@lru_cache(maxsize=256)
def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name; UTC where the name is none, because the text then says UTC and stays true."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


def day(moment: datetime, locale: Locale, timezone: ZoneInfo) -> str:
    """Weekday, day and month: `Friday, March 27`."""
    pattern = _YEAR.sub("", locale.date_formats["full"].pattern)
    return _polish(format_date(moment.astimezone(timezone), pattern, locale=locale), locale)


def date(moment: datetime, locale: Locale, timezone: ZoneInfo) -> str:
    """Day, month and year, for moments that may lie far away: `March 27, 2026`."""
    return _polish(format_date(moment.astimezone(timezone), "long", locale=locale), locale)


def clock_time(moment: datetime, locale: Locale, timezone: ZoneInfo) -> str:
    """The time with the zone it is meant in: `10:05 AM (Central European Standard Time)`."""
    local = moment.astimezone(timezone)
    return f"{format_time(local, 'short', locale=locale)} ({get_timezone_name(local, locale=locale)})"


def minute(moment: datetime, locale: Locale, timezone: ZoneInfo) -> str:
    """Day and time of day with its zone, for what must be known exactly."""
    both = str(locale.datetime_formats["medium"])
    return both.replace("{1}", day(moment, locale, timezone)).replace("{0}", clock_time(moment, locale, timezone))


def _polish(written: str, locale: Locale) -> str:
    # CLDR writes `1 mars`; French says the first of a month as an ordinal.
    return _FRENCH_FIRST.sub("1er ", written) if locale.language == "fr" else written
