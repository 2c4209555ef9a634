"""`/embed.js`, which shows the notice in the operator's own app, and `/embed/notice`, where it asks what to show.

A browser is told nothing but what its customer's own page shows: a sentence and the link to that page. Who may ask is
proven by a signed token; where it may be shown is for the operator to say, by origins.
"""

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from app.accounts import api_keys, embed_tokens
from app.accounts.api_keys import Holder
from app.accounts.embed_tokens import TokenExpired, TokenInvalid
from app.api import problems
from app.api.blueprint import context, now, throttle, wall_now
from app.api.notice import Kind, Notice, find_notice
from app.api.problems import Refused, too_many
from app.api.throttle import NOTICES_OF_ADDRESS, OF_NOTICE
from app.crypto import SecretUnreadable
from app.log import get_logger
from app.models import Organization
from app.vocabulary import ApiScope

SCRIPT = Path(__file__).parent / "static" / "embed.js"
LONGEST_LANGUAGE = 35

log = get_logger(__name__)
embed = Blueprint("embed", __name__)


class NoticeShape(BaseModel):
    """What there is to show."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: Kind
    language: str
    direction: str
    text: str
    action: str
    dismiss: str
    url: str


class NoticeAnswer(BaseModel):
    """The notice, or null when there is no problem."""

    notice: NoticeShape | None


@embed.get("/embed.js")
def script() -> ResponseReturnValue:
    """The script itself: any page may load it, and it learns nothing without a token."""
    content, etag = _script()
    response = Response(content, mimetype="text/javascript")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=3600, stale-if-error=86400"
    response.set_etag(etag)
    return response.make_conditional(request)


@embed.get("/embed/notice")
def notice() -> ResponseReturnValue:
    """What to show to the customer of this token."""
    _count("token " + request.args.get("token", ""))
    signer, customer = _customer_of(request.args.get("token", ""))
    language = request.args.get("language", "")[:LONGEST_LANGUAGE] or None
    with context().database.organization(signer.organization_id) as session:
        _check_origin(session.get_one(Organization, signer.organization_id))
        found = find_notice(session, context().settings, customer, language, now())
    return Response(_answer(found).model_dump_json(), mimetype="application/json")


@embed.after_request
def _keep_private(response: Response) -> Response:
    if request.endpoint != "embed.script":
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex"
        response.headers["Vary"] = "Origin"
        if origin := g.get("embed_origin"):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@embed.errorhandler(Refused)
def _refused(refused: Refused) -> ResponseReturnValue:
    return problems.respond(refused.status, refused.detail, refused.errors, refused.headers)


@embed.errorhandler(HTTPException)
def _http_problem(error: HTTPException) -> ResponseReturnValue:
    return problems.respond(error.code or 500, error.description or "Look at docs/embedding.md and ask again.")


@embed.errorhandler(OperationalError)
def _database_away(_error: OperationalError) -> ResponseReturnValue:
    return problems.respond(503, "Show nothing, and ask again with the next page.", headers={"Retry-After": "60"})


def _customer_of(token: str) -> tuple[Holder, str]:
    """The key that signed the token, and the customer it is for; raises `Refused`."""
    try:
        claimed, wall = embed_tokens.take_apart(token), wall_now()
        with context().database.system() as session:
            found = api_keys.find_signer(session, context().keys, claimed.prefix, wall)
        if found is None or ApiScope.WRITE not in found[0].scopes:
            raise TokenInvalid("no key in force has the prefix that `kid` names and may sign")
        return found[0], embed_tokens.read(claimed, found[1], wall)
    except (TokenInvalid, TokenExpired) as problem:
        raise Refused(401, f"{str(problem)[:1].upper()}{str(problem)[1:]}.") from None
    except SecretUnreadable as problem:
        log.error("embed.secret_unreadable")
        raise Refused(503, "The key's signing secret cannot be read; `recoup doctor` says why.") from problem


def _check_origin(organization: Organization) -> None:
    """Let in the origins that the operator named. Who sends none is no page of another site."""
    origin = request.headers.get("Origin")
    if origin is None:
        return
    if origin not in organization.embed_origins:
        raise Refused(403, "This origin is not allowed. Name it in the console under API, Embedded notice.")
    g.embed_origin = origin


def _count(token: str) -> None:
    for item, who in ((NOTICES_OF_ADDRESS, request.remote_addr or "unknown"), (OF_NOTICE, token)):
        if wait := throttle().take(item, who, wall_now()):
            raise too_many(wait)


def _answer(found: Notice | None) -> NoticeAnswer:
    return NoticeAnswer(notice=NoticeShape.model_validate(found) if found else None)


@cache
def _script() -> tuple[bytes, str]:
    content = SCRIPT.read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:32]
