"""How many signed webhooks a second are accepted for good, how long each takes, and whether none of them is missing.

Runs the real thing: embedded Postgres with fsync on, Valkey, and `recoup web` as its own process. Two phases: send and
remember what was acknowledged, then look every one up in the inbox.

    .venv/bin/python -m benchmarks.webhooks [--count 6000] [--connections 16] [--rate 200 --seconds 10]
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
from stripe import WebhookSignature

from app import embedded, installation, schema
from app.cli.connect import ensure_organization
from app.context import make_context
from app.models import Connection
from app.settings import Settings
from app.vocabulary import ConnectionMode, ConnectionStatus

SECRET = "whsec_benchmark"
PORT = 18300
FILLER = {"lines": {"data": [{"id": f"il_{n}", "description": "x" * 120, "amount": n} for n in range(24)]}}


@dataclass(frozen=True)
class Town:
    """A running web process and where to look its work up."""

    database_url: str
    connection_id: UUID


@contextmanager
def town() -> Iterator[Town]:
    """Postgres, Valkey and the web process, with one connection."""
    with tempfile.TemporaryDirectory() as folder, _services(Path(folder)) as settings:
        schema.upgrade(settings.require("database_url"))
        context = make_context(settings)
        organization = ensure_organization(context, "bench")
        with context.database.organization(organization.id) as session:
            row = Connection(
                id=uuid4(),
                organization_id=organization.id,
                account_id="acct_bench",
                livemode=False,
                mode=ConnectionMode.OBSERVE,
                status=ConnectionStatus.ACTIVE,
                created_at=context.clock.now(),
            )
            row.sealed_api_key = context.keys.seal("rk_test_bench", row.context("api_key"))
            row.sealed_webhook_secrets = context.keys.seal(json.dumps([SECRET]), row.context("webhook_secrets"))
            session.add(row)
        context.database.dispose()
        web = subprocess.Popen(
            [str(Path(sys.executable).with_name("recoup")), "web"],
            env=installation.environment(Settings(_env_file=None), settings) | {"PORT": str(PORT)},
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait_until_it_answers()
            yield Town(settings.require("database_url").replace("+psycopg", ""), row.id)
        finally:
            web.terminate()
            web.wait(30)


@contextmanager
def _services(home: Path) -> Iterator[Settings]:
    services = embedded.start(home)
    try:
        settings = Settings(_env_file=None, home=home, port=PORT, secret_key="a key for the benchmark")
        key = f"bench:{'A' * 43}="
        yield installation.with_services(settings.model_copy(update={"encryption_keys": key}), services)
    finally:
        embedded.stop(home)


def _wait_until_it_answers() -> None:
    for _ in range(300):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the web process does not answer")


def signed_events(count: int) -> list[tuple[str, bytes, str]]:
    """(event id, body, signature) of events as large as Stripe's own of an invoice, about 6 kB."""
    made = []
    for _ in range(count):
        event_id = f"evt_{uuid4().hex}"
        invoice = {"id": f"in_{uuid4().hex}", "object": "invoice", "status": "paid", **FILLER}
        event = {"id": event_id, "object": "event", "type": "invoice.upcoming", "livemode": False, "created": 1}
        body = json.dumps({**event, "api_version": "2026-08-26.dahlia", "data": {"object": invoice}}, indent=2)
        made.append((event_id, body.encode(), WebhookSignature.generate_signature_header(body, SECRET)))
    return made


class Load:
    """Sends events and keeps what was acknowledged and how long each took, in seconds."""

    def __init__(self, connection_id: UUID) -> None:
        self._path = f"/webhooks/stripe/{connection_id}"
        self.acknowledged: list[str] = []
        self.took: list[float] = []
        self.refused = 0

    def send(self, http_connection: http.client.HTTPConnection, event: tuple[str, bytes, str], due: float) -> None:
        """Send one event; its time counts from when it was `due`, so that queueing is not hidden."""
        event_id, body, signature = event
        http_connection.request("POST", self._path, body, {"Stripe-Signature": signature})
        answer = http_connection.getresponse()
        answer.read()
        self.took.append(time.perf_counter() - due)
        if answer.status == 200:
            self.acknowledged.append(event_id)
        else:
            self.refused += 1

    def closed_loop(self, events: list[tuple[str, bytes, str]], connections: int) -> float:
        """Every connection sends its share as fast as it is answered; the whole time in seconds."""
        begin = time.perf_counter()
        self._in_threads([self._sender(events[n::connections]) for n in range(connections)])
        return time.perf_counter() - begin

    def open_loop(self, events: list[tuple[str, bytes, str]], rate: float, connections: int) -> None:
        """Events are due at a steady rate, whether or not the ones before have been answered."""
        begin = time.perf_counter() + 0.1
        timed = [(event, begin + number / rate) for number, event in enumerate(events)]
        self._in_threads([self._sender_at(timed[n::connections]) for n in range(connections)])

    def _sender(self, events: list[tuple[str, bytes, str]]) -> threading.Thread:
        def run() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
            for event in events:
                self.send(connection, event, time.perf_counter())

        return threading.Thread(target=run)

    def _sender_at(self, timed: list[tuple[tuple[str, bytes, str], float]]) -> threading.Thread:
        def run() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
            for event, due in timed:
                time.sleep(max(0.0, due - time.perf_counter()))
                self.send(connection, event, due)

        return threading.Thread(target=run)

    @staticmethod
    def _in_threads(threads: list[threading.Thread]) -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def missing(database_url: str, acknowledged: list[str]) -> int:
    """How many acknowledged events are not in the inbox."""
    with psycopg.connect(database_url) as connection:
        connection.execute("set role recoup_sweeper")
        rows = connection.execute("select event_id from inbox_events").fetchall()
    return len(set(acknowledged) - {row[0] for row in rows})


def percentiles(took: list[float]) -> str:
    """p50, p95 and p99 in milliseconds."""
    ordered = sorted(took)
    return " / ".join(f"{1000 * ordered[min(int(len(ordered) * p), len(ordered) - 1)]:.1f}" for p in (0.5, 0.95, 0.99))


def main() -> int:
    """Run both loads and print the figures; 1 if an acknowledged event is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    with town() as here:
        closed, steady = Load(here.connection_id), Load(here.connection_id)
        closed.closed_loop(signed_events(200), options.connections)
        events = signed_events(options.count)
        closed.took.clear()
        elapsed = closed.closed_loop(events, options.connections)
        steady.open_loop(signed_events(int(options.rate * options.seconds)), options.rate, options.connections)
        lost = missing(here.database_url, closed.acknowledged + steady.acknowledged)
    print(f"cores: {os.cpu_count()}, event body: {len(events[0][1])} bytes, connections: {options.connections}")
    print(f"closed loop: {options.count / elapsed:.0f} events/s, p50/p95/p99 {percentiles(closed.took)} ms")
    print(f"open loop at {options.rate:.0f}/s: p50/p95/p99 {percentiles(steady.took)} ms")
    print(f"refused: {closed.refused + steady.refused}, acknowledged and missing: {lost}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
