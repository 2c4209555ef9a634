"""`recoup web`, `worker`, `clock`, `migrate`: the processes of the Procfile, each in the foreground.

Worker and clock live in `workers`, which nothing here imports: this process becomes them.
"""

import logging
import os
import sys

import click
from granian.constants import Interfaces
from granian.server import Server

from app import log, schema
from app.cli.common import for_people
from app.errors import RecoupError
from app.installation import check, complete
from app.settings import Settings

THREADS = 8  # of each web process


class NoDatabase(RecoupError):
    """No database is configured, and none of `recoup up` is running from this home."""


@click.command("web")
@for_people
def web() -> None:
    """Serve the console, the payment page and the webhooks on PORT."""
    settings = check(complete(Settings()))
    logging.getLogger("_granian").addFilter(_is_news)
    Server(
        "workers.web:app",
        address="127.0.0.1" if settings.sandbox else "0.0.0.0",  # noqa: S104  (behind the host's own front door)
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.web_workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        log_access=False,
        websockets=False,
    ).serve()


def _is_news(record: logging.LogRecord) -> bool:
    """Not that the threads outnumber the cores: they wait for Postgres, and so many take in the most (benchmarks)."""
    return f"up to {THREADS} Python threads" not in record.getMessage()


@click.command("worker")
@for_people
def worker() -> None:
    """Do what bells ring for: webhooks, steps, mails, charges."""
    _become("worker")


@click.command("clock")
@for_people
def run_clock() -> None:
    """Find what is due or was left behind and ring for it. Any number may run."""
    _become("clock")


@click.command("migrate")
@for_people
def migrate() -> None:
    """Bring the database to the newest schema (the Procfile's release)."""
    log.configure("migrate")
    settings = complete(Settings())
    if not settings.database_url:
        raise NoDatabase(
            "there is no database to migrate: set DATABASE_URL, or start `recoup up` (make run), which brings its own"
            " PostgreSQL and migrates it"
        )
    schema.upgrade(settings.database_url)
    click.echo(f"The database is at {schema.newest_revision()}.")


def _become(process: str) -> None:
    check(complete(Settings()))
    os.execv(sys.executable, [sys.executable, "-m", "workers", process])  # noqa: S606  (our own interpreter)
