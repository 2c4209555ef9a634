"""What a request of the console stands in: its context, its person, its organization's rows, its two clocks."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import cast

from flask import current_app, g
from sqlalchemy.orm import Session

from app.accounts.sign_in import SignedIn
from app.clock import SystemClock
from app.context import Context

_WALL = SystemClock()


def context() -> Context:
    """The ground floor this process was given."""
    return cast(Context, current_app.extensions["recoup"])


def person() -> SignedIn:
    """Whoever is signed in; only for requests that the gate has let through."""
    return cast(SignedIn, g.signed_in)


def find_person() -> SignedIn | None:
    """Whoever is signed in, None on the sign-in page and on pages for strangers."""
    return cast("SignedIn | None", g.get("signed_in"))


def now() -> datetime:
    """The time of billing, which a sandbox can turn. Read once for each request."""
    if "now" not in g:
        g.now = context().clock.now()
    return cast(datetime, g.now)


def wall_now() -> datetime:
    """The wall's time, for sign-ins only (see `app.accounts.sign_in`)."""
    return _WALL.now()


@contextmanager
def rows() -> Iterator[Session]:
    """One transaction that sees the rows of the person's organization."""
    with context().database.organization(person().organization.organization_id) as session:
        yield session
