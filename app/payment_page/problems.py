"""Pages for when it does not go as hoped: each is kind, says that nothing is charged twice, and what to do next."""

from dataclasses import dataclass

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

from app.accounts.connections import mark_broken
from app.context import Context
from app.links import LinkExpired, LinkInvalid
from app.log import get_logger
from app.payment_page.blueprint import payment_page
from app.payment_page.fresh_link import page_for_expired
from app.payment_page.standing import Standing
from app.payment_page.stripe_pages import NoSuchPage
from app.payment_page.tickets import TicketInvalid
from app.payment_page.visits import TooOften, find_visit, speak
from app.payment_page.voice import voice_for_stranger
from app.recovery.projections import StaleReading
from app.stripe_gateway.errors import ConnectionBroken, GatewayError, RetryLater

log = get_logger(__name__)
AGAIN_AFTER = 15  # seconds


@dataclass(frozen=True)
class Notice:
    """Which text is said, with which status, and whether the same address is worth another look."""

    text: str
    status: int
    is_worth_reloading: bool = False


INVALID = Notice("invalid", 404)
BUSY = Notice("busy", 429, is_worth_reloading=True)
AWAY = Notice("away", 503, is_worth_reloading=True)
BROKEN = Notice("broken", 503)
OURS = Notice("ours", 500, is_worth_reloading=True)


@payment_page.route("/", defaults={"rest": ""}, methods=("GET", "POST"))
@payment_page.route("/<path:rest>", methods=("GET", "POST"))
def elsewhere(rest: str) -> ResponseReturnValue:
    """An address that lost its end, or has more to it than there is: back to the page itself, if one is named."""
    token, slash, _ = rest.partition("/")
    if not slash:
        raise LinkInvalid("this address names no page")
    return redirect(url_for("payment_page.show", token=token), code=303)


@payment_page.errorhandler(LinkInvalid)
def _invalid(_problem: LinkInvalid) -> ResponseReturnValue:
    return _say(INVALID)


@payment_page.errorhandler(LinkExpired)
def _expired(problem: LinkExpired) -> ResponseReturnValue:
    try:
        return page_for_expired(current_app.extensions["recoup"], problem.link)
    except LinkInvalid:
        return _say(INVALID)


@payment_page.errorhandler(TicketInvalid)
def _old_form(_problem: TicketInvalid) -> ResponseReturnValue:
    """Nothing was done; a fresh showing of the page has a fresh form."""
    return redirect(f"/pay/{(request.view_args or {}).get('token')}", code=303)


@payment_page.errorhandler(TooOften)
def _too_often(_problem: TooOften) -> ResponseReturnValue:
    return _say(BUSY)


@payment_page.errorhandler(StaleReading)
def _others_write(_problem: StaleReading) -> ResponseReturnValue:
    """Several of us read the same invoice at once: the rows will say how it ended."""
    return redirect(f"/pay/{(request.view_args or {}).get('token')}/outcome", code=303)


@payment_page.errorhandler(GatewayError)
def _stripe_problem(problem: GatewayError) -> ResponseReturnValue:
    log.warning("pay.stripe_problem", problem=type(problem).__name__, status=problem.status)
    if isinstance(problem, ConnectionBroken):
        _tell_operator(problem)
    return _say(AWAY if isinstance(problem, RetryLater) else BROKEN, _find_standing())


@payment_page.errorhandler(NoSuchPage)
def _nowhere_to_go(_problem: NoSuchPage) -> ResponseReturnValue:
    return _say(BROKEN, _find_standing())


@payment_page.errorhandler(OperationalError)
def _database_away(problem: OperationalError) -> ResponseReturnValue:
    log.error("pay.database_away", problem=type(problem.orig).__name__)
    return _say(AWAY)


@payment_page.errorhandler(HTTPException)
def _http_problem(problem: HTTPException) -> ResponseReturnValue:
    code = problem.code or 500
    if code < 400:
        return problem
    return _say(OURS if isinstance(problem, InternalServerError) else Notice("invalid", code))


def answer_for(blueprint: Blueprint) -> None:
    """Have another blueprint's pages say the same things when it does not go as hoped."""
    blueprint.register_error_handler(LinkInvalid, _invalid)
    blueprint.register_error_handler(TooOften, _too_often)
    blueprint.register_error_handler(GatewayError, _stripe_problem)
    blueprint.register_error_handler(NoSuchPage, _nowhere_to_go)
    blueprint.register_error_handler(OperationalError, _database_away)
    blueprint.register_error_handler(HTTPException, _http_problem)


def _say(notice: Notice, standing: Standing | None = None) -> ResponseReturnValue:
    """In the language of the customer whose `standing` is known; else in the browser's, naming nobody."""
    context: Context = current_app.extensions["recoup"]
    stranger = voice_for_stranger(request.headers.get("Accept-Language"), context.settings.base_url())
    page = render_template(
        "payment_page/notice.html",
        voice=speak(standing) if standing else stranger,
        merchant=standing.facts.merchant if standing else None,
        text=notice.text,
        again=_again(notice),
    )
    headers = {"Retry-After": str(AGAIN_AFTER)} if notice.is_worth_reloading else {}
    return page, notice.status, headers


def _again(notice: Notice) -> str | None:
    """Where another look is worth it: this very address if looking is all it does, else the page it was sent from."""
    if notice.is_worth_reloading and request.method == "GET":
        return request.full_path.rstrip("?")
    visit = find_visit()
    return f"/pay/{visit.token}" if visit else None


def _find_standing() -> Standing | None:
    """How things stand, where it is only Stripe that there is trouble with."""
    visit = find_visit()
    return visit.standing() if visit else None


def _tell_operator(problem: ConnectionBroken) -> None:
    visit = find_visit()
    if visit is not None:
        mark_broken(visit.context, visit.standing().connection, problem)
