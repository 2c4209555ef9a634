"""How long a rehearsal takes, by the clock and in CPU of all its processes, Postgres among them.

.venv/bin/python -m benchmarks.rehearsal [--campaign monthly] [--cases 200] [--days 40]
"""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from app import log
from app.cli.connect import ensure_organization
from app.context import make_context
from app.recovery.campaigns import add_defaults
from app.rehearsal.ordering import make_order
from app.rehearsal.rehearse import rehearse
from app.vocabulary import ConnectionMode
from benchmarks import cpu
from benchmarks.town import installed

SEED = 1


@dataclass(frozen=True)
class Played:
    """One rehearsal: `seconds` by the clock, `machine_cpu` in seconds of all processes of the machine meanwhile."""

    campaign: str
    cases: int
    days: int
    tries: int
    mails: int
    seconds: float
    machine_cpu: float


def measure(campaign: str, cases: int, days: int, say: Callable[[float], None]) -> Played:
    """Play `campaign` (monthly or annual) in drive mode; `say` hears the share that is over."""
    with installed() as settings:
        context = make_context(settings)
        organization = ensure_organization(context, "bench")
        now = context.clock.now()
        with context.database.organization(organization.id) as session:
            add_defaults(session, now, "bench")
            session.flush()
            order = make_order(session, campaign, cases=cases, days=days, seed=SEED, mode=ConnectionMode.DRIVE, now=now)
        began, spent = time.perf_counter(), cpu.machine()
        figures = rehearse(context, order, say).figures
        seconds, spent = time.perf_counter() - began, cpu.machine() - spent
        context.database.dispose()
    return Played(campaign, cases, days, figures["tries"], figures["mails"], seconds, spent)


def main() -> None:
    """Play one rehearsal and print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--campaign", default="monthly")
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--days", type=int, default=40)
    given = parser.parse_args()
    log.configure("cli")
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores")
    played = measure(given.campaign, given.cases, given.days, lambda _share: None)
    print(f"{played.campaign}, {played.cases} cases over {played.days} days: {played.seconds:.0f} s, the machine used "
          f"{played.machine_cpu:.0f} s of CPU; {played.tries} tries, {played.mails} mails")  # fmt: skip


if __name__ == "__main__":
    main()
