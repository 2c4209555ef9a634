"""Billing periods in calendar months and the like. Pure."""

import calendar
from datetime import UTC, datetime, timedelta

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


def moment(seconds: int) -> datetime:
    """Unix seconds as an aware moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def later(anchor: int, interval: str, count: int) -> int:
    """`count` intervals after `anchor` (Unix seconds). The 31st becomes a shorter month's last day."""
    start = moment(anchor)
    if interval in _DAYS:
        return int((start + timedelta(days=_DAYS[interval] * count)).timestamp())
    months = start.year * 12 + start.month - 1 + _MONTHS[interval] * count
    year, month = divmod(months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def next_boundary(anchor: int, interval: str, count: int, after: int) -> int:
    """The first period boundary of a subscription anchored at `anchor` that lies after `after`.

    Counted from the anchor, so that a subscription begun on the 31st comes back to the 31st.
    """
    longest = {"day": 1, "week": 7, "month": 31, "year": 366}[interval] * count * 86_400
    steps = max(0, (after - anchor) // longest)
    while (boundary := later(anchor, interval, count * steps)) <= after:
        steps += 1
    return boundary
