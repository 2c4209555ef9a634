"""`recoup users`: people are made, renewed and shut out from the command line."""

import re
from importlib import import_module

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.accounts import sign_in
from app.cli.users import users
from app.context import Context
from app.models import Organization, User

PASSWORD_LINE = re.compile(r"shown only now: (\S+)")


@pytest.fixture
def run(context: Context, monkeypatch: pytest.MonkeyPatch) -> "Run":
    # The package offers the command under its module's name, so the module is asked for by its full one.
    monkeypatch.setattr(import_module("app.cli.users"), "open_context", lambda: context)
    return Run()


class Run:
    """The command as a shell would call it, without a terminal."""

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        result = CliRunner().invoke(users, arguments)
        assert (result.exit_code != 0) == fails, result.output
        return result.output


def may_sign_in(context: Context, email: str, password: str) -> User:
    with context.database.system() as session:
        return sign_in.authenticate(session, email, password)


def test_a_person_is_made_with_an_organization_and_a_password_that_works(context: Context, run: Run) -> None:
    output = run("create", "--email", "ann@acme.example", "--organization", "acme", "--organization-name", "Acme Inc")
    found = PASSWORD_LINE.search(output)
    assert found
    user = may_sign_in(context, "ann@acme.example", found.group(1))
    with context.database.system() as session:
        _, row = sign_in.begin(session, user, context.clock.now(), None)
    assert row.organization_id
    assert "owner of acme" in output


def test_a_person_who_exists_joins_another_organization_and_keeps_the_password(context: Context, run: Run) -> None:
    first = run("create", "--email", "ann@acme.example", "--organization", "acme")
    second = run("create", "--email", "ANN@acme.example", "--organization", "beta", "--role", "analyst")
    found = PASSWORD_LINE.search(first)
    assert found
    assert "stays as it was" in second
    assert PASSWORD_LINE.search(second) is None
    may_sign_in(context, "ann@acme.example", found.group(1))


def test_a_new_password_replaces_the_old_one(context: Context, run: Run) -> None:
    old = PASSWORD_LINE.search(run("create", "--email", "ann@acme.example", "--organization", "acme"))
    new = PASSWORD_LINE.search(run("password", "--email", "ann@acme.example"))
    assert old
    assert new
    may_sign_in(context, "ann@acme.example", new.group(1))
    with pytest.raises(sign_in.SignInRefused):
        may_sign_in(context, "ann@acme.example", old.group(1))


def test_a_person_who_was_shut_out_stays_out(context: Context, run: Run) -> None:
    found = PASSWORD_LINE.search(run("create", "--email", "ann@acme.example", "--organization", "acme"))
    run("disable", "--email", "ann@acme.example")
    assert found
    with pytest.raises(sign_in.SignInRefused):
        may_sign_in(context, "ann@acme.example", found.group(1))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("create", "--email", "nonsense", "--organization", "acme"), "not an e-mail address"),
        (("create", "--email", "ann@acme.example", "--organization", "No Slug"), "small letters"),
        (("create", "--email", "ann@acme.example"), "no organization yet"),
        (("password", "--email", "nobody@acme.example"), "nobody here has this e-mail address"),
    ],
)
def test_a_mistake_is_one_sentence_that_says_what_to_do(run: Run, arguments: tuple[str, ...], says: str) -> None:
    output = run(*arguments, fails=True)
    assert says in output
    assert "Traceback" not in output


def test_a_person_who_is_not_made_leaves_no_organization_behind(
    context: Context, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("app.cli.users"), "ask_password", lambda: ("short", False))
    run("create", "--email", "ann@acme.example", "--organization", "acme", fails=True)
    with context.database.system() as session:
        assert session.scalars(select(Organization)).all() == []
