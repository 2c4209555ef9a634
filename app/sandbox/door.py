"""The way in for API requests: key, faults, idempotency, parameters, one transaction, Stripe's headers.

Handlers are plain functions of a ledger and parameters; they know nothing of HTTP.
"""

import socket
import time
from collections.abc import Callable
from typing import Any

import orjson
from flask import Response, g, request

from app.log import get_logger
from app.sandbox import forms, idempotency, ids, permissions, test_clocks
from app.sandbox.connect import Accounts
from app.sandbox.errors import Missing, StripeRefusal, missing
from app.sandbox.expand import Shape, expanded
from app.sandbox.faults import REQUEST_FAULTS, Fault, Faults
from app.sandbox.idempotency import Answer
from app.sandbox.ledger import API_VERSION, Ledger, Mark
from app.sandbox.params import Params
from app.sandbox.rate_limits import RateLimits
from app.sandbox.store import Doc
from app.sandbox.versions.events import default_version
from app.sandbox.versions.published import refuse_unknown
from app.sandbox.versions.shapes import is_old, shaped
from app.sandbox.world import World

Handler = Callable[..., Doc]
Route = tuple[str, str, Handler]

log = get_logger(__name__)
ENDED_WITH_BASIL = "/v1/invoices/upcoming"  # later versions have `create_preview` instead
_FORMS_ALONE = "v1"
_FORM = "send the parameters as application/x-www-form-urlencoded."


class ConnectionCut(Exception):
    """The fault that drops the connection without an answer."""


class Door:
    """Turns handlers into Flask views."""

    def __init__(self, accounts: Accounts, faults: Faults, limits: RateLimits) -> None:
        self._accounts = accounts
        self._faults = faults
        self._limits = limits
        self._in_flight = idempotency.InFlight()

    def view(self, handler: Handler) -> Callable[..., Response]:
        """A Flask view around one handler."""

        def respond(**path_ids: str) -> Response:
            return self._respond(handler, path_ids)

        return respond

    def unknown_url(self) -> Response:
        """404 in Stripe's words."""
        refusal = StripeRefusal(404, f"Unrecognized request URL ({request.method}: {request.path}).", executed=False)
        return _http(_refused(refusal, _request_id()), refusal.headers)

    def broken(self) -> Response:
        """500 in Stripe's words, for a mistake of the sandbox itself."""
        return _http(_refused(_server_error(), _request_id()))

    def _respond(self, handler: Handler, path_ids: dict[str, str]) -> Response:
        request_id = _request_id()
        try:
            world = self._admitted()
            g.stripe_version = _version(world)
            _refuse_what_has_ended(g.stripe_version)
            fault = self._faults.strike(REQUEST_FAULTS, request.path, request.method)
            _before(fault)
            answer = self._answer(world, handler, path_ids, request_id, fault)
        except StripeRefusal as refusal:
            return _http(_refused(refusal, request_id), refusal.headers)
        except ConnectionCut:
            return _drop()
        if fault and fault.kind == "cut_after":
            return _drop()
        return _http(answer)

    def _admitted(self) -> World:
        """The world that this request may act on; raises a 401, a 403 or a 429."""
        key = permissions.known(self._accounts.platform.store, _key_of(request.authorization))
        account = request.headers.get("Stripe-Account") or request.headers.get("Stripe-Context")
        world = self._accounts.world(account, permissions.masked(key["id"]))
        permissions.check(key, request.method, request.path, world.account)
        self._limits.admit(world.account, f"{request.method} {request.url_rule}")
        return world

    def _answer(
        self, world: World, handler: Handler, path_ids: dict[str, str], request_id: str, fault: Fault | None
    ) -> Answer:
        given = _given()
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        if key is not None and len(key) > idempotency.LONGEST_KEY:
            raise StripeRefusal(400, "Idempotency keys may have at most 255 characters.", executed=False)
        print_of_request = idempotency.fingerprint(request.method, request.path, given)
        with self._in_flight.hold(key and f"{world.account}/{key}"):
            _dawdle(fault)
            about = [*path_ids.values(), *(value for value in given.values() if isinstance(value, str))]
            with world.transaction(mark=Mark(request_id, key), about=about) as ledger:
                kept = idempotency.recall(ledger.store, key, print_of_request, ledger.wall) if key else None
                if kept is not None:
                    return kept
                if request.method != "GET":
                    test_clocks.refuse_while_advancing(ledger, request.path)
                answer, lasting = _run(handler, ledger, given, path_ids, request_id, fault, g.stripe_version)
                if key and lasting:
                    idempotency.keep(ledger.store, key, print_of_request, answer, ledger.wall)
                return answer


def _run(
    handler: Handler,
    ledger: Ledger,
    given: dict[str, Any],
    path_ids: dict[str, str],
    request_id: str,
    fault: Fault | None,
    version: str,
) -> tuple[Answer, bool]:
    """The answer, and whether it belongs to the idempotency key."""
    try:
        with ledger.attempt():
            if fault and fault.kind == "http_500":
                raise _server_error()
            params = Params(given)
            paths = params.texts("expand")
            doc = handler(ledger, params, **path_ids)
            params.refuse_unknown()
            body = expanded(ledger, doc, paths, _shape_of(ledger, version))
            if fault and fault.kind == "http_500_after":
                raise _server_error(keeps_effects=True)
    except StripeRefusal as refusal:
        if isinstance(refusal, Missing) and not refusal.is_in(path_ids):
            refusal.status = 400
        return _refused(refusal, request_id), refusal.executed
    return Answer(200, orjson.dumps(body, option=orjson.OPT_INDENT_2), request_id), True


def _version(world: World) -> str:
    """The API version of this request: the one it names, else the account's. Raises the 400 of one that never was."""
    named = request.headers.get("Stripe-Version")
    if named:
        refuse_unknown(named)
    return named or default_version(world.store, API_VERSION)


def _refuse_what_has_ended(version: str) -> None:
    if request.path == ENDED_WITH_BASIL and not is_old(version):
        raise missing("invoice", request.path.rpartition("/")[2])


def _shape_of(ledger: Ledger, version: str) -> Shape:
    return (lambda doc: shaped(ledger, doc, version)) if is_old(version) else (lambda doc: doc)


def _server_error(*, keeps_effects: bool = False) -> StripeRefusal:
    return StripeRefusal(500, "An unknown error occurred", kind="api_error", keeps_effects=keeps_effects)


def _before(fault: Fault | None) -> None:
    if fault and fault.kind == "cut_before":
        raise ConnectionCut
    if fault and fault.kind == "http_429":
        raise StripeRefusal(
            429, "Request rate limit exceeded. Slow down and try again.", code="rate_limit", executed=False
        )


def _dawdle(fault: Fault | None) -> None:
    if fault and fault.kind == "slow":
        time.sleep(fault.seconds or 0)


def _given() -> dict[str, Any]:
    """The request's parameters: JSON for v2, else a form or a query."""
    if request.method == "POST" and request.is_json:
        if request.path.startswith(f"/{_FORMS_ALONE}/"):
            raise StripeRefusal(400, f"/{_FORMS_ALONE} takes forms alone: {_FORM}", executed=False)
        return forms.from_json(request.get_json(silent=True))
    pairs = request.form if request.method == "POST" else request.args
    return forms.decode(pairs.items(multi=True))


def _key_of(authorization: Any) -> str:
    """The bearer token, or the user name of basic authorization; raises the 401 where there is none."""
    token = authorization and (authorization.token or authorization.username)
    if not token:
        raise StripeRefusal(
            401,
            "You did not provide an API key. Send it as a bearer token in the Authorization header.",
            executed=False,
        )
    return str(token)


def _request_id() -> str:
    return f"req_{ids.random_text(14)}"


def _refused(refusal: StripeRefusal, request_id: str) -> Answer:
    log_url = f"https://dashboard.stripe.com/test/logs/{request_id}"
    body = {"error": {**refusal.error, "request_log_url": log_url}}
    return Answer(refusal.status, orjson.dumps(body, option=orjson.OPT_INDENT_2), request_id)


def _http(answer: Answer, extra: dict[str, str] | None = None) -> Response:
    response = Response(answer.body, status=answer.status, mimetype="application/json")
    response.headers["Request-Id"] = _request_id() if answer.replayed else answer.request_id
    response.headers["Stripe-Version"] = g.get("stripe_version", API_VERSION)
    account = request.headers.get("Stripe-Account")
    if account:
        response.headers["Stripe-Account"] = account
    key = request.headers.get("Idempotency-Key")
    if key:
        response.headers["Idempotency-Key"] = key
        response.headers["Original-Request"] = answer.request_id
    if answer.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    if answer.status == 402:
        response.headers["Stripe-Should-Retry"] = "false"
    response.headers.update(extra or {})
    return response


def _drop() -> Response:
    """Close the client's connection with nothing on it."""
    connection = request.environ.get("werkzeug.socket")
    if connection is None:
        raise ConnectionCut
    connection.shutdown(socket.SHUT_RDWR)
    return Response(status=500)
