"""The silences that contact rules ask for: between two mails, after several in a week, and while people sleep. Pure.

Moments are aware UTC. Days of the clock that do not exist, or come twice, are no exception to any of it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from app.campaigns.contact import ContactRules

WEEK = timedelta(days=7)
_DAY = timedelta(days=1)


def gap_ends(rules: ContactRules, written: Sequence[datetime]) -> datetime | None:
    """When enough time has passed since the last of the mails that left at `written`; None before the first."""
    return max(written) + timedelta(hours=rules.gap_hours) if written else None


def week_ends(rules: ContactRules, written: Sequence[datetime]) -> datetime | None:
    """When one more mail makes no more than the rules allow in any seven days; None where it does so already."""
    newest_first = sorted(written, reverse=True)
    return newest_first[rules.max_per_week - 1] + WEEK if len(newest_first) >= rules.max_per_week else None


def is_quiet(rules: ContactRules, at: datetime, zone: tzinfo) -> bool:
    """Whether `at` lies in the quiet hours of somebody who lives in `zone`."""
    begins, ends = rules.quiet_from, rules.quiet_until
    local = at.astimezone(zone).time()
    return begins <= local < ends if begins <= ends else local >= begins or local < ends


def wakes_at(rules: ContactRules, at: datetime, zone: tzinfo) -> datetime:
    """`at` itself outside the quiet hours, else the moment at which they end."""
    for _ in range(4):  # where the clock is put forward over the end, it may be found in the next night
        if not is_quiet(rules, at, zone):
            return at
        at = _next_end(rules, at, zone)
    return at


def _next_end(rules: ContactRules, at: datetime, zone: tzinfo) -> datetime:
    """The first moment after `at` at which a clock in `zone` shows the end of the quiet hours.

    An hour that comes twice shows it twice, and the first may be over; one that is left out never does, and then it is
    the moment at which that much time has passed.
    """
    today = at.astimezone(zone).date()
    ends = (
        datetime.combine(day, rules.quiet_until, tzinfo=zone).replace(fold=fold).astimezone(UTC)
        for day in (today, today + _DAY, today + 2 * _DAY)
        for fold in (0, 1)
    )
    return min(end for end in ends if end > at)
