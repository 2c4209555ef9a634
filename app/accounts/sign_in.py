"""Signing in: from an address and a password to a row that one browser holds the token of, and back to the person.

The row keeps only the hash of the token. It ends by idleness, by age, by signing out, and when the person is disabled
or loses the place in the organization. `now` is always the wall's time here, in a sandbox too: turning the sandbox
clock three days on must not throw its operator out.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.accounts.passwords import hash_password, is_outdated, is_password
from app.accounts.users import find_user
from app.errors import RecoupError
from app.models import Member, Organization, SignIn, User
from app.vocabulary import Role

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=14)
SEEN_EVERY = timedelta(minutes=5)


class SignInRefused(RecoupError):
    """Wrong address or password, or a person who may not come in; deliberately not said which."""

    def __init__(self) -> None:
        super().__init__("That e-mail address and password do not belong together. Check both and try again.")


class NotAMember(RecoupError):
    """This person has no place in the organization asked for."""


@dataclass(frozen=True)
class Membership:
    """One organization that a person can work in."""

    organization_id: UUID
    slug: str
    name: str
    role: Role


@dataclass(frozen=True)
class SignedIn:
    """The person behind a request and the one organization the request works in."""

    sign_in_id: UUID
    user_id: UUID
    user_name: str
    user_email: str
    organization: Membership
    timezone: str
    memberships: tuple[Membership, ...]

    @property
    def can_act(self) -> bool:
        """Whether this person may change anything; analysts only read."""
        return self.organization.role is not Role.ANALYST


def authenticate(session: Session, email: str, password: str) -> User:
    """The person with this address and password, in a system transaction; raises `SignInRefused`.

    Takes the same time whether the address is known or not. A hash of old parameters is replaced.
    """
    user = find_user(session, email)
    if not is_password(user.password_hash if user else None, password) or user is None or user.disabled_at:
        raise SignInRefused
    if is_outdated(user.password_hash):
        user.password_hash = hash_password(password)
    return user


def begin(session: Session, user: User, now: datetime, user_agent: str | None) -> tuple[str, SignIn]:
    """A fresh sign-in and the 256-bit token that only the browser keeps; raises `SignInRefused` without a membership.

    Begins in the organization the person used last, else in the one they joined first.
    """
    places = _memberships(session, user.id)
    if not places:
        raise SignInRefused
    last = session.scalar(
        select(SignIn.organization_id).where(SignIn.user_id == user.id).order_by(SignIn.last_seen_at.desc()).limit(1)
    )
    first = next((place for place in places if place.organization_id == last), places[0])
    token = secrets.token_urlsafe(32)
    row = SignIn(
        organization_id=first.organization_id,
        token_hash=_hash(token),
        user_id=user.id,
        created_at=now,
        last_seen_at=now,
        expires_at=now + LONGEST,
        user_agent=(user_agent or "")[:200] or None,
    )
    session.add(row)
    session.flush()
    return token, row


def find_signed_in(session: Session, token: str, now: datetime) -> SignedIn | None:
    """Whoever holds `token`; None when it is unknown, idle for 12 hours, 14 days old, or the person was shut out."""
    found = session.execute(
        select(SignIn, User, Organization.timezone)
        .join(User, User.id == SignIn.user_id)
        .join(Organization, Organization.id == SignIn.organization_id)
        .where(SignIn.token_hash == _hash(token), User.disabled_at.is_(None))
        .where(SignIn.expires_at > now, SignIn.last_seen_at > now - IDLE)
    ).one_or_none()
    if found is None:
        return None
    row, user, timezone = found
    places = _memberships(session, user.id)
    here = next((place for place in places if place.organization_id == row.organization_id), None)
    return SignedIn(row.id, user.id, user.name, user.email, here, timezone, places) if here else None


def touch(session: Session, sign_in_id: UUID, now: datetime) -> None:
    """Note that the person is there; written at most every five minutes."""
    session.execute(
        update(SignIn).where(SignIn.id == sign_in_id, SignIn.last_seen_at < now - SEEN_EVERY).values(last_seen_at=now)
    )


def switch(session: Session, signed_in: SignedIn, organization_id: UUID) -> Membership:
    """Work in another of the person's organizations from now on; raises `NotAMember`."""
    place = next((place for place in signed_in.memberships if place.organization_id == organization_id), None)
    if place is None:
        raise NotAMember("you are not a member of that organization")
    session.execute(
        update(SignIn).where(SignIn.id == signed_in.sign_in_id).values(organization_id=place.organization_id)
    )
    return place


def end(session: Session, sign_in_id: UUID) -> None:
    """Sign out: the row goes, and the token is worth nothing."""
    session.execute(delete(SignIn).where(SignIn.id == sign_in_id))


def forget_expired(session: Session, now: datetime) -> None:
    """Delete the rows that can no longer sign anybody in."""
    session.execute(delete(SignIn).where((SignIn.expires_at <= now) | (SignIn.last_seen_at <= now - IDLE)))


def _memberships(session: Session, user_id: UUID) -> tuple[Membership, ...]:
    rows = session.execute(
        select(Organization.id, Organization.slug, Organization.name, Member.role)
        .join(Member, Member.organization_id == Organization.id)
        .where(Member.user_id == user_id)
        .order_by(Member.created_at, Organization.slug)
    )
    return tuple(Membership(*row) for row in rows)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
