"""Passwords: argon2id hashes, and what is too weak to accept. Knows neither users nor requests.

Length is the only demand on composition (OWASP ASVS 5.0, 6.2): no rules about digits or signs, long ones allowed.
"""

import secrets
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import RecoupError

SHORTEST = 12
LONGEST = 256
FEWEST_DIFFERENT = 6

_hasher = PasswordHasher()


@lru_cache(maxsize=1)
def _nobody() -> str:
    """Verified against when nobody has the given address, so that both answers take the same time."""
    return _hasher.hash(secrets.token_urlsafe(24))


class PasswordTooWeak(RecoupError):
    """The password would not protect anybody; the text says what is missing."""


def hash_password(password: str, email: str = "") -> str:
    """The argon2id hash to store; raises `PasswordTooWeak` for one that is short, monotonous or names its owner."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordTooWeak(f"choose a password of {SHORTEST} to {LONGEST} characters; a few words in a row are good")
    if len(set(password)) < FEWEST_DIFFERENT:
        raise PasswordTooWeak("choose a password with more different characters")
    if email and password.casefold() in {email.casefold(), email.casefold().partition("@")[0]}:
        raise PasswordTooWeak("choose a password that is not your e-mail address")
    return _hasher.hash(password)


def is_password(stored_hash: str | None, password: str) -> bool:
    """Whether `password` made `stored_hash`. Takes as long for None (nobody) as for a wrong password."""
    try:
        matches = _hasher.verify(stored_hash or _nobody(), password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return matches and stored_hash is not None


def is_outdated(stored_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's and should be made anew at the next sign-in."""
    return _hasher.check_needs_rehash(stored_hash)


def make_password() -> str:
    """A random password of 128 bits, for an account that somebody else creates."""
    return secrets.token_urlsafe(16)
