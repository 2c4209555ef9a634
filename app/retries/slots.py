"""Which moments a try may be planned for: each morning after wages are posted, less what a rule has closed.

The slots of a case are always the same, whenever one asks: a plan that is made twice is made of the same moments.
Refuses to know which of them is good.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from app.retries.calendars import into_open_hours
from app.retries.facts import CaseFacts, RetryPolicy
from app.retries.ladder import fraction
from app.retries.moments import zone_for
from app.retries.network_rules import Floor

AFTER_PAY, AFTER_WORK = time(9, 15), time(17, 15)  # wages are posted between midnight and nine
DAYS_WITH_EVENING = 3  # while hours still matter: an outage, a wary bank
TECHNICAL_HOURS = (1, 2, 4, 6, 9, 12, 24, 36)


@dataclass(frozen=True)
class Closed:
    """Slots that a rule closed: how many, and up to which moment."""

    rule: str
    until: datetime
    count: int


@dataclass(frozen=True)
class Slots:
    """The open moments in rising order, and for each rule that closed some what it closed."""

    open: tuple[datetime, ...]
    closed: tuple[Closed, ...]


def find_slots(
    facts: CaseFacts, policy: RetryPolicy, *, since: datetime, floors: tuple[Floor, ...], is_technical: bool
) -> Slots:
    """The slots after `since` and before the window's end that no floor forbids.

    The end of the latest floor is a slot of its own (in open hours): an issuer's "after four days" is often exact.
    After a technical refusal the next hours get a finer grid.
    """
    end = facts.failed_at + timedelta(days=policy.window_days)
    wished = {at for at in _daily(facts, policy, end) if since < at < end}
    latest = max((floor.at for floor in floors), default=since)
    extra = [max(latest, since)] if latest > since else []
    if is_technical:
        extra += [since + timedelta(hours=hours) for hours in TECHNICAL_HOURS]
    wished |= {at for at in (_opened(at, facts, policy) for at in extra) if since <= at < end}
    ordered = sorted(wished)
    return Slots(tuple(at for at in ordered if at >= latest), tuple(_closed(ordered, floors)))


def _closed(ordered: list[datetime], floors: tuple[Floor, ...]) -> Iterator[Closed]:
    for floor in sorted(floors, key=lambda each: each.at):
        count = sum(1 for at in ordered if at < floor.at)
        if count:
            yield Closed(floor.rule, floor.at, count)


def _daily(facts: CaseFacts, policy: RetryPolicy, end: datetime) -> Iterator[datetime]:
    zone: tzinfo = zone_for(facts) or UTC
    spread, hours = timedelta(minutes=policy.jitter_minutes), _hours(policy)
    jitter = [spread * fraction(facts.seed, 1000 + number) for number in range(len(hours))]
    first = facts.failed_at.astimezone(zone).date()
    for number in range((end.astimezone(zone).date() - first).days + 1):
        day = first + timedelta(days=number)
        for hour, later in zip(hours if number < DAYS_WITH_EVENING else hours[:1], jitter, strict=False):
            yield datetime.combine(day, hour, tzinfo=zone).astimezone(UTC) + later


def _hours(policy: RetryPolicy) -> tuple[time, ...]:
    """The two hours of the day, or the nearest that the policy leaves open."""
    closing = policy.close_hour * 60 - 60
    wished = (hour.hour * 60 + hour.minute for hour in (AFTER_PAY, AFTER_WORK))
    minutes = sorted({max(policy.open_hour * 60, min(each, closing)) for each in wished})
    return tuple(time(each // 60, each % 60) for each in minutes)


def _opened(at: datetime, facts: CaseFacts, policy: RetryPolicy) -> datetime:
    spread = timedelta(minutes=policy.jitter_minutes) * fraction(facts.seed, 999)
    return into_open_hours(at, zone_for(facts), (policy.open_hour, policy.close_hour), spread)
