"""A plan in plain English: what is believed, the chance, the next best slot, what was closed and the budget.

For the operator, never for the customer. Refuses to decide anything.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from app.retries.paydays import CALENDARS, ONCE_A_MONTH
from app.retries.planning import Plan

CAUSE_WORDS = {
    "empty": "there was no money",
    "wary": "the bank was wary and calms down",
    "against": "the bank is set against it",
    "outage": "the bank was out of reach",
    "daily_limit": "a daily limit was used up",
    "monthly_limit": "a monthly limit was used up",
    "dead": "the card is dead",
}
DAYS = {"mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday"}
NAMED_TOGETHER, WORTH_NAMING = 2, 0.10


def why(plan: Plan) -> str:
    """The likeliest cause with its weight, and for an empty account the likeliest paydays."""
    cause, weight = next(iter(plan.causes.items()))
    words = f"most likely {CAUSE_WORDS[cause]} ({weight:.0%})"
    paydays = [(name, share / weight) for name, share in plan.paydays.items()][:NAMED_TOGETHER]
    named = [f"{payday_words(name)} {share:.0%}" for name, share in paydays if share >= WORTH_NAMING]
    return f"{words}, and pay comes perhaps {' or '.join(named)}" if cause == "empty" and named else words


def alternatives(plan: Plan, chosen: datetime, day: Callable[[datetime], str]) -> str:
    """The best slot that was not chosen, with its chance."""
    others = [option for option in plan.options if option.at != chosen]
    return f"next best {day(others[0].at)} with {others[0].chance:.0%}" if others else "no other day is open"


def chance_at(plan: Plan, chosen: datetime) -> float | None:
    """The calibrated chance of the chosen slot."""
    return next((option.chance for option in plan.options if option.at == chosen), None)


def ruled_out(plan: Plan, day: Callable[[datetime], str], words: Callable[[str], str]) -> Iterable[str]:
    """For each rule that closed slots, until when and why."""
    for closed in plan.slots.closed:
        yield f"closed until {day(closed.until)} because {words(closed.rule)}"


def payday_words(name: str) -> str:
    """A calendar of `paydays.CALENDARS` in words: `monthly-28` is "around the 28th"."""
    kind, *rest = name.split("-")
    if name not in CALENDARS:
        return name
    if kind == "weekly":
        return f"every {DAYS[rest[0]]}"
    if kind == "fortnightly":
        return f"every other {DAYS[rest[0]]}"
    if kind in ONCE_A_MONTH:
        which = "last" if rest[0] == "last" else _ordinal(rest[0])
        return f"on the {which} {kind.capitalize()} of the month"
    if kind == "workday":
        return f"by the {_ordinal(rest[0])} working day of the month"
    if kind == "twice":
        return f"around the {_ordinal(rest[0])} and the {_ordinal(rest[1])}"
    return f"around the {_ordinal(rest[0])}"


def _ordinal(day: str) -> str:
    if day == "last":
        return "month's last working day"
    ending = "th" if day in ("11", "12", "13") else {"1": "st", "2": "nd", "3": "rd"}.get(day[-1], "th")
    return f"{day}{ending}"
