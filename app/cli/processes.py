"""`recoup web`, `worker`, `clock`, `migrate`: the processes of the Procfile, each in the foreground."""

import click
from granian.constants import Interfaces
from granian.server import Server

from app import log, schema
from app.cli.common import for_people
from app.cli.local import complete
from app.settings import Settings
from workers import boot, clock, pool


@click.command("web")
@for_people
def web() -> None:
    """Serve the console, the payment page and the webhooks on PORT."""
    settings = complete(Settings())
    for name in ("database_url", "redis_url", "secret_key", "encryption_keys"):
        settings.require(name)
    Server(
        "workers.web:app",
        address="127.0.0.1" if settings.sandbox else "0.0.0.0",  # noqa: S104  (behind the host's own front door)
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.web_workers,
        blocking_threads=4,
        respawn_failed_workers=True,
        log_access=False,
        websockets=False,
    ).serve()


@click.command("worker")
@for_people
def worker() -> None:
    """Do what bells ring for: webhooks, steps, mails, charges."""
    pool.Pool(boot.begin("worker")).run()


@click.command("clock")
@for_people
def run_clock() -> None:
    """Find what is due or was left behind and ring for it. Any number may run."""
    clock.run(boot.begin("clock"))


@click.command("migrate")
@for_people
def migrate() -> None:
    """Bring the database to the newest schema (the Procfile's release)."""
    log.configure("migrate")
    schema.upgrade(complete(Settings()).require("database_url"))
    click.echo(f"The database is at {schema.newest_revision()}.")
