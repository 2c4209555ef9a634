"""How moments, money and ids are written on a page. Times are shown in the organization's zone."""

import json
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_datetime, format_timedelta
from flask import request
from markupsafe import Markup

from app.console import current
from app.money import Money, format_money

_TIME = Markup('<time datetime="{machine}" title="{utc}">{shown}</time>')
_NOTHING = Markup('<span class="quiet">–</span>')


def page_address(number: int) -> str:
    """The address of this very page with another number behind `page`, whatever else was asked for."""
    kept = [(name, value) for name, values in request.args.lists() for value in values if name != "page"]
    return f"{request.script_root}{request.path}?{urlencode([*kept, ('page', str(number))])}"


def zone() -> ZoneInfo:
    """The zone of the signed-in person's organization; UTC where it is unknown to this machine."""
    person = current.find_person()
    try:
        return ZoneInfo(person.timezone if person else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def first_moment(day: str) -> datetime:
    """The first moment (aware UTC) of a day as a form sends it, in the organization's zone.

    Raises `ValueError` for what is no day, and `OverflowError` where the first or the last of all days lies outside in
    UTC.
    """
    return datetime.combine(date.fromisoformat(day), time(), zone()).astimezone(UTC)


def when(moment: datetime | None) -> Markup:
    """`moment` to the minute in the organization's zone, with UTC on hover."""
    return _time(moment, format_datetime(moment, "d MMM y, HH:mm", tzinfo=zone(), locale="en")) if moment else _NOTHING


def day(moment: datetime | None) -> Markup:
    """The day of `moment` in the organization's zone."""
    return _time(moment, format_datetime(moment, "d MMM y", tzinfo=zone(), locale="en")) if moment else _NOTHING


def distance(moment: datetime | None) -> Markup:
    """How far `moment` is from now: "in 3 days", "2 hours ago", "now" within half a minute."""
    if moment is None:
        return _NOTHING
    gap = moment - current.now()
    if abs(gap.total_seconds()) < 30:
        return _time(moment, "now")
    return _time(moment, format_timedelta(gap, add_direction=True, threshold=1.2, locale="en"))


def ago(moment: datetime, wall: datetime) -> Markup:
    """How long ago by the machine's clock (`wall`) something was that is dated by that clock, which nobody turns."""
    gap = moment - wall
    shown = "just now" if abs(gap.total_seconds()) < 30 else format_timedelta(gap, add_direction=True, locale="en")
    return _time(moment, shown)


def money(amount: Money | int | None, currency: str | None = None) -> str:
    """A `Money`, or minor units and their currency, as people write it."""
    if amount is None:
        return "–"
    return format_money(amount if isinstance(amount, Money) else Money(amount, currency or "usd"), "en")


def percent(share: float | None) -> str:
    """A share of 1 as a percentage; a dash where it is not known."""
    return "–" if share is None else f"{share * 100:.1f}%"


def pretty(value: Any) -> str:
    """Stored data as indented JSON, for people who want to see it as it is."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str)


def _time(moment: datetime, shown: str) -> Markup:
    utc = moment.astimezone(UTC)
    return _TIME.format(machine=utc.isoformat(timespec="seconds"), utc=f"{utc:%Y-%m-%d %H:%M:%S} UTC", shown=shown)
