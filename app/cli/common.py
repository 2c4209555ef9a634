"""What every command needs: the context of the installation it speaks to, and errors as sentences instead of traces."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click
from sqlalchemy import select
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError

from app import log
from app.context import Context, make_context
from app.errors import RecoupError
from app.installation import check, complete
from app.models import Organization
from app.schema import is_current
from app.settings import Settings

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class OrganizationUnclear(RecoupError):
    """The command needs one organization, and it is not clear which."""


def open_context() -> Context:
    """The context of the installation that the environment or this folder's home names; raises `NotRunning`.

    Its connections are closed when the command ends.
    """
    log.configure("cli")
    context = make_context(check(complete(Settings())))
    command = click.get_current_context(silent=True)
    if command:
        command.call_on_close(context.database.dispose)
        command.call_on_close(context.bell.redis.close)
    return context


def find_organization(context: Context, slug: str | None) -> Organization:
    """The organization called `slug`, or the only one there is; raises `OrganizationUnclear`."""
    with context.database.system() as session:
        found = list(session.scalars(select(Organization).order_by(Organization.slug)))
    chosen = [each for each in found if slug in (None, each.slug)]
    if len(chosen) == 1:
        return chosen[0]
    if not found:
        raise OrganizationUnclear(
            "there is no organization yet; make one with `recoup users create --organization SLUG`"
        )
    names = ", ".join(each.slug for each in found)
    raise OrganizationUnclear(f"there is no organization {slug}: {names}" if slug else f"name one of: {names}")


def for_people(command: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """Show what went wrong as one sentence and exit with 1; anything unforeseen still shows its trace."""

    @wraps(command)
    def run(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        try:
            return command(*args, **kwargs)
        except RecoupError as problem:
            raise click.ClickException(str(problem)) from problem
        except (DataError, ProgrammingError) as problem:
            if is_current(complete(Settings()).require("database_url")):
                raise
            raise click.ClickException("the database is empty or of another version: run `recoup migrate`") from problem
        except OperationalError as problem:
            reason = str(problem.orig).strip().splitlines()[0]
            raise click.ClickException(f"Postgres cannot be used: {reason}. Is Recoup running (make run)?") from problem

    return run


def many(count: int, noun: str) -> str:
    """ "1 case" and "2 cases"; for nouns that take an s."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
