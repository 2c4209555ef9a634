"""Turns what Stripe's library raises into our errors, by HTTP status and machine-readable codes alone.

Knows nothing of what the caller wanted; English text is carried along for people and decides nothing.
"""

import re

import stripe

from app.stripe_gateway.errors import (
    CardRefused,
    GatewayError,
    InvalidRequest,
    KeyInUse,
    KeyUsedOtherwise,
    NotFound,
    PermissionMissing,
    RateLimited,
    StripeUnavailable,
    Unauthorized,
    Unsupported,
)
from app.stripe_gateway.readers.fields import table, text

_BY_STATUS: dict[int, tuple[type[GatewayError], str]] = {
    401: (Unauthorized, "Stripe does not know this key: enter a valid one"),
    402: (CardRefused, "the card was declined"),
    403: (PermissionMissing, "the Stripe key lacks a permission, {permission}: add it to the key"),
    404: (NotFound, "Stripe knows no such object"),
    409: (KeyInUse, "the same request is still running at Stripe: ask again"),
    429: (RateLimited, "Stripe's rate limit is reached: ask again later"),
}
_BY_TYPE_OR_CODE: dict[str, tuple[type[GatewayError], str]] = {
    # Until 2017 rate limits came as 400, and some imitations keep to that.
    "rate_limit": _BY_STATUS[429],
    # Stripe types it as an `idempotency_error` too; the code is what tells a busy key from one used otherwise.
    "idempotency_key_in_use": _BY_STATUS[409],
    "idempotency_error": (KeyUsedOtherwise, "this idempotency key was first used with other parameters"),
}
_STRIPES_NAME = re.compile(r"\brak_([a-z_]+)")
_INVALID = (InvalidRequest, "Stripe refused the request for this object as it is now: read it again")
_UNAVAILABLE = (StripeUnavailable, "Stripe gave no usable answer: ask again later")
_UNSUPPORTED = (Unsupported, "the server in Stripe's place broke down over this request, which it may not know")


def translate(error: stripe.StripeError, *, permission: str, is_imitation: bool = False) -> GatewayError:
    """Our error for the library's; `permission` is what a key needs for the call, named when Stripe refuses it.

    `is_imitation` says that something else than Stripe answers, which may not have what was asked for.
    """
    status = error.http_status
    body = table(error.json_body, "error") or {}
    code, kind = text(body, "code"), text(body, "type")
    is_breakdown = is_imitation and _is_breakdown(status, kind)
    ours, words = _UNSUPPORTED if is_breakdown else _classify(status, code, kind)
    if ours is NotFound and not is_imitation and not body:
        ours, words = _UNAVAILABLE  # Stripe says what it does not know; this is somebody on the way to it
    called = _called(permission, text(body, "message"))
    translated = ours(
        _describe(words.format(permission=called), status, code, error.request_id),
        status=status,
        code=code,
        param=text(body, "param"),
        request_id=error.request_id,
        detail=text(body, "message"),
        body=body,
    )
    if isinstance(translated, PermissionMissing):
        translated.names, translated.called = (permission,), called
    return translated


def retry_after(error: stripe.StripeError) -> float | None:
    """The wait Stripe asked for, in seconds; None when it named none, or gave a date instead."""
    headers = {str(name).lower(): value for name, value in dict(error.headers or {}).items()}
    try:
        return max(0.0, float(headers["retry-after"]))
    except (KeyError, TypeError, ValueError):
        return None


def _called(permission: str, detail: str | None) -> str:
    """A permission as people will find it: Stripe's refusals have names of their own for some. Only ever shown."""
    found = _STRIPES_NAME.search(detail or "")
    is_other = found is not None and found[1].rpartition("_")[0] != permission.rpartition("_")[0]
    return f"{permission} (Stripe calls it {found[0]})" if found and is_other else permission


def _classify(status: int | None, code: str | None, kind: str | None) -> tuple[type[GatewayError], str]:
    # Below 400 there is an answer we cannot read (a redirect, a page of HTML); from 500 on the fault is Stripe's.
    if status is None or status < 400 or status >= 500:
        return _UNAVAILABLE
    by_name = _BY_TYPE_OR_CODE.get(code or "") or _BY_TYPE_OR_CODE.get(kind or "")
    return by_name or _BY_STATUS.get(status, _INVALID)


def _is_breakdown(status: int | None, kind: str | None) -> bool:
    """Whether a server fell over the request itself. Stripe's own trouble is called `api_error`, and is met as such
    when an imitation plays it."""
    return status == 501 or (status == 500 and kind in (None, "invalid_request_error"))


def _describe(words: str, status: int | None, code: str | None, request_id: str | None) -> str:
    facts = [f"HTTP {status}" if status else "no answer", code, request_id]
    return f"{words} ({', '.join(fact for fact in facts if fact)})"
