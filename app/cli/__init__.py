"""The `recoup` command. One file a group of commands; each is thin."""

import click

from app.cli.connect import connect
from app.cli.inbox import inbox
from app.cli.keys import keys
from app.cli.processes import migrate, run_clock, web, worker
from app.cli.report import report
from app.cli.sandbox import sandbox
from app.cli.up import up
from app.cli.users import users
from app.cli.verify import verify


@click.group()
@click.version_option(package_name="recoup")
def main() -> None:
    """Failed-payment recovery for Stripe subscriptions that you host yourself."""


for command in (connect, inbox, keys, migrate, report, run_clock, sandbox, up, users, verify, web, worker):
    main.add_command(command)
