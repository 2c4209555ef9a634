"""The headers that tell a browser what our pages may not do. One strict policy, loosened by single responses only.

Knows no page. A response that brings its own `Content-Security-Policy` (made with `policy`) keeps it.
"""

from flask import Flask, Response, request

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
}
_ONE_YEAR = "max-age=31536000; includeSubDomains"


def policy(**changes: str | None) -> str:
    """The content security policy with some directives replaced or added (`form_action="'self' https://x"`), or
    removed (None). An empty text stands for a directive without a value, as `sandbox=""`.
    """
    directives: dict[str, str | None] = {
        **_POLICY,
        **{name.replace("_", "-"): value for name, value in changes.items()},
    }
    return "; ".join(f"{name} {value}".strip() for name, value in directives.items() if value is not None)


def allow_forms_to(response: Response, *origins: str) -> Response:
    """Let forms on this page lead to `origins` too: browsers check redirects after a form against the policy."""
    response.headers["Content-Security-Policy"] = policy(form_action=" ".join(("'self'", *origins)))
    return response


def install(app: Flask) -> None:
    """Put the headers on every response of `app`."""
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", policy())
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", _ONE_YEAR)
    return response
