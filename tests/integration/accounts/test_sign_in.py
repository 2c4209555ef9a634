"""From an address and a password to a row and back: who comes in, for how long, and into which organization."""

import hashlib
from datetime import timedelta
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from sqlalchemy import delete, func, select

from app.accounts import sign_in, users
from app.accounts.sign_in import IDLE, LONGEST, NotAMember, SignInRefused
from app.context import Context
from app.models import Member, SignIn
from app.vocabulary import Role
from tests.integration.accounts.conftest import NOW, PASSWORD, People, join


def begin(context: Context, people: People) -> str:
    with context.database.system() as session:
        return sign_in.begin(session, people.owner, NOW, "Mozilla/5.0")[0]


def found(context: Context, token: str, after: timedelta = timedelta(0)) -> sign_in.SignedIn | None:
    with context.database.system() as session:
        return sign_in.find_signed_in(session, token, NOW + after)


@pytest.mark.parametrize("written", ["ann@acme.example", "ANN@ACME.EXAMPLE", "  Ann@Acme.example "])
def test_the_right_password_opens_the_door_however_the_address_is_written(
    context: Context, people: People, written: str
) -> None:
    with context.database.system() as session:
        assert sign_in.authenticate(session, written, PASSWORD).id == people.owner.id


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("ann@acme.example", "correct horse batter"),
        ("ann@acme.example", ""),
        ("bob@acme.example", PASSWORD),
        ("", ""),
        ("ann@acme.example", "x" * 100_000),
    ],
)
def test_anything_else_is_refused_in_the_same_words(
    context: Context, people: People, email: str, password: str
) -> None:
    with context.database.system() as session, pytest.raises(SignInRefused, match="do not belong together"):
        sign_in.authenticate(session, email, password)


def test_the_database_never_holds_the_token(context: Context, people: People) -> None:
    token = begin(context, people)
    with context.database.system() as session:
        row = session.scalars(select(SignIn)).one()
    assert row.token_hash == hashlib.sha256(token.encode()).digest()
    assert len(token) >= 43


@pytest.mark.parametrize(
    ("after", "is_in"),
    [
        (timedelta(0), True),
        (IDLE - timedelta(seconds=1), True),
        (IDLE, False),
        (LONGEST, False),
    ],
)
def test_an_idle_sign_in_ends_after_twelve_hours(
    context: Context, people: People, after: timedelta, is_in: bool
) -> None:
    assert (found(context, begin(context, people), after) is not None) is is_in


def test_a_busy_sign_in_still_ends_after_fourteen_days(context: Context, people: People) -> None:
    token, moment = begin(context, people), timedelta(0)
    while moment < LONGEST - IDLE:
        moment += IDLE - timedelta(hours=1)
        person = found(context, token, moment)
        assert person is not None
        with context.database.system() as session:
            sign_in.touch(session, person.sign_in_id, NOW + moment)
    assert found(context, token, LONGEST - timedelta(seconds=1)) is not None
    assert found(context, token, LONGEST) is None


def test_a_visit_is_written_at_most_every_five_minutes(context: Context, people: People) -> None:
    person = found(context, begin(context, people))
    assert person is not None

    def seen_after(minutes: int) -> timedelta:
        with context.database.system() as session:
            sign_in.touch(session, person.sign_in_id, NOW + timedelta(minutes=minutes))
            session.flush()
            return session.get_one(SignIn, person.sign_in_id, populate_existing=True).last_seen_at - NOW

    assert seen_after(4) == timedelta(0)
    assert seen_after(6) == timedelta(minutes=6)


def test_a_disabled_person_is_out_at_once_and_cannot_come_back(context: Context, people: People) -> None:
    token = begin(context, people)
    with context.database.system() as session:
        users.disable(session, users.get_user(session, people.owner.email), NOW)
    assert found(context, token) is None
    with context.database.system() as session, pytest.raises(SignInRefused):
        sign_in.authenticate(session, people.owner.email, PASSWORD)


def test_a_new_password_ends_every_sign_in(context: Context, people: People) -> None:
    token = begin(context, people)
    with context.database.system() as session:
        users.set_password(session, users.get_user(session, people.owner.email), "another long password")
    assert found(context, token) is None
    with context.database.system() as session:
        assert sign_in.authenticate(session, people.owner.email, "another long password")


def test_who_loses_the_place_in_the_organization_loses_the_sign_in(context: Context, people: People) -> None:
    token = begin(context, people)
    with context.database.organization(people.organization.id) as session:
        session.execute(delete(Member))
    assert found(context, token) is None
    with context.database.system() as session, pytest.raises(SignInRefused):
        sign_in.begin(session, people.owner, NOW, None)


def test_switching_changes_the_organization_and_the_role(context: Context, people: People) -> None:
    token = begin(context, people)
    with context.database.system() as session:
        other = join(session, "beta", people.owner, Role.ANALYST, NOW + timedelta(days=1))
    person = found(context, token)
    assert person is not None
    assert person.can_act
    with context.database.system() as session:
        sign_in.switch(session, person, other.id)
    switched = found(context, token)
    assert switched is not None
    assert switched.organization.slug == "beta"
    assert not switched.can_act


def test_nobody_switches_to_an_organization_that_is_not_theirs(context: Context, people: People) -> None:
    person = found(context, begin(context, people))
    assert person is not None
    with context.database.system() as session, pytest.raises(NotAMember):
        sign_in.switch(session, person, uuid4())


def test_the_next_sign_in_begins_where_the_last_one_worked(context: Context, people: People) -> None:
    token = begin(context, people)
    with context.database.system() as session:
        other = join(session, "beta", people.owner, Role.OWNER, NOW + timedelta(days=1))
    person = found(context, token)
    assert person is not None
    with context.database.system() as session:
        sign_in.switch(session, person, other.id)
        _, row = sign_in.begin(session, people.owner, NOW, None)
    assert row.organization_id == other.id


def test_a_hash_of_weaker_parameters_is_made_anew_at_the_next_sign_in(context: Context, people: People) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with context.database.system() as session:
        users.get_user(session, people.owner.email).password_hash = weak
    with context.database.system() as session:
        sign_in.authenticate(session, people.owner.email, PASSWORD)
    with context.database.system() as session:
        assert users.get_user(session, people.owner.email).password_hash != weak
        assert sign_in.authenticate(session, people.owner.email, PASSWORD)


def test_rows_that_can_sign_nobody_in_are_forgotten(context: Context, people: People) -> None:
    begin(context, people)
    with context.database.system() as session:
        sign_in.forget_expired(session, NOW + timedelta(hours=1))
        assert session.scalar(select(func.count()).select_from(SignIn)) == 1
        sign_in.forget_expired(session, NOW + IDLE)
        assert session.scalar(select(func.count()).select_from(SignIn)) == 0
