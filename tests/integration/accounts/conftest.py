"""People and an organization in a database of each test's own."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy.orm import Session

from app.accounts import users
from app.accounts.passwords import hash_password
from app.context import Context
from app.models import Organization, User
from app.vocabulary import Role

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
PASSWORD = "correct horse battery"
PASSWORD_HASH = hash_password(PASSWORD)


@dataclass
class People:
    """One organization and its owner."""

    organization: Organization
    owner: User


@pytest.fixture
def people(context: Context) -> People:
    with context.database.system() as session:
        organization = users.create_organization(session, "acme", "Acme", NOW)
        owner = User(id=uuid4(), email="ann@acme.example", name="Ann", password_hash=PASSWORD_HASH, created_at=NOW)
        session.add(owner)
        session.flush()
        users.add_member(session, organization, owner, Role.OWNER, NOW)
    return People(organization, owner)


def join(session: Session, slug: str, user: User, role: Role, now: datetime) -> Organization:
    """Another organization of the same person."""
    organization = users.create_organization(session, slug, slug.title(), now)
    users.add_member(session, organization, user, role, now)
    return organization
