"""Keys to the JSON API: made, found by what a request brings, revoked. What they open is the API's own business.

A key is 256 random bits, so a plain hash keeps it (a slow one is for what people think up). It is shown once. Beside
it, a key that may write has a signing secret, which proves to Recoup for which customer the operator's server shows
the embedded notice, and opens nothing else. Both are on the wall's clock, as sign-ins are: turning a sandbox's clock
ends no key.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.crypto import KeyRing
from app.errors import RecoupError
from app.models import ApiKey, AuditEntry
from app.vocabulary import ApiScope

START, SIGNING_START = "rcp", "rcs"
PREFIX_LENGTH = len(START) + 1 + 12
LONGEST_NAME = 80
MOST_KEYS = 50
USED_EVERY = timedelta(minutes=1)
SIGNING = "signing_secret"  # the sealed column


class KeyNotMade(RecoupError):
    """The key cannot be made as asked; the text says what to change."""


class KeyUnknown(RecoupError):
    """This organization has no such key."""


@dataclass(frozen=True)
class MadeKey:
    """A fresh key. `secret` and `signing_secret` are to be shown this once, and kept out of logs."""

    row: ApiKey
    secret: str = field(repr=False)
    signing_secret: str | None = field(repr=False)


@dataclass(frozen=True)
class Holder:
    """Whose key a request brought, and what it may do."""

    key_id: UUID
    organization_id: UUID
    prefix: str
    name: str
    scopes: frozenset[ApiScope]


@dataclass(frozen=True)
class Actor:
    """Who makes or revokes a key; `user_id` is None for a command."""

    name: str
    user_id: UUID | None = None


def create(
    session: Session,
    ring: KeyRing,
    *,
    name: str,
    scopes: Iterable[ApiScope],
    expires_at: datetime | None,
    by: Actor,
    now: datetime,
    wall: datetime,
    key_id: UUID | None = None,
) -> MadeKey:
    """A new key of the transaction's organization. `now` dates the audit, `wall` the key. Raises `KeyNotMade`.

    With a `key_id` that was used before, because a form was sent twice, no second key is made.
    """
    organization_id: UUID = session.info["organization_id"]
    wanted = sorted(set(scopes))
    _check(session, name, wanted, expires_at, wall, key_id)
    prefix = f"{START}_{secrets.token_hex(6)}"  # PREFIX_LENGTH characters
    secret = f"{prefix}_{secrets.token_urlsafe(32)}"
    row = ApiKey(
        id=key_id or uuid4(),
        organization_id=organization_id,
        name=name.strip(),
        prefix=prefix,
        secret_hash=_hash(secret),
        scopes=[scope.value for scope in wanted],
        created_at=wall,
        expires_at=expires_at,
    )
    signing = f"{SIGNING_START}_{secrets.token_urlsafe(32)}" if ApiScope.WRITE in wanted else None
    row.sealed_signing_secret = ring.seal(signing, row.context(SIGNING)) if signing else None
    session.add(row)
    session.flush()
    _audit(session, row, by, "api_key.created", now, scopes=row.scopes)
    return MadeKey(row, secret, signing)


def revoke(session: Session, key_id: UUID, by: Actor, now: datetime, wall: datetime) -> bool:
    """End a key and every token it signed, at once; False where it was revoked before. Raises `KeyUnknown`."""
    row = session.get(ApiKey, key_id, with_for_update=True)
    if row is None:
        raise KeyUnknown("this organization has no such key")
    if row.revoked_at is not None:
        return False
    row.revoked_at, row.sealed_signing_secret = wall, None
    session.flush()
    _audit(session, row, by, "api_key.revoked", now)
    return True


def list_keys(session: Session) -> list[ApiKey]:
    """The organization's keys, those in force first, newest first."""
    return list(session.scalars(select(ApiKey).order_by(ApiKey.revoked_at.is_not(None), ApiKey.created_at.desc())))


def find_holder(session: Session, given: str, wall: datetime) -> Holder | None:
    """Whose key `given` is, in a system transaction; None for one that is unknown, revoked or over."""
    row = _find(session, given[:PREFIX_LENGTH], wall)
    if row is None or not hmac.compare_digest(row.secret_hash, _hash(given)):
        return None
    used_before = ApiKey.last_used_at.is_(None) | (ApiKey.last_used_at < wall - USED_EVERY)
    session.execute(update(ApiKey).where(ApiKey.id == row.id, used_before).values(last_used_at=wall))
    return _holder(row)


def find_signer(session: Session, ring: KeyRing, prefix: str, wall: datetime) -> tuple[Holder, str] | None:
    """The key called `prefix` and the secret it signs with; None where it may not. Raises `SecretUnreadable`."""
    row = _find(session, prefix, wall)
    if row is None or row.sealed_signing_secret is None:
        return None
    return _holder(row), ring.open(row.sealed_signing_secret, row.context(SIGNING))


def is_in_force(row: ApiKey, wall: datetime) -> bool:
    """Whether the key still opens anything."""
    return row.revoked_at is None and (row.expires_at is None or row.expires_at > wall)


def _find(session: Session, prefix: str, wall: datetime) -> ApiKey | None:
    if not prefix.isascii() or "\0" in prefix:
        return None
    row = session.scalar(select(ApiKey).where(ApiKey.prefix == prefix))
    return row if row is not None and is_in_force(row, wall) else None


def _holder(row: ApiKey) -> Holder:
    scopes = frozenset(ApiScope(scope) for scope in row.scopes)
    return Holder(row.id, row.organization_id, row.prefix, row.name, scopes)


def _check(
    session: Session,
    name: str,
    scopes: list[ApiScope],
    expires_at: datetime | None,
    wall: datetime,
    key_id: UUID | None,
) -> None:
    if not name.strip() or len(name.strip()) > LONGEST_NAME or "\0" in name:
        raise KeyNotMade(f"Give the key a name of 1 to {LONGEST_NAME} characters that says where it is used.")
    if not scopes:
        raise KeyNotMade("Choose what the key may do: read, or read and write.")
    if expires_at is not None and expires_at <= wall:
        raise KeyNotMade("That end has passed already; choose a later one, or none.")
    if key_id is not None and session.get(ApiKey, key_id) is not None:
        raise KeyNotMade("This form was sent before, and its key was made then. It is shown only once; make another.")
    standing = sum(is_in_force(row, wall) for row in list_keys(session))
    if standing >= MOST_KEYS:
        raise KeyNotMade(f"There are {MOST_KEYS} keys in force; revoke one that is not used any more.")


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _audit(session: Session, row: ApiKey, by: Actor, action: str, now: datetime, **data: object) -> None:
    session.add(
        AuditEntry(
            organization_id=row.organization_id,
            actor=by.name,
            user_id=by.user_id,
            action=action,
            subject=f"key {row.prefix}",
            happened_at=now,
            data={"name": row.name, **data},
        )
    )
