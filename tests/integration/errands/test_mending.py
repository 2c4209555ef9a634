"""A connection that Stripe refused is looked at again, gently, and goes on by itself once its key works."""

from datetime import timedelta
from importlib import import_module

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from app.cli import main
from app.inbox.errands.running import carry_on
from app.inbox.errands.upkeep import begin_due, find_unattended
from app.models import AuditEntry, Errand
from app.vocabulary import ConnectionStatus, ErrandKind
from tests.integration.errands.conftest import connection_of
from tests.stage import SANDBOX_KEY, Stage

ALL = dict.fromkeys(
    "charge customer dispute event plan product setup_intent payment_intent payment_method subscription invoice"
    " checkout_session webhook connected_account".split(),
    "write",
)


def allow(stage: Stage, **permissions: str) -> None:
    stage.control(f"keys/{SANDBOX_KEY}", permissions={**ALL, **permissions})


def hourly_look(stage: Stage) -> Errand:
    """What the clock and a worker do an hour later."""
    stage._turn(stage.now + timedelta(hours=1, seconds=1))
    begin_due(stage.context)
    with stage.context.database.system() as session:
        waiting = find_unattended(session, stage.now)
    for organization_id, errand_id in waiting:
        carry_on(stage.context, organization_id, errand_id, pace=lambda: None)
    looks = stage.rows(Errand, Errand.kind == ErrandKind.RECONCILE)
    return max(looks, key=lambda errand: errand.started_at)


def healed(stage: Stage) -> list[str]:
    with stage.context.database.organization(stage.organization_id) as session:
        return list(session.scalars(select(AuditEntry.actor).where(AuditEntry.action == "connection.healed")))


def test_a_key_that_gets_its_permission_back_heals_at_the_next_look(stage: Stage) -> None:
    allow(stage, invoice="read")
    robin = stage.customer(name="Robin", email="robin@example.com")
    stage.fail(robin["customer"], "insufficient_funds")  # taking it from Stripe needs to write
    assert connection_of(stage).status is ConnectionStatus.BROKEN
    look = hourly_look(stage)
    assert (look.state, "invoice_write" in str(look.problem)) == ("failed", True)
    assert (connection_of(stage).status, healed(stage)) == (ConnectionStatus.BROKEN, [])
    assert connection_of(stage).status_reason == "the Stripe key lacks invoice_write: add to the key"
    allow(stage, event="none")  # which reconciling can do without
    look = hourly_look(stage)
    assert (look.state, connection_of(stage).status, healed(stage)) == ("done", ConnectionStatus.ACTIVE, ["Recoup"])
    assert connection_of(stage).status_reason is None
    assert "Events were not looked at: the key lacks event_read." in look.counts["notes"]
    allow(stage)
    assert hourly_look(stage).counts.get("notes") is None
    assert healed(stage) == ["Recoup"]


def test_the_doctor_mends_a_broken_connection_whose_key_works(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    module = import_module("app.cli.doctor")
    monkeypatch.setattr(module, "make_context", lambda _settings: stage.context)
    monkeypatch.setattr(module, "complete", lambda _settings: stage.context.settings)
    with stage.context.database.organization(stage.organization_id) as session:
        row = session.merge(connection_of(stage))
        row.status, row.status_reason = ConnectionStatus.BROKEN, "Stripe does not know this key"
    told = CliRunner().invoke(main, ("doctor",)).output
    assert "the key opens what is needed, again: the connection was broken, and goes on now" in told
    assert (connection_of(stage).status, healed(stage)) == (ConnectionStatus.ACTIVE, ["command line"])
