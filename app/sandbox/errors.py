"""Stripe's refusals: an HTTP status and the error body that a client library reads.

The texts of wrong-state refusals are the ones that real accounts were seen to send; other texts are our own words.
"""

from typing import Any

from app.errors import RecoupError

Doc = dict[str, Any]


class StripeRefusal(RecoupError):
    """A request that is answered with an error.

    `keeps_effects`: what the request did before it failed stays (a declined charge is still a charge).
    `executed`: the request passed its checks before it failed, so its answer belongs to its idempotency key.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        keeps_effects: bool = False,
        executed: bool = True,
        headers: dict[str, str] | None = None,
        **fields: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps_effects = keeps_effects
        self.executed = executed
        self.headers = headers or {}
        self.error: Doc = {"message": message, "type": kind, **fields}
        if "code" in fields:
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{fields['code'].replace('_', '-')}"


_NAMES = {"payment_method": "PaymentMethod", "test_helpers.test_clock": "test clock"}


class Missing(StripeRefusal):
    """Nothing of that kind has this id: 404 where the address names it, and 400 where a parameter does."""

    def __init__(self, message: str, identifier: str, param: str) -> None:
        super().__init__(404, message, code="resource_missing", param=param, executed=False)
        self._identifier = identifier

    def is_in(self, path_ids: dict[str, str]) -> bool:
        """Whether the address of the request names what is missing."""
        return self._identifier in path_ids.values()


def missing(kind: str, identifier: str, param: str = "id") -> Missing:
    """The refusal for an id that nothing has. Stripe speaks of a `PaymentMethod` but of a `customer`."""
    name = _NAMES.get(kind, kind.replace("_", " "))
    return Missing(f"No such {name}: '{identifier}'", identifier, param)


def bad_param(param: str, message: str, code: str = "parameter_invalid_empty") -> StripeRefusal:
    """400: one parameter is wrong; nothing was begun."""
    return StripeRefusal(400, message, code=code, param=param, executed=False)


def missing_param(param: str) -> StripeRefusal:
    """400: a required parameter was not given."""
    return bad_param(param, f"Missing required param: {param}.", "parameter_missing")


def wrong_state(message: str, **fields: Any) -> StripeRefusal:
    """400 without a code: the object is not in a state in which this can be done."""
    return StripeRefusal(400, message, **fields)
