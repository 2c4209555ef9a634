"""`recoup bench`: how fast this machine is at what costs Recoup most. Measures an installation of its own."""

import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from app import log
from app.cli.common import for_people
from app.retries.evaluation import load_world
from benchmarks import rehearsal, retries, webhooks

CONNECTIONS = 16
RATES = (200.0, 500.0)  # webhooks a second
EVENTS_AT_ONCE = 400  # a second of a load as fast as it is answered
PLANS_A_SECOND = 200
CASES_A_SECOND = 2.5
DAYS = 40
WORLD = "us_consumer"

Plain = dict[str, Any]
Row = tuple[str, str, str]


@click.command("bench")
@click.argument("parts", nargs=-1, metavar="[webhooks] [plans] [rehearsal]")
@click.option("--seconds", type=click.IntRange(1, 600), default=8, show_default=True, help="About so long each load.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures for a program.")
@for_people
def bench(parts: tuple[str, ...], seconds: int, as_json: bool) -> None:
    """Measure how many webhooks are taken in, how long plans take, and how long a rehearsal takes.

    All parts, or those that are named. What is measured is the real thing: PostgreSQL with fsync on, a web process, the
    real code. It has a temporary home and databases of its own, so nothing of yours is touched or slowed down beyond
    the machine's own limits. Exits with 1 if a webhook that was acknowledged is missing afterwards, or one was refused.
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise click.BadParameter(f"{unknown[0]} is not among {', '.join(PARTS)}", param_hint="PART")
    log.configure("cli")
    found = {part: PARTS[part](seconds, _progress(part)) for part in parts or PARTS}
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}
    if as_json:
        click.echo(json.dumps({**machine, **found}, indent=2))
    else:
        _print(machine, found)
    loads = found.get("webhooks", {}).get("loads", [])
    if any(load["refused"] or load["missing"] for load in loads):
        raise SystemExit(1)


def _progress(part: str) -> Callable[[str], None]:
    """A line on the error stream for each stretch of a part, so that nobody waits without a word."""
    return lambda what: click.echo(f"{part}: {what}", err=True)


def _webhooks(seconds: int, say: Callable[[str], None]) -> Plain:
    say("a web process and its database are started")
    loads = webhooks.measure(
        EVENTS_AT_ONCE * seconds, CONNECTIONS, RATES, seconds, lambda load: say(f"{load.name} is measured")
    )
    return {"connections": CONNECTIONS, "loads": [asdict(load) for load in loads]}


def _plans(seconds: int, say: Callable[[str], None]) -> Plain:
    count = PLANS_A_SECOND * seconds
    say(f"{count} plans are made")
    spent = retries.plan_times(load_world(WORLD), count, seed=0)
    p50, p99 = (float(np.percentile(spent, share)) for share in (50, 99))
    return {"count": count, "mean_ms": float(np.mean(spent)), "p50_ms": p50, "p99_ms": p99}


def _rehearsal(seconds: int, say: Callable[[str], None]) -> Plain:
    cases = max(2, int(CASES_A_SECOND * seconds))
    say(f"{cases} cases over {DAYS} days are played")
    told = 0

    def hear(share: float) -> None:
        nonlocal told
        if (quarters := int(share * 4)) > told:
            told = quarters
            say(f"{quarters * 25}%")

    return asdict(rehearsal.measure("monthly", cases, DAYS, hear))


PARTS: dict[str, Callable[[int, Callable[[str], None]], Plain]] = {
    "webhooks": _webhooks,
    "plans": _plans,
    "rehearsal": _rehearsal,
}


def _print(machine: Plain, found: Plain) -> None:
    table = Table(title=f"{machine['cores']} cores, {machine['machine']}, Python {machine['python']}")
    for heading in ("what", "rate", "time"):
        table.add_column(heading)
    for part, figures in found.items():
        for row in ROWS[part](figures):
            table.add_row(*row)
    Console().print(table)


def _webhook_rows(figures: Plain) -> list[Row]:
    loads = [webhooks.Load(**each) for each in figures["loads"]]
    rows = [
        (
            f"webhooks, {load.name}",
            f"{load.events_per_second:.0f}/s, {load.web_cpu_ms:.2f} ms of CPU each",
            f"p50 {load.p50_ms:.1f} ms, p95 {load.p95_ms:.1f} ms, p99 {load.p99_ms:.1f} ms",
        )
        for load in loads
    ]
    refused, missing = sum(load.refused for load in loads), sum(load.missing for load in loads)
    return [*rows, ("webhooks refused; acknowledged and missing", f"{refused}; {missing}", "")]


def _plan_rows(figures: Plain) -> list[Row]:
    times = f"mean {figures['mean_ms']:.1f} ms of CPU, p99 {figures['p99_ms']:.1f} ms"
    return [("retry plans", f"{1000 / figures['mean_ms']:.0f}/s on one core", times)]


def _rehearsal_rows(figures: Plain) -> list[Row]:
    played = rehearsal.Played(**figures)
    return [
        (
            f"a rehearsal, {played.cases} cases over {played.days} days",
            f"{played.machine_cpu / played.cases:.2f} s of CPU a case, the whole machine's",
            f"{played.seconds:.0f} s",
        )
    ]


ROWS: dict[str, Callable[[Plain], list[Row]]] = {
    "webhooks": _webhook_rows,
    "plans": _plan_rows,
    "rehearsal": _rehearsal_rows,
}
