"""What every desk page is drawn with: the frame's facts, moments and money in words, and answers to a press."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from app.clock import ClockWouldRunBack
from app.money import Money, format_money
from app.sandbox.control.desk import Desk
from app.sandbox.desk_pages.turner import Turner
from app.sandbox.errors import StripeRefusal
from app.sandbox.periods import moment

_SEAL = secrets.token_bytes(32)
Action = Callable[..., Any]
Route = tuple[str, str, str, Action]
_CALM = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@dataclass(frozen=True)
class Pages:
    """What the pages act on. `console_url` leads to the program that this sandbox belongs to, where that is known."""

    desk: Desk
    turner: Turner
    console_url: str | None = None

    def show(self, template: str, **values: Any) -> str:
        """One of the templates, in the frame."""
        return render_template(
            f"desk/{template}.html",
            now=self.desk.accounts.platform.clock.now(),
            turner=self.turner,
            console_url=self.console_url,
            when=when,
            money=money,
            said=_heard(),
            **values,
        )

    def view(self, action: Action) -> Callable[..., Any]:
        """A Flask view around `action`, whose refusals become a page that says why."""

        def respond(**ids: str) -> Any:
            try:
                return action(**ids)
            except StripeRefusal as refusal:
                back = request.referrer if _is_ours(request.referrer) else None
                return self.show("refused", why=str(refusal), back=back), refusal.status
            except ClockWouldRunBack as problem:
                return self.show("refused", why=str(problem), back=None), 400

        return respond


def guard() -> Response | None:
    """Refuse a press that came from another site's page: nobody else may play here."""
    foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if request.method == "POST" and (foreign or (origin is not None and not _is_ours(origin))):
        return Response("This press came from another site, and nothing was done.", status=403, mimetype="text/plain")
    return None


def keep_calm(response: Response) -> Response:
    """No scripts, no frames, nothing from elsewhere, nothing kept."""
    response.headers["Content-Security-Policy"] = _CALM
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if response.mimetype == "text/html":
        response.headers["Cache-Control"] = "no-store"
    return response


def go(page: str, said: str | None = None, **ids: Any) -> Answer:
    """To a page, with a sentence about what was done."""
    seal = _seal(said) if said else None
    return redirect(url_for(f"desk.{page}", said=said, seal=seal, **ids), 303)


def when(value: datetime | int | None) -> str:
    """A moment in words, UTC; a dash for none."""
    if value is None:
        return "–"
    at = moment(value) if isinstance(value, int) else value
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}"


def money(minor: int, currency: str) -> str:
    """An amount in words."""
    return format_money(Money(minor, currency))


def _heard() -> str | None:
    """What `go` said. Anybody can write a link; only what this process has sealed is shown as its own words."""
    said, seal = request.args.get("said"), request.args.get("seal", "")
    return said if said and hmac.compare_digest(seal.encode(), _seal(said).encode()) else None


def _seal(said: str) -> str:
    return hmac.new(_SEAL, said.encode(), "sha256").hexdigest()[:16]


def _is_ours(address: str | None) -> bool:
    return bool(address) and urlsplit(str(address)).netloc == request.host
