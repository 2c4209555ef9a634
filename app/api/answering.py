"""Each operation on its route: what came in is checked, its view is called, and the answer gets its ETag."""

from collections.abc import Callable
from typing import Any

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from app.api.blueprint import api
from app.api.operations import OPERATIONS, Nothing, Operation, read_body, read_parameters
from app.api.problems import Refused

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def put_on_routes() -> None:
    """Give every operation its route; called once, when all of them are listed."""
    for listed in OPERATIONS.values():
        api.add_url_rule(listed.rule, listed.name, _answering(listed), methods=[listed.method])
    api.add_url_rule("/", "nothing_here", nothing_here, methods=METHODS, defaults={"rest": ""})
    api.add_url_rule("/<anything:rest>", "nothing_here", nothing_here, methods=METHODS)


def nothing_here(rest: str) -> ResponseReturnValue:
    """Every address that is no operation's; says so when another method would have been one."""
    known = [method for method in METHODS if _is_known(method)]
    if known:
        raise Refused(405, f"This address is asked with {' or '.join(known)}.", headers={"Allow": ", ".join(known)})
    raise Refused(404, "No operation has this address; /api/v1/openapi.json lists all of them.")


def _answering(listed: Operation) -> Callable[..., ResponseReturnValue]:
    def answer(**values: Any) -> ResponseReturnValue:
        asked = read_parameters(listed.asks or Nothing, request.args)
        if listed.asks is not None:
            values["asked"] = asked
        if listed.takes is not None:
            values["body"] = read_body(listed.takes, request.get_data())
        return _respond(listed, listed.view(**values))

    return answer


def _respond(listed: Operation, found: BaseModel) -> ResponseReturnValue:
    response = Response(found.model_dump_json(), mimetype="application/json")
    if listed.method != "GET":
        response.headers["Cache-Control"] = "no-store"
        return response
    if listed.max_age:
        # An answer that was good a moment ago is better than none: clients may go on with it while Recoup is away.
        response.headers["Cache-Control"] = f"private, max-age={listed.max_age}, stale-if-error=86400"
    response.add_etag()
    return response.make_conditional(request)


def _is_known(method: str) -> bool:
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None, "a request has an address"
    try:
        endpoint, _ = adapter.match(method=method)
    except (RequestRedirect, HTTPException):
        return False
    return bool(endpoint != "api.nothing_here")
