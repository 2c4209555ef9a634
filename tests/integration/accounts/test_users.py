"""Creating people and organizations: what is refused, and that refusals leave nothing behind."""

import pytest
from sqlalchemy.exc import IntegrityError

from app.accounts import users
from app.accounts.passwords import PasswordTooWeak, hash_password, is_password, make_password
from app.accounts.users import AlreadyMember, EmailInvalid, SlugInvalid, UserUnknown
from app.context import Context
from app.vocabulary import Role
from tests.integration.accounts.conftest import NOW, PASSWORD, People


@pytest.mark.parametrize(
    "email", ["", "ann", "ann@", "@acme.example", "ann@acme", "a b@acme.example", "ann@acme.example\n"]
)
def test_what_is_no_address_is_refused(context: Context, email: str) -> None:
    with context.database.system() as session, pytest.raises(EmailInvalid):
        users.create_user(session, email, "Ann", PASSWORD, NOW)


def test_one_address_is_one_person_however_it_is_written(context: Context, people: People) -> None:
    with pytest.raises(IntegrityError), context.database.system() as session:
        users.create_user(session, "ANN@acme.EXAMPLE", "Other", PASSWORD, NOW)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "ababababababab", "x" * 257, "Ann@Acme.example"])
def test_a_password_that_protects_nobody_is_refused(context: Context, password: str) -> None:
    with context.database.system() as session, pytest.raises(PasswordTooWeak):
        users.create_user(session, "ann@acme.example", "Ann", password, NOW)


def test_long_passwords_in_any_language_are_welcome() -> None:
    password = "größer als jede Ähre 🌾 und länger als man denkt, viel länger als vierundsechzig Zeichen"
    assert is_password(hash_password(password), password)


def test_a_password_that_was_made_up_is_accepted_and_never_repeats() -> None:
    made = {make_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(each) >= 20 for each in made)


@pytest.mark.parametrize("slug", ["", "Acme", "acme inc", "-acme", "acme-", "ac/me", "a" * 51, "ä"])
def test_a_short_name_must_fit_into_an_address(context: Context, slug: str) -> None:
    with context.database.system() as session, pytest.raises(SlugInvalid):
        users.create_organization(session, slug, "Acme", NOW)


def test_nobody_is_member_of_an_organization_twice(context: Context, people: People) -> None:
    with context.database.system() as session, pytest.raises(AlreadyMember):
        users.add_member(session, people.organization, people.owner, Role.ANALYST, NOW)


def test_looking_up_nobody_says_how_to_make_somebody(context: Context) -> None:
    with context.database.system() as session, pytest.raises(UserUnknown, match="recoup users create"):
        users.get_user(session, "nobody@acme.example")
