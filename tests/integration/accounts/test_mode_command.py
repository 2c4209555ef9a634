"""`recoup mode`: shows who retries, switches it after asking, and takes a person's word for what no API shows."""

from importlib import import_module
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.accounts import conflicts
from app.accounts.users import create_organization
from app.cli.mode import mode
from app.context import Context
from app.models import Connection
from app.vocabulary import ConflictKind, ConnectionMode, ConnectionStatus, Enforcement


@pytest.fixture
def connection(context: Context, monkeypatch: pytest.MonkeyPatch) -> Connection:
    monkeypatch.setattr(import_module("app.cli.mode"), "open_context", lambda: context)
    now = context.clock.now()
    with context.database.system() as session:
        organization = create_organization(session, "acme", "Acme", now)
        session.flush()
        row = Connection(
            id=uuid4(),
            organization_id=organization.id,
            account_id="acct_1",
            livemode=True,
            mode=ConnectionMode.OBSERVE,
            status=ConnectionStatus.ACTIVE,
            sealed_api_key=b"",
            sealed_webhook_secrets=b"",
            created_at=now,
        )
    with context.database.organization(organization.id) as session:
        session.add(row)
        session.flush()
        conflicts.note(session, row, ConflictKind.STRIPE_MAILS, "Nobody looked.", now)
    return row


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(mode, arguments, input=answer)


def standing(context: Context, connection: Connection) -> Connection:
    with context.database.organization(connection.organization_id) as session:
        return session.scalars(select(Connection)).one()


def test_it_shows_who_retries_and_what_stands_against_it(connection: Connection) -> None:
    shown = run().output
    assert "acct_1: observe (enforce), 0 open cases" in shown
    assert "Revenue recovery → Emails" in shown


def test_it_asks_before_it_switches(context: Context, connection: Connection) -> None:
    assert run("drive", answer="n\n").exit_code == 1
    assert standing(context, connection).mode is ConnectionMode.OBSERVE
    assert "Switched" in run("drive", "--warn", answer="y\n").output
    assert standing(context, connection).mode is ConnectionMode.DRIVE
    assert standing(context, connection).enforcement is Enforcement.WARN
    assert "like this already" in run("drive", "--yes").output


def test_a_persons_word_ends_what_no_api_shows(connection: Connection) -> None:
    assert "Emails" not in run("--settle", "stripe_mails").output
    assert run("--settle", "stripe_plans_try").exit_code == 2


def test_an_account_that_is_not_connected_is_refused_with_those_that_are(connection: Connection) -> None:
    refused = run("drive", "--account", "acct_2", "--yes")
    assert refused.exit_code == 1
    assert "name one with --account: acct_1" in refused.output
