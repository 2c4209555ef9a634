"""Tokens that tell Recoup which customer the embedded notice is for. Pure: no rows, no clock.

They are JSON Web Tokens (RFC 7519, RFC 7515) with HS256 and nothing else, so that any language's library makes them:
`kid` is the prefix of an API key, `sub` the customer's id at Stripe, `exp` the end. The algorithm is ours to say and
not the token's (RFC 8725, 3.1).
"""

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from app.errors import RecoupError

LONGEST = timedelta(hours=24)
LONGEST_TOKEN = 2000  # characters


class TokenInvalid(RecoupError):
    """The token was not signed with this key, or says what no token may say; the text says which."""


class TokenExpired(RecoupError):
    """The token was good and its time is over."""


@dataclass(frozen=True)
class Unchecked:
    """A token taken apart, with nothing proven yet."""

    prefix: str
    signed: bytes
    signature: bytes
    claims: dict[str, Any]


def make(prefix: str, secret: str, customer: str, expires_at: datetime) -> str:
    """A token for one customer until `expires_at`."""
    header = _packed({"alg": "HS256", "typ": "JWT", "kid": prefix})
    signed = header + b"." + _packed({"sub": customer, "exp": int(expires_at.timestamp())})
    return (signed + b"." + _encode(_sign(secret, signed))).decode()


def take_apart(token: str) -> Unchecked:
    """What a token claims, so that the key it names can be looked up. Raises `TokenInvalid`."""
    parts = token.encode().split(b".") if token.isascii() and len(token) <= LONGEST_TOKEN else []
    if len(parts) != 3:
        raise TokenInvalid("this is no token; make it with a library for JSON Web Tokens, or ask /api/v1/embed-tokens")
    try:
        header, claims = orjson.loads(_decode(parts[0])), orjson.loads(_decode(parts[1]))
        signature = _decode(parts[2])
    except ValueError as problem:
        raise TokenInvalid("the token was damaged on its way") from problem
    if not isinstance(header, dict) or not isinstance(claims, dict) or header.get("alg") != "HS256":
        raise TokenInvalid("sign the token with HS256")
    if not isinstance(header.get("kid"), str):
        raise TokenInvalid("say in the token's header by `kid` which API key signed it: its prefix, rcp_…")
    return Unchecked(header["kid"], parts[0] + b"." + parts[1], signature, claims)


def read(token: Unchecked, secret: str, wall: datetime) -> str:
    """The Stripe id of the customer that the token is for; raises `TokenInvalid` and `TokenExpired`."""
    if not hmac.compare_digest(_sign(secret, token.signed), token.signature):
        raise TokenInvalid("the token was not signed with the signing secret of that key")
    customer, end = token.claims.get("sub"), token.claims.get("exp")
    if not isinstance(customer, str) or not customer or "\0" in customer:
        raise TokenInvalid("say in the token by `sub` which customer it is for: cus_…")
    if isinstance(end, bool) or not isinstance(end, int | float):
        raise TokenInvalid("say in the token by `exp` when it ends, in seconds since 1970")
    left = end - wall.timestamp()
    if left <= 0:
        raise TokenExpired("the token's time is over; make one for each page")
    if left > LONGEST.total_seconds():
        raise TokenInvalid("the token lasts too long; let it end within 24 hours")
    return customer


def _sign(secret: str, signed: bytes) -> bytes:
    return hmac.digest(secret.encode(), signed, hashlib.sha256)


def _packed(values: dict[str, Any]) -> bytes:
    return _encode(orjson.dumps(values))


def _encode(content: bytes) -> bytes:
    return urlsafe_b64encode(content).rstrip(b"=")


def _decode(content: bytes) -> bytes:
    try:
        return urlsafe_b64decode(content + b"=" * (-len(content) % 4))
    except binascii.Error as problem:
        raise ValueError("not base64") from problem
