"""People and their places in organizations: creating and finding them. Signing in is `sign_in`'s business.

Everything here runs in a system transaction, because a person may belong to several organizations.
"""

import re
from datetime import datetime
from uuid import uuid4

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.accounts.passwords import hash_password
from app.errors import RecoupError
from app.models import Member, Organization, SignIn, User
from app.vocabulary import Role

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,48}[a-z0-9])?")


class EmailInvalid(RecoupError):
    """What was given is no e-mail address."""


class AlreadyMember(RecoupError):
    """This person already has a place in this organization."""


class SlugInvalid(RecoupError):
    """The short name of an organization has letters that do not fit into an address."""


class UserUnknown(RecoupError):
    """Nobody has this address."""


def normal_email(given: str) -> str:
    """`given` as it is stored and compared; raises `EmailInvalid`. Nothing is asked of the network."""
    try:
        return validate_email(given, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError as problem:
        raise EmailInvalid(f"that is not an e-mail address: {problem}") from problem


def find_user(session: Session, email: str) -> User | None:
    """The person with this address, in whichever case it is written."""
    return session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))


def get_user(session: Session, email: str) -> User:
    """The person with this address; raises `UserUnknown`."""
    user = find_user(session, email)
    if user is None:
        raise UserUnknown("nobody here has this e-mail address; create the person with `recoup users create`")
    return user


def check_slug(slug: str) -> None:
    """Raises `SlugInvalid` for what cannot be the short name of an organization."""
    if not _SLUG.fullmatch(slug):
        raise SlugInvalid("an organization's short name has 1 to 50 small letters, digits and dashes, like acme-inc")


def find_organization(session: Session, slug: str) -> Organization | None:
    """The organization called `slug`; raises `SlugInvalid`."""
    check_slug(slug)
    return session.scalar(select(Organization).where(Organization.slug == slug))


def create_organization(session: Session, slug: str, name: str, now: datetime) -> Organization:
    """A new tenant; raises `SlugInvalid`. A slug that is taken fails on the database's unique key."""
    check_slug(slug)
    organization = Organization(id=uuid4(), slug=slug, name=name.strip() or slug, created_at=now)
    session.add(organization)
    session.flush()
    return organization


def find_or_create_organization(session: Session, slug: str, name: str | None, now: datetime) -> Organization:
    """The tenant called `slug`, made with `name` (or one that follows from the slug); raises `SlugInvalid`."""
    found = find_organization(session, slug)
    return found or create_organization(session, slug, name or slug.replace("-", " ").title(), now)


def create_user(session: Session, email: str, name: str, password: str, now: datetime) -> User:
    """A new person; raises `EmailInvalid` or `PasswordTooWeak`. An address that is taken fails on its unique key."""
    address = normal_email(email)
    user = User(
        id=uuid4(),
        email=address,
        name=name.strip() or address.partition("@")[0],
        password_hash=hash_password(password, address),
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def add_member(session: Session, organization: Organization, user: User, role: Role, now: datetime) -> Member:
    """Give `user` a place in `organization`; raises `AlreadyMember`."""
    taken = select(Member.id).where(Member.organization_id == organization.id, Member.user_id == user.id)
    if session.scalar(taken) is not None:
        raise AlreadyMember(f"this person is already a member of {organization.slug}")
    member = Member(organization_id=organization.id, user_id=user.id, role=role, created_at=now)
    session.add(member)
    session.flush()
    return member


def set_password(session: Session, user: User, password: str) -> None:
    """Replace the password and sign the person out everywhere; raises `PasswordTooWeak`."""
    user.password_hash = hash_password(password, user.email)
    session.execute(delete(SignIn).where(SignIn.user_id == user.id))


def disable(session: Session, user: User, now: datetime) -> None:
    """Shut the person out of every organization, at once."""
    user.disabled_at = now
    session.execute(delete(SignIn).where(SignIn.user_id == user.id))
