"""What the control routes share: JSON in, JSON out, and the world they act on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify, request

from app.clock import ClockWouldRunBack
from app.sandbox.checks import AnyWish, checked
from app.sandbox.connect import Accounts
from app.sandbox.errors import StripeRefusal, bad_param
from app.sandbox.faults import Faults
from app.sandbox.ledger import Ledger
from app.sandbox.people.walking import People
from app.sandbox.rate_limits import RateLimits
from app.sandbox.store import Doc
from app.sandbox.webhooks import due_deliveries
from app.sandbox.world import World

_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Desk:
    """Every account's world, and the faults; `delivers` says whether webhooks are carried out and mail is answered."""

    accounts: Accounts
    faults: Faults
    limits: RateLimits
    people: People
    delivers: bool = True

    @property
    def world(self) -> World:
        """The account that a request is about: the one that its `Stripe-Account` names, else the platform's."""
        return self.accounts.world(request.headers.get("Stripe-Account"))

    @contextmanager
    def ledger(self, *about: str) -> Iterator[Ledger]:
        """One transaction, at the moment at which what it is `about` lives: on its test clock, if it has one."""
        with self.world.transaction(about=about) as ledger:
            yield ledger

    def settle(self, seconds: float) -> bool:
        """Wait until nothing is under way any more, at most that many real seconds."""
        deadline = time.monotonic() + seconds
        while self.delivers and self.under_way():
            if time.monotonic() >= deadline:
                return False
            for world in self.accounts.all():
                world.bell.set()
            time.sleep(_POLL_SECONDS)
        return True

    def under_way(self) -> int:
        """How many webhooks should have been delivered by now, and how many customers sit at their mail."""
        self.people.collect()
        return self.people.waiting() + sum(due_deliveries(world) for world in self.accounts.all())


def asked(kind: type[AnyWish]) -> AnyWish:
    """What the request asks for; raises a 400 that says what is wrong with it."""
    return checked(kind, body())


def body() -> Doc:
    """The request's JSON object; an absent one is empty. Raises a 400 for anything else."""
    given = request.get_json(force=True, silent=True) if request.get_data() else {}
    if not isinstance(given, dict):
        raise bad_param("body", 'Send a JSON object, such as {"customer": "cus_…"}.', "parameter_invalid_object")
    return given


def view(action: Callable[..., Any]) -> Callable[..., Response]:
    """A Flask view around `action`, whose refusals become JSON with a `message`."""

    def respond(**ids: str) -> Response:
        try:
            return jsonify(action(**ids))
        except StripeRefusal as refusal:
            return _problem(refusal.status, str(refusal))
        except ClockWouldRunBack as problem:
            return _problem(400, str(problem))

    return respond


def _problem(status: int, message: str) -> Response:
    response = jsonify({"error": {"message": message}})
    response.status_code = status
    return response
