"""`make books`: the big proof. Thousands of subscriptions over months, in both modes, with faults on, to the cent.

`RECOUP_BOOKS_SUBSCRIPTIONS`, `RECOUP_BOOKS_DAYS`, `RECOUP_BOOKS_MODE` (`observe`, `drive` or `both`),
`RECOUP_BOOKS_STOP_HOURS`, `RECOUP_BOOKS_WORKERS` and `RECOUP_BOOKS_SEED` change it.
Exits with 1 where anything differs.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from app.money import Money, format_money
from app.reports.figures import Outcomes
from app.vocabulary import ConnectionMode
from tests.long.books import OUTCOMES
from tests.long.proof import Result, Say, Size, prove

MOST_LINES = 200
TENTH = 0.1


def main() -> int:
    """Play what the environment asks for; 0 when all books agree."""
    size = Size(
        subscriptions=int(_given("SUBSCRIPTIONS", "2000")),
        days=float(_given("DAYS", "90")),
        stop_hours=float(_given("STOP_HOURS", "6")),
        workers=int(_given("WORKERS", "3")),
        seed=int(_given("SEED", "20261122")),
    )
    wanted = _given("MODE", "both")
    console = Console()
    results = []
    for mode in (ConnectionMode.DRIVE, ConnectionMode.OBSERVE) if wanted == "both" else (ConnectionMode(wanted),):
        with _shown(console, mode) as say:
            results.append(prove(mode, size, say))
        _print(console, results[-1], size)
    return int(any(result.wrong for result in results))


def _given(name: str, otherwise: str) -> str:
    return os.environ.get(f"RECOUP_BOOKS_{name}") or otherwise


@contextmanager
def _shown(console: Console, mode: ConnectionMode) -> Iterator[Say]:
    """A bar on a terminal; elsewhere a line for each tenth."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress:
        tasks = {}
        said: dict[str, float] = {}

        def say(what: str, share: float) -> None:
            if what not in tasks:
                tasks[what], said[what] = progress.add_task(f"{mode}: {what}", total=1.0), 0.0
            progress.update(tasks[what], completed=share)
            if not console.is_terminal and share >= said[what] + TENTH:
                said[what] = share
                console.print(f"{mode}: {what}, {share:.0%}")

        yield say


def _print(console: Console, result: Result, size: Size) -> None:
    table = Table(title=f"{result.mode}: {size.subscriptions} subscriptions, {size.days:g} days")
    for heading in ("", "outcome", "sandbox", "", "Recoup", ""):
        table.add_column(heading, justify="right" if heading != "outcome" else "left")
    for currency, sums in sorted(result.theirs.items()):
        ours = result.ours.get(currency, Outcomes())
        for name in OUTCOMES:
            theirs, mine = sums[name], getattr(ours, name)
            if name != "failed" and (theirs.cases or mine.cases):
                money = [format_money(Money(tally.amount, currency)) for tally in (theirs, mine)]
                style = None if theirs == mine else "bold red"
                table.add_row(
                    currency,
                    name.replace("_", " "),
                    money[0],
                    str(theirs.cases),
                    money[1],
                    str(mine.cases),
                    style=style,
                )
    console.print(table)
    facts = {**result.counts, **{name.replace("_", " "): count for name, count in sorted(result.done.items())}}
    console.print(", ".join(f"{count} {name}" for name, count in facts.items()))
    each = result.seconds * 1000 / (size.subscriptions * size.days)
    console.print(f"{result.seconds:.0f} s, {each:.2f} ms a subscription and day")
    for line in result.wrong[:MOST_LINES]:
        console.print(line, style="red", markup=False)
    console.print(f"{len(result.wrong)} differences" if result.wrong else "The books agree to the cent.")


if __name__ == "__main__":
    sys.exit(main())
