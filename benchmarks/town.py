"""The real thing to measure: embedded Postgres with fsync on, Valkey, and `recoup web` as its own process."""

import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from app import embedded, installation, schema
from app.cli.connect import ensure_organization
from app.context import make_context
from app.models import Connection
from app.settings import Settings
from app.vocabulary import ConnectionMode, ConnectionStatus

SECRET = "whsec_benchmark"
PORT = 18300


@dataclass(frozen=True)
class Town:
    """A running web process, where to look its work up, and the processes whose CPU counts."""

    database_url: str
    connection_id: UUID
    web: int
    postgres: int

    def kept(self) -> set[str]:
        """The ids of all events that are in the inbox."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute("set role recoup_sweeper")
            return {row[0] for row in connection.execute("select event_id from inbox_events")}


@contextmanager
def town() -> Iterator[Town]:
    """Postgres, Valkey and the web process, with one connected account whose webhook secret is `SECRET`."""
    with tempfile.TemporaryDirectory() as folder, _services(Path(folder)) as settings:
        schema.upgrade(settings.require("database_url"))
        connection_id = _connect(settings)
        web = subprocess.Popen(
            [str(Path(sys.executable).with_name("recoup")), "web"],
            env=installation.environment(Settings(_env_file=None), settings) | {"PORT": str(PORT)},
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait_until_it_answers()
            postmaster = next(Path(folder).rglob("postmaster.pid"))
            url = settings.require("database_url").replace("+psycopg", "")
            yield Town(url, connection_id, web.pid, int(postmaster.read_text().split()[0]))
        finally:
            web.terminate()
            web.wait(30)


def _connect(settings: Settings) -> UUID:
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
    return row.id


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
