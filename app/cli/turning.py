"""Turning everybody's clock, and the sandbox's control API that it is turned with.

Knows when the pretend Stripe and Recoup have something to do next, and when both have come to rest; not what it is.
"""

import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import click
import requests

from app.bell import Urgency
from app.context import Context
from app.errors import RecoupError
from app.inbox.errands import upkeep
from app.recovery.coming import is_at_rest, next_moment

KEY = "rk_test_sandbox"  # which every sandbox has
REST_WITHIN = 90.0  # real seconds; longer than a lease, so that work of a process that died is waited for
LONGEST = timedelta(days=3660)
_SPAN = re.compile(r"^(\d+(?:\.\d+)?)\s*(m|h|d|w)$")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LOOK_EVERY = 0.02
_JOBS_END_WITHIN = 5.0  # real seconds; what a killed worker left in the queue's books is not waited for


class SandboxMissing(RecoupError):
    """The command is for a sandbox installation that is running."""


class SandboxRefused(RecoupError):
    """The sandbox does not do what it was asked; the text is its own."""


class Sandbox:
    """The sandbox of a running installation, as a person at its controls and in its dashboard sees it."""

    def __init__(self, context: Context) -> None:
        self._base = context.settings.require("stripe_api_base")
        self._session = requests.Session()
        # A proxy for the outside world is no way to ourselves.
        self._session.trust_env = False

    def control(self, path: str, /, **body: Any) -> dict[str, Any]:
        """Ask for something to happen; raises `SandboxMissing`, `SandboxRefused`."""
        return self._ask("POST", f"_sandbox/{path}", json=body)

    def read(self, path: str, /) -> dict[str, Any]:
        """What the control API tells; raises like `control`."""
        return self._ask("GET", f"_sandbox/{path}")

    def remove(self, path: str, /) -> dict[str, Any]:
        """Have something end; raises like `control`."""
        return self._ask("DELETE", f"_sandbox/{path}")

    def clock(self) -> dict[str, Any]:
        """Its clock's reading: `now`, `next_event_at`, `pending_deliveries`."""
        return self.read("clock")

    def api(self, method: str, path: str, /, **form: str) -> dict[str, Any]:
        """Stripe's API, for what an operator does in the dashboard."""
        return self._ask(method, f"v1/{path}", auth=(KEY, ""), **{"params" if method == "GET" else "data": form})

    def _ask(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        try:
            answer = self._session.request(method, f"{self._base}/{path}", timeout=120, **given)
        except requests.RequestException as problem:
            raise SandboxMissing("the sandbox does not answer; is Recoup running (make run)?") from problem
        if not answer.ok:
            raise SandboxRefused(_refusal(answer))
        found: dict[str, Any] = answer.json()
        return found


def open_sandbox(context: Context) -> Sandbox:
    """The sandbox of this installation; raises `SandboxMissing` where it has none."""
    if not context.settings.sandbox:
        raise SandboxMissing("this installation has no sandbox; start one with `make run`")
    return Sandbox(context)


def parse_span(span: str) -> timedelta:
    """A span of time as people write it: `90m`, `12h`, `3d`, `2w`; raises a usage error."""
    found = _SPAN.match(span.strip().lower())
    if found is None:
        raise click.UsageError(f"{span!r} is no span of time; write 90m, 12h, 3d or 2w")
    try:
        wanted = timedelta(**{_UNITS[found[2]]: float(found[1])})
    except OverflowError:
        wanted = timedelta.max
    if wanted > LONGEST:
        raise click.UsageError(f"{span} is further than the clock can be turned at once; ten years are the most")
    return wanted


def hops(context: Context, sandbox: Sandbox, target: datetime, *, looks_ahead: bool = True) -> Iterator[datetime]:
    """Turn the clock to `target`, stopping wherever the sandbox or Recoup has something due, and, unless told not to,
    once a day for a look at what is due soon; yields each stop.
    """
    while True:
        if looks_ahead:
            _look_ahead(context)
        rest(context, sandbox)
        theirs = sandbox.clock()["next_event_at"]
        moments = [next_moment(context), datetime.fromisoformat(theirs) if theirs else None]
        look = upkeep.next_look_ahead(context) if looks_ahead else None
        moments += [look] if look and look > context.clock.now() else []  # one that rests holds up nothing
        coming = min((moment for moment in moments if moment), default=target)
        if coming >= target:
            break
        _turn(context, sandbox, coming)
        yield coming
    _turn(context, sandbox, target)
    if looks_ahead:
        _look_ahead(context)
    rest(context, sandbox)
    yield target


def _look_ahead(context: Context) -> None:
    for organization, errand in upkeep.look_ahead(context):
        context.bell.ring("run_errand", str(organization), str(errand), urgency=Urgency.NOW)


def rest(context: Context, sandbox: Sandbox) -> None:
    """Wait until webhooks are delivered and nothing due is left; raises `SandboxMissing` when nobody works."""
    begin = looked = time.monotonic()
    while looked - begin < REST_WITHIN:
        # In this order, work cannot pass behind our back: jobs make webhooks, and webhooks make rows.
        is_silent = context.bell.is_silent() or looked - begin > _JOBS_END_WITHIN
        has_arrived = is_silent and not sandbox.clock()["pending_deliveries"]
        if has_arrived and is_at_rest(context) and not upkeep.is_looking_ahead(context):
            return
        time.sleep(_LOOK_EVERY)
        looked = time.monotonic()
    raise SandboxMissing(
        "Recoup does not finish what is due; is it running (make run), and what do the files in"
        f" {context.settings.home / 'logs'} say?"
    )


def _turn(context: Context, sandbox: Sandbox, moment: datetime) -> None:
    """Turn the clock, and have due rows looked for now rather than at the clock process's next round."""
    if moment > context.clock.now():
        sandbox.control("clock", to=moment.isoformat())
    context.bell.ring("sweep", urgency=Urgency.NOW)


def _refusal(answer: requests.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"the sandbox refused ({answer.status_code})"
