"""Pages for when something is not as asked: each says what happened and what to do next."""

from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.routing import RequestRedirect

from app.console.blueprint import console
from app.console.gate import page_values
from app.log import get_logger

log = get_logger(__name__)
FOR_PROGRAMS = ("/api/", "/webhooks/", "/pay/", "/healthz", "/readyz", "/metrics")


@dataclass(frozen=True)
class Problem:
    """What a problem page says."""

    title: str
    advice: str


PROBLEMS = {
    400: Problem("That request was not complete", "Go back, reload the page and try again."),
    403: Problem("You may not do this", "Ask an owner of this organization to do it or to change your role."),
    404: Problem(
        "There is nothing here",
        "The address may be mistyped, or it belongs to another of your organizations: switch there and try again.",
    ),
    405: Problem("That address is not opened this way", "Go to the page it belongs to and use the button there."),
    500: Problem(
        "Something went wrong on our side",
        "Nothing was lost: what was begun is finished by the clock process. Try again; the log of the web process "
        "says what happened.",
    ),
    503: Problem(
        "Recoup cannot reach its database",
        "Webhooks are kept by Stripe meanwhile and come again. Check that PostgreSQL is running, then reload.",
    ),
}


@console.app_errorhandler(HTTPException)
def _http_problem(error: HTTPException) -> ResponseReturnValue:
    if request.blueprint not in (None, "console") or request.path.startswith(FOR_PROGRAMS):
        return error
    if isinstance(error, RequestRedirect):
        return error
    is_said_by_us = error.code in (400, 403) and error.description != type(error).description
    return _page(error.code or 500, error.description if is_said_by_us else None)


@console.errorhandler(CSRFError)
def _form_expired(_error: CSRFError) -> ResponseReturnValue:
    return _page(400, "That form was open for too long, so nothing was done. Go back, reload the page, try again.")


@console.errorhandler(OperationalError)
def _database_away(error: OperationalError) -> ResponseReturnValue:
    log.error("console.database_away", problem=type(error.orig).__name__)
    return _page(503)


@console.errorhandler(InternalServerError)
def _our_fault(_error: InternalServerError) -> ResponseReturnValue:
    return _page(500)


def _page(code: int, advice: str | None = None) -> ResponseReturnValue:
    problem = PROBLEMS.get(code) or Problem("That did not work", "Go back and try again.")
    page = render_template(
        "console/problem.html", **page_values(), code=code, title=problem.title, advice=advice or problem.advice
    )
    return page, code
