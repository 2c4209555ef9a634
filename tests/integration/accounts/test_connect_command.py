"""`recoup connect`: what Stripe refuses leaves nothing behind; what it takes is connected, organization and all."""

from importlib import import_module

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.cli import main
from app.models import Campaign, Connection, Organization
from tests.stage import SANDBOX_KEY, Stage


@pytest.fixture
def run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> "Run":
    # The package offers the command under its module's name, so the module is asked for by its full one.
    monkeypatch.setattr(import_module("app.cli.connect"), "open_context", lambda: stage.context)
    return Run(stage)


class Run:
    """The command as a shell would call it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, ("connect", *arguments))

    def organizations(self) -> set[str]:
        with self.stage.context.database.system() as session:
            return set(session.scalars(select(Organization.slug)))

    def endpoints(self) -> int:
        return len(self.stage.stripe("GET", "webhook_endpoints")["data"])


@pytest.mark.parametrize(
    ("key", "slug", "says"),
    [
        ("sk_live_123", "newcomer", "key"),  # well-formed, and the sandbox knows no live keys
        ("pk_test_public", "newcomer", "no Stripe secret or restricted key"),
        (SANDBOX_KEY, "No Slug", "small letters"),
    ],
)
def test_what_is_refused_leaves_no_organization_and_no_endpoint_behind(
    run: Run, key: str, slug: str, says: str
) -> None:
    before, endpoints = run.organizations(), run.endpoints()
    result = run("--key", key, "--organization", slug)
    assert (result.exit_code, run.organizations(), run.endpoints()) == (1, before, endpoints)
    assert says in result.output
    assert "123" not in result.output


def test_an_organization_is_made_with_its_first_connection_and_has_campaigns(run: Run) -> None:
    result = run(
        "--key", SANDBOX_KEY, "--organization", "newcomer", "--webhook-secret", "whsec_mine", "--share-account"
    )
    assert result.exit_code == 0, result.output
    with run.stage.context.database.system() as session:
        made = session.scalars(select(Organization).where(Organization.slug == "newcomer")).one()
        assert session.scalars(select(Connection).where(Connection.organization_id == made.id)).one()
        assert session.scalars(select(Campaign).where(Campaign.organization_id == made.id)).first()


def test_a_key_is_renewed_where_there_is_one_organization_without_naming_it(run: Run) -> None:
    endpoints = run.endpoints()
    run.stage.control("keys", key="rk_test_renewed")
    result = run("--key", "rk_test_renewed")
    assert result.exit_code == 0, result.output
    assert str(run.stage.connection_id) in result.output
    assert run.endpoints() == endpoints


def test_a_key_that_stripe_does_not_know_is_refused_and_changes_nothing(run: Run) -> None:
    endpoints = run.endpoints()
    result = run("--key", "rk_test_mistyped")
    assert result.exit_code == 1
    assert "rk_test_mistyped" not in result.output
    assert run.endpoints() == endpoints


def test_a_publishable_key_is_kept_checked_and_taken_away(run: Run) -> None:
    def kept() -> str | None:
        return run.stage.rows(Connection)[0].publishable_key

    assert run("--key", SANDBOX_KEY, "--organization", "acme", "--publishable-key", "pk_test_abc").exit_code == 0
    assert kept() == "pk_test_abc"
    for wrong in ("pk_live_abc", "sk_test_abc", "pk_test_"):
        refused = run("--key", SANDBOX_KEY, "--organization", "acme", "--publishable-key", wrong)
        assert "it begins with pk_test_" in refused.output
    assert kept() == "pk_test_abc"
    run("--key", SANDBOX_KEY, "--organization", "acme")
    assert kept() == "pk_test_abc"
    run("--key", SANDBOX_KEY, "--organization", "acme", "--publishable-key", "")
    assert kept() is None


def test_an_account_that_another_organization_has_is_connected_only_on_purpose(run: Run) -> None:
    with run.stage.context.database.organization(run.stage.organization_id) as session:
        theirs_account = session.get_one(Connection, run.stage.connection_id).account_id
    run.stage.control("keys", key="rk_test_same")
    before, endpoints = run.organizations(), run.endpoints()
    refused = run("--key", "rk_test_same", "--organization", "second")
    assert (refused.exit_code, run.organizations(), run.endpoints()) == (1, before, endpoints)
    assert "another organization" in refused.output
    shared = run("--key", "rk_test_same", "--organization", "second", "--share-account")
    assert shared.exit_code == 0, shared.output
    with run.stage.context.database.system() as session:
        assert len(session.scalars(select(Connection).where(Connection.account_id == theirs_account)).all()) == 2
