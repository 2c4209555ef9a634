"""A customer who is to be forgotten is: nothing that Recoup keeps names them, and everybody else is as before."""

import json
import zlib
from importlib import import_module
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from app.cli.erase import erase_customer
from app.models import AuditEntry, Customer, InboxEvent, Invoice, PastAttempt, PastFailure, RecoveryCase
from app.vocabulary import InboxState
from tests.integration.errands.conftest import backfill
from tests.integration.errands.test_backfill import as_of_now, fail, live_unheard
from tests.stage import Stage


def forget(stage: Stage, monkeypatch: pytest.MonkeyPatch, customer: str) -> Result:
    monkeypatch.setattr(import_module("app.cli.erase"), "open_context", lambda: stage.context)
    return CliRunner().invoke(erase_customer, [customer, "--yes"])


def whole(stage: Stage) -> str:
    """Everything that is kept of this organization, as one text, bodies of events unpacked."""
    names = "select relname from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace"
    with stage.context.database.system() as session:
        tables = [name for name in session.scalars(text(names)) if name not in ("alembic_version", "audit_entries")]
        rows = [str(row) for name in tables for row in session.execute(text(f"select * from {name}"))]
        bodies = [zlib.decompress(body).decode() for (body,) in session.execute(text("select body from inbox_events"))]
    return "\n".join([*rows, *bodies])


def tell(stage: Stage, event_id: str, kind: str, object_id: str | None, said: dict[str, Any]) -> None:
    """Keep a handled event, as a webhook would have brought it."""
    (like, *_) = stage.rows(InboxEvent)
    event = InboxEvent(
        organization_id=like.organization_id,
        connection_id=like.connection_id,
        event_id=event_id,
        kind=like.kind,
        type=kind,
        object_id=object_id,
        created_at=like.created_at,
        received_at=like.received_at,
        next_try_at=like.next_try_at,
        body=zlib.compress(json.dumps({"object": "event", "data": {"object": said}}).encode(), 1),
        state=InboxState.HANDLED,
    )
    with stage.context.database.organization(like.organization_id) as session:
        session.add(event)


@pytest.fixture
def met(stage: Stage) -> dict[str, Any]:
    """Somebody whose payments failed before the connection and after it, and whose case is over."""
    live_unheard(stage)
    made = stage.customer(name="Wilhelmina Forgetmenot", email="wilhelmina@example.org")
    fail(stage, "insufficient_funds", "approve", customer=made["customer"])
    stage.advance(days=20)
    as_of_now(stage)
    backfill(stage)
    stage.fail(made["customer"], "insufficient_funds", "approve")
    stage.advance(days=6)
    return made


def test_nothing_names_a_customer_who_was_forgotten(
    stage: Stage, met: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = stage.fail(stage.customer(email="other@example.org")["customer"])
    stage.advance(days=1)
    assert "Wilhelmina" in whole(stage)
    assert stage.rows(PastFailure)
    assert stage.rows(PastAttempt)
    result = forget(stage, monkeypatch, met["customer"])
    assert result.exit_code == 0, result.output
    left = whole(stage)
    for word in ("Wilhelmina", "wilhelmina@", met["customer"], met["subscription"], met["payment_method"]):
        assert word not in left, word
    assert stage.rows(PastFailure, PastFailure.customer_stripe_id == met["customer"]) == []
    assert stage.case(other)
    (noted,) = stage.rows(AuditEntry, AuditEntry.action == "customer.erased")
    assert (noted.subject, noted.data["cases"]) == (met["customer"], 1)


def test_events_that_only_mention_a_forgotten_customer_are_emptied_too(
    stage: Stage, met: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = stage.customer(email="other@example.org")["customer"]
    tell(stage, "evt_ours", "invoice.upcoming", None, {"customer": met["customer"], "customer_email": "w@example.net"})
    tell(stage, "evt_form", "checkout.session.completed", "cs_1", {"id": "cs_1", "customer": met["customer"]})
    tell(stage, "evt_theirs", "checkout.session.completed", "cs_2", {"id": "cs_2", "customer": other})
    forget(stage, monkeypatch, met["customer"])
    left = {event.event_id: (event.object_id, zlib.decompress(event.body)) for event in stage.rows(InboxEvent)}
    assert left["evt_ours"] == left["evt_form"] == (None, b"{}")
    assert left["evt_theirs"][0] == "cs_2"
    assert other.encode() in left["evt_theirs"][1]


def test_events_of_a_forgotten_customer_stay_known_so_that_none_is_fetched_again(
    stage: Stage, met: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(stage.rows(InboxEvent))
    forget(stage, monkeypatch, met["customer"])
    assert len(stage.rows(InboxEvent)) == before


def test_whoever_has_an_open_case_is_not_forgotten_behind_its_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = stage.customer()["customer"]
    stage.fail(customer)
    result = forget(stage, monkeypatch, customer)
    assert result.exit_code == 1
    assert "has an open case: stop it in the console first" in result.output
    assert len(stage.rows(RecoveryCase)) == len(stage.rows(Customer)) == 1
    assert stage.rows(Invoice)


def test_somebody_of_whom_nothing_is_kept_is_said_to_be_unknown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    result = forget(stage, monkeypatch, "cus_nobody")
    assert result.exit_code == 1
    assert "nothing is kept of cus_nobody" in result.output
