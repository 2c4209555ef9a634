"""The blueprint that every route of the API hangs on: whose key a request brings, and what every answer has in common.

Deny by default: a route that is not listed among the operations, or among those for strangers, is answered to nobody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import cast

from flask import Blueprint, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.routing import BaseConverter

from app.accounts import api_keys
from app.accounts.api_keys import Holder
from app.api import problems
from app.api.operations import OPERATIONS
from app.api.problems import Refused, too_many
from app.api.throttle import OF_KEY, WRONG_KEYS, ApiThrottle
from app.clock import SystemClock
from app.context import Context
from app.log import get_logger

THROTTLE = "recoup.api_throttle"
FOR_STRANGERS = frozenset({"api.openapi", "api.nothing_here"})

log = get_logger(__name__)
api = Blueprint("api", __name__, url_prefix="/api/v1")
_WALL = SystemClock()


class Anything(BaseConverter):
    """The rest of an address, whatever it is made of; Werkzeug's `path` stops at the end of a line."""

    part_isolating = False
    regex = "(?s:.+)"


@api.record_once
def _prepare(state: BlueprintSetupState) -> None:
    """Give the app what these routes need. They know no cookie, so no form token could guard them."""
    made: Context = state.app.extensions["recoup"]
    state.app.extensions[THROTTLE] = ApiThrottle(made.settings.require("redis_url"))
    state.app.url_map.converters["anything"] = Anything
    csrf = state.app.extensions.get("csrf")
    if csrf is not None:
        csrf.exempt(api)


def context() -> Context:
    """The ground floor this process was given."""
    return cast(Context, current_app.extensions["recoup"])


def throttle() -> ApiThrottle:
    """What counts requests."""
    return cast(ApiThrottle, current_app.extensions[THROTTLE])


def holder() -> Holder:
    """Whose key this request brought; only for requests that were let in."""
    return cast(Holder, g.api_holder)


def now() -> datetime:
    """The time of billing, which a sandbox can turn. Read once for each request."""
    if "now" not in g:
        g.now = context().clock.now()
    return cast(datetime, g.now)


def wall_now() -> datetime:
    """The wall's time, for keys, tokens and limits (see `app.accounts.api_keys`)."""
    return _WALL.now()


@contextmanager
def rows() -> Iterator[Session]:
    """One transaction that sees the rows of the key's organization."""
    with context().database.organization(holder().organization_id) as session:
        yield session


@api.before_request
def _let_in() -> None:
    if request.endpoint in FOR_STRANGERS:
        return
    operation = OPERATIONS.get(request.endpoint or "")
    if operation is None:
        raise Refused(403, "No key opens this address.")
    g.api_holder = found = _find_holder()
    if wait := throttle().take(OF_KEY, str(found.key_id), wall_now()):
        raise too_many(wait)
    if operation.scope not in found.scopes:
        raise Refused(
            403, f"The key “{found.name}” lacks the scope `{operation.scope}`. Make one that has it in the console."
        )


def _find_holder() -> Holder:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    found = None
    if scheme.lower() == "bearer" and given.strip():
        with context().database.system() as session:
            found = api_keys.find_holder(session, given.strip(), wall_now())
    if found is None:
        if wait := throttle().take(WRONG_KEYS, request.remote_addr or "unknown", wall_now()):
            raise too_many(wait)
        raise Refused(
            401,
            "Send a key as `Authorization: Bearer rcp_…`. It may be mistyped, revoked, or its time over; keys are made"
            " in the console under API.",
            headers={"WWW-Authenticate": 'Bearer realm="Recoup"'},
        )
    return found


@api.after_request
def _keep_private(response: Response) -> Response:
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.headers["Vary"] = "Authorization"
    return response


@api.errorhandler(Refused)
def _refused(refused: Refused) -> ResponseReturnValue:
    return problems.respond(refused.status, refused.detail, refused.errors, refused.headers)


@api.errorhandler(HTTPException)
def _http_problem(error: HTTPException) -> ResponseReturnValue:
    return problems.respond(error.code or 500, error.description or "Look at /api/v1/openapi.json and ask again.")


@api.errorhandler(OperationalError)
def _database_away(error: OperationalError) -> ResponseReturnValue:
    log.error("api.database_away", problem=type(error.orig).__name__)
    return problems.respond(503, "Nothing was changed. Ask again in a moment.", headers={"Retry-After": "5"})


@api.errorhandler(InternalServerError)
def _our_fault(_error: InternalServerError) -> ResponseReturnValue:
    return problems.respond(500, "Nothing was changed. The log of the web process says what happened.")
