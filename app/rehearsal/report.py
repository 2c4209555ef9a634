"""The page a rehearsal ends in: one HTML file that needs nothing else, without a script, for screens and for paper.

It may load nothing from anywhere; mails are shown as they would arrive, in frames that can do nothing.
"""

from collections.abc import Iterable
from datetime import date, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from app.money import Money, format_money
from app.rehearsal.figures import step_name
from app.rehearsal.orders import Order
from app.rehearsal.words import many
from app.vocabulary import ConnectionMode

Plain = dict[str, Any]

# What the page may do, as its own first words and as the header with which it is served.
CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'none';"
    " base-uri 'none'; frame-ancestors 'none'"
)
_POLICY_OF_FILE = CONTENT_POLICY.removesuffix("; frame-ancestors 'none'")  # which only a header may say

_CAUSES = {
    "retry": "a retry",
    "new_card": "a new card",
    "authentication": "the customer's approval",
    "stripe_retry": "a retry by Stripe",
    "customer": "the customer, on Stripe's page",
    "out_of_band": "a payment past Stripe",
}
_CLASSES = {
    "soft_timed": "No money, or a limit",
    "soft_opaque": "Declined without a reason",
    "soft_fast": "Disturbance on the way",
    "authentication": "The bank wants approval",
    "customer_action": "Card data are wrong or out of date",
    "hard": "The card is dead",
    "network_never": "Lost, stolen or revoked",
    "fraud": "Suspected fraud",
}


def render(order: Order, result: Plain, figures: Plain, findings: list[str]) -> str:
    """The page as text."""
    return (
        _environment()
        .get_template("report.html")
        .render(
            order=order,
            content=order.content,
            figures=figures,
            findings=findings,
            steps=_letters_by_step(result["letters"], [message.key for message in order.content.messages]),
            columns=_columns(figures["by_day"]),
            days=figures["by_day"],
            weeks=_weeks(figures["by_date"]),
            drives=order.connection_mode is ConnectionMode.DRIVE,
            policy=_POLICY_OF_FILE,
        )
    )


def _letters_by_step(letters: Iterable[Plain], campaign: list[str]) -> list[tuple[str, list[Plain]]]:
    """The campaign's steps in its order, then what else was written; the languages of each by their names."""

    def place(letter: Plain) -> tuple[int, str, str, str]:
        name = step_name(letter)
        rank = campaign.index(name) if name in campaign else len(campaign)
        return rank, name, letter["locale"] or "", letter["kind"]

    return [(name, list(group)) for name, group in groupby(sorted(letters, key=place), key=step_name)]


def _columns(by_day: list[Plain]) -> list[str]:
    """The steps of which any mail left, in the order in which they first did."""
    return list(dict.fromkeys(name for day in by_day for name in sorted(day["mails"])))


def _weeks(by_date: list[Plain]) -> list[list[Plain | None]]:
    """Dates in rows from Monday to Sunday; None before the first and after the last."""
    first = date.fromisoformat(by_date[0]["date"]).weekday()
    cells: list[Plain | None] = [None] * first + list(by_date)
    cells += [None] * (-len(cells) % 7)
    return [cells[start : start + 7] for start in range(0, len(cells), 7)]


def _money(minor: int, currency: str) -> str:
    return format_money(Money(minor, currency))


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _day(iso: str) -> str:
    return f"{datetime.fromisoformat(iso):%-d %b}"


def _shaded(hue: str, count: int, most: int) -> Markup:
    """A cell's class: one of five shades of `hue`, none where there is nothing."""
    return Markup(f' class="{hue}{1 + min(4, 4 * count // most)}"') if count and most else Markup()  # noqa: S704 - ours


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("app.rehearsal"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters.update(percent=_percent, many=many, short_day=_day)
    made.globals.update(
        money=_money,
        shaded=_shaded,
        cause=lambda word: _CAUSES.get(word, word),
        class_name=lambda word: _CLASSES.get(word, word.replace("_", " ")),
    )
    return made
