"""How many signed webhooks a second are accepted for good, how long each takes, and whether none of them is missing.

Each load is sent, then every acknowledged event is looked up in the inbox. CPU is what the processes themselves used:
on a machine that others use, too, it is the figure to compare.

    .venv/bin/python -m benchmarks.webhooks [--count 6000] [--connections 16] [--rates 200 500 1000] [--seconds 8]
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from uuid import UUID, uuid4

from stripe import WebhookSignature

from benchmarks import cpu
from benchmarks.load import Result, Shot, fire, post
from benchmarks.town import PORT, SECRET, Town, town

FILLER = {"lines": {"data": [{"id": f"il_{n}", "description": "x" * 120, "amount": n} for n in range(24)]}}


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


def percentiles(took: list[float]) -> str:
    """p50, p95 and p99 in milliseconds."""
    ordered = sorted(took)
    return " / ".join(f"{1000 * ordered[min(int(len(ordered) * p), len(ordered) - 1)]:.1f}" for p in (0.5, 0.95, 0.99))


def measured(here: Town, name: str, count: int, connections: int, rate: float | None = None) -> Result:
    """Fire one load and print its figures."""
    shots = signed_events(count, here.connection_id)
    before = cpu.used_by(here.web), cpu.used_by(here.postgres)
    result = fire(PORT, shots, connections, rate)
    web, postgres = cpu.used_by(here.web) - before[0], cpu.used_by(here.postgres) - before[1]
    each = " / ".join(f"{1000 * used / count:.2f}" for used in (web, postgres, result.client_cpu))
    others = result.machine_cpu - web - postgres - result.client_cpu
    print(f"{name}: {count / result.elapsed:.0f} events/s, p50 / p95 / p99 {percentiles(result.took)} ms")
    print(f"    CPU ms an event, web / Postgres / client: {each}; all else used {others / result.elapsed:.1f} cores")
    return result


def main() -> int:
    """Run the loads and print the figures; 1 if an acknowledged event is missing or one was refused."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rates", type=float, nargs="*", default=[200, 500, 1000])
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {options.connections} connections")
    with town() as here:
        fire(PORT, signed_events(300, here.connection_id), options.connections)
        results = [measured(here, "as fast as answered", options.count, options.connections)]
        for rate in options.rates:
            load = (int(rate * options.seconds), options.connections, rate)
            results.append(measured(here, f"at {rate:.0f}/s", *load))
        missing = {name for result in results for name in result.acknowledged} - here.kept()
    refused = sum(result.refused for result in results)
    print(f"refused: {refused}, acknowledged and missing: {len(missing)}")
    return 1 if missing or refused else 0


if __name__ == "__main__":
    sys.exit(main())
