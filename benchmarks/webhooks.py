"""How many signed webhooks a second are accepted for good, how long each takes, and whether none of them is missing.

Each load is sent, then every acknowledged event is looked up in the inbox. CPU is what the processes themselves used:
on a machine that others use, too, it is the figure to compare.

    .venv/bin/python -m benchmarks.webhooks [--count 6000] [--connections 16] [--rates 200 500 1000] [--seconds 8]
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from stripe import WebhookSignature

from benchmarks import cpu
from benchmarks.load import Result, Shot, fire, post
from benchmarks.town import SECRET, Town, town

FILLER = {"lines": {"data": [{"id": f"il_{n}", "description": "x" * 120, "amount": n} for n in range(24)]}}
WARM_UP = 300  # events


@dataclass(frozen=True)
class Load:
    """One load's figures. `rate` is how many a second were due, None for as many as were answered.

    Times of answers and CPU (of an event) are in milliseconds; `other_cores` is what all else used meanwhile.
    """

    rate: float | None
    events: int
    events_per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    web_cpu_ms: float
    postgres_cpu_ms: float
    client_cpu_ms: float
    other_cores: float
    refused: int
    missing: int = 0

    @property
    def name(self) -> str:
        """What was done."""
        return "as fast as answered" if self.rate is None else f"at {self.rate:.0f}/s"


def measure(
    count: int, connections: int, rates: Sequence[float], seconds: float, hear: Callable[[Load], None]
) -> list[Load]:
    """`count` events as fast as they are answered, then each of the `rates` for so many seconds.

    `hear` gets the figures of each load as soon as it is over; how many acknowledged events are missing is known at
    the end, and stands in what is returned.
    """
    measured = []
    with town() as here:
        fire(here.port, signed_events(WARM_UP, here.connection_id), connections)
        for rate in (None, *rates):
            load, result = _measured(here, count if rate is None else int(rate * seconds), connections, rate)
            hear(load)
            measured.append((load, result))
        kept = here.kept()
    return [replace(load, missing=len(set(result.acknowledged) - kept)) for load, result in measured]


def signed_events(count: int, connection_id: UUID) -> list[Shot]:
    """Events as large as Stripe's own of an invoice, about 6 kB, each with an id of its own."""
    made = []
    for _ in range(count):
        event_id = f"evt_{uuid4().hex}"
        invoice = {"id": f"in_{uuid4().hex}", "object": "invoice", "status": "paid", **FILLER}
        event = {"id": event_id, "object": "event", "type": "invoice.upcoming", "livemode": False, "created": 1}
        body = json.dumps({**event, "api_version": "2026-08-26.dahlia", "data": {"object": invoice}}, indent=2)
        signature = WebhookSignature.generate_signature_header(body, SECRET)
        made.append(Shot(event_id, post(f"/webhooks/stripe/{connection_id}", body.encode(), signature)))
    return made


def _measured(here: Town, count: int, connections: int, rate: float | None) -> tuple[Load, Result]:
    shots = signed_events(count, here.connection_id)
    before = cpu.used_by(here.web), cpu.used_by(here.postgres)
    result = fire(here.port, shots, connections, rate)
    web, postgres = cpu.used_by(here.web) - before[0], cpu.used_by(here.postgres) - before[1]
    others = result.machine_cpu - web - postgres - result.client_cpu
    p50, p95, p99 = _percentiles(result.took)
    load = Load(
        rate=rate,
        events=count,
        events_per_second=count / result.elapsed,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        web_cpu_ms=1000 * web / count,
        postgres_cpu_ms=1000 * postgres / count,
        client_cpu_ms=1000 * result.client_cpu / count,
        other_cores=others / result.elapsed,
        refused=result.refused,
    )
    return load, result


def _percentiles(took: list[float]) -> list[float]:
    ordered = sorted(took)
    return [1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.95, 0.99)]


def say(load: Load) -> None:
    """A load's figures on two lines."""
    times = f"{load.p50_ms:.1f} / {load.p95_ms:.1f} / {load.p99_ms:.1f}"
    each = f"{load.web_cpu_ms:.2f} / {load.postgres_cpu_ms:.2f} / {load.client_cpu_ms:.2f}"
    print(f"{load.name}: {load.events_per_second:.0f} events/s, p50 / p95 / p99 {times} ms")
    print(
        f"    CPU ms an event, web / Postgres / client: {each}; all else used {load.other_cores:.1f} cores", flush=True
    )


def main() -> int:
    """Run the loads and print the figures; 1 if an acknowledged event is missing or one was refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rates", type=float, nargs="*", default=[200, 500, 1000])
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {options.connections} connections")
    loads = measure(options.count, options.connections, options.rates, options.seconds, say)
    refused, missing = sum(load.refused for load in loads), sum(load.missing for load in loads)
    print(f"refused: {refused}, acknowledged and missing: {missing}")
    return 1 if missing or refused else 0


if __name__ == "__main__":
    sys.exit(main())
