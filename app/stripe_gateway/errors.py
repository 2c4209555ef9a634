"""What can go wrong at Stripe's door, grouped by what the caller does next.

This file knows nothing of HTTP libraries; `translation.py` decides which answer becomes which error.
"""

from typing import Any

from app.errors import RecoupError


class GatewayError(RecoupError):
    """Stripe could not be asked, or said no.

    `status` is the HTTP status (None: no answer came), `code` Stripe's machine-readable reason, `request_id` what
    Stripe's support asks for, `detail` Stripe's own English words: for people to read, never to be matched.
    `body` is the whole `error` object of the answer: it may hold personal data, so it is read and never logged.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        detail: str | None = None,
        body: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.request_id = request_id
        self.detail = detail
        self.body = body or {}


class RetryLater(GatewayError):
    """Nothing is wrong with the request: ask again later; a write is repeated with the same idempotency key."""

    retry_after: float | None = None  # seconds, where Stripe named a wait


class RateLimited(RetryLater):
    """Stripe's rate limit, or a lock on the object, outlasted our short waits. The request was not carried out."""


class StripeUnavailable(RetryLater):
    """No answer, a server error, or an unreadable answer. A write may or may not have been carried out."""


class Unsupported(StripeUnavailable):
    """A server that is not Stripe broke down over this request, most likely because it does not know it.

    Whoever can do with less asks for less; to everybody else it is a server error like any other.
    """


class ChargeOutcomeUnknown(StripeUnavailable):
    """A charge was asked for and no readable answer came: it may have happened.

    Repeat with the same key and the same parameters while the key is young (Stripe keeps it at least 24 hours),
    afterwards read the invoice and its payments and decide from them.
    """


class KeyInUse(RetryLater):
    """The first request with this idempotency key is still running at Stripe."""


class Permanent(GatewayError):
    """The same request will be refused again: do not repeat it."""


class InvalidRequest(Permanent):
    """Stripe does not accept this request for this object as it is now; read the object again before deciding."""


class NotFound(Permanent):
    """The object, or the whole endpoint, does not exist for this key."""


class KeyUsedOtherwise(Permanent):
    """This idempotency key was first used with other parameters; what that first request did still stands."""


class CardRefused(Permanent):
    """A card was declined outside of `pay_invoice`, for example by a change that charges at once."""


class ConnectionBroken(GatewayError):
    """The key no longer opens the account: stop working on this connection and tell the operator."""


class Unauthorized(ConnectionBroken):
    """The key is unknown, expired or revoked: the operator has to enter a valid one."""


class PermissionMissing(ConnectionBroken):
    """The restricted key lacks permissions: the operator has to add them to the key."""

    names: tuple[str, ...] = ()  # as Stripe's manifests spell them, for example `invoice_write`
    called: str = ""  # for people: our name, and Stripe's own where its refusal gave another one


# What a server that has only a part of Stripe's API answers to a request from outside that part.
LACKING = (InvalidRequest, NotFound, Unsupported)
