"""Who may see a page: everybody must be signed in, and whoever only reads may not change anything.

Deny by default. A new route is behind this gate without doing anything for it; what strangers may see is listed here.
"""

from urllib.parse import urlsplit

from flask import Response, abort, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import sign_in
from app.console import current, wanted
from app.console.blueprint import console

FOR_STRANGERS = frozenset({"console.sign_in_form", "console.sign_in_submit", "console.static"})
FOR_READERS = frozenset({"console.sign_out", "console.switch_organization"})
HARMLESS_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Sent by the page that refreshes itself: such a request is no sign of a person being there.
REFRESH_HEADER = "X-Recoup-Refresh"


def cookie_name() -> str:
    """The sign-in cookie's name; the prefix makes browsers refuse it from anywhere but this very host."""
    return "__Host-recoup" if is_https() else "recoup"


def is_https() -> bool:
    """Whether people reach this Recoup over TLS."""
    return request.is_secure or current.context().settings.base_url().startswith("https://")


def safe_next(target: str | None) -> str:
    """`target` if it is a path of ours, else the overview: a link may not lead a fresh sign-in to another site."""
    home = url_for("console.overview")
    if not target or not target.startswith("/") or target.startswith("//"):
        return home
    if "\\" in target or any(ord(letter) < 33 or ord(letter) == 127 for letter in target):
        return home
    parts = urlsplit(target)
    return home if parts.scheme or parts.netloc else target


@console.before_request
def _let_in() -> ResponseReturnValue | None:
    if request.endpoint in FOR_STRANGERS:
        return None
    g.signed_in = _find_person()
    if g.signed_in is None:
        return _send_to_sign_in()
    if request.method not in HARMLESS_METHODS and not g.signed_in.can_act and request.endpoint not in FOR_READERS:
        abort(403, "Your role is analyst: you can read everything here and change nothing. Ask an owner to do this.")
    return None


def _find_person() -> sign_in.SignedIn | None:
    token = request.cookies.get(cookie_name())
    if not token:
        return None
    now = current.wall_now()
    with current.context().database.system() as session:
        person = sign_in.find_signed_in(session, token, now)
        if person and REFRESH_HEADER not in request.headers:
            sign_in.touch(session, person.sign_in_id, now)
    return person


def _send_to_sign_in() -> ResponseReturnValue:
    if REFRESH_HEADER in request.headers:
        return Response(status=401)
    asked = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("console.sign_in_form", next=asked), code=303)


@console.after_request
def _keep_private(response: Response) -> Response:
    if request.endpoint != "console.static":
        response.headers["Cache-Control"] = "no-store"
    elif "v" in request.args and response.status_code == 200:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@console.context_processor
def page_values() -> dict[str, object]:
    """What the frame of every page shows."""
    return {
        "current": current,
        "person": current.find_person(),
        "is_sandbox": current.context().settings.sandbox,
        "wanted_notices": wanted.notices,
    }
