"""Recorded webhooks of many API versions: each is taken in and comes to an end, with a Stripe that knows none of it."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.accounts.connections import webhook_secrets
from app.inbox import processing
from app.models import Connection, InboxEvent, RecoveryCase
from app.vocabulary import ConnectionStatus, InboxState
from tests.stage import Stage

RECORDED = Path(__file__).parents[3].parent / "shared" / "stripe"
pytestmark = pytest.mark.skipif(not RECORDED.exists(), reason="the recorded objects are not beside this checkout")


def documents() -> list[dict[str, Any]]:
    """Every recorded webhook as an event of this account; a bare object becomes the event its file is named for."""
    found: list[dict[str, Any]] = []
    for path in sorted((RECORDED / "payloads").rglob("*.json")):
        document = orjson.loads(path.read_bytes())
        if isinstance(document, dict) and document:
            found.append(document if document.get("object") == "event" else wrapped(path.stem, document))
    found += orjson.loads((RECORDED / "derived" / "dunning_cycle_events.json").read_bytes())
    for number, document in enumerate(found):
        document.update(id=f"evt_recorded_{number:03}", livemode=False)
        document.pop("account", None)
    return found


def wrapped(name: str, document: dict[str, Any]) -> dict[str, Any]:
    prefix = "customer." if name.startswith("subscription.") else ""
    return {"object": "event", "type": prefix + name, "created": 1788220800, "data": {"object": document}}


def post(stage: Stage, document: dict[str, Any], secret: str) -> int:
    body = orjson.dumps(document)
    stamp = str(int(stage.now.timestamp()))
    signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    url = f"{stage.base_url}/webhooks/stripe/{stage.connection_id}"
    header = {"Stripe-Signature": f"t={stamp},v1={signature}"}
    return stage.http.post(url, data=body, headers=header, timeout=20).status_code


def test_every_recorded_webhook_is_accepted_and_handled_and_opens_no_case(stage: Stage) -> None:
    told = documents()
    assert len(told) > 60
    connection = stage.rows(Connection)[0]
    (secret,) = webhook_secrets(stage.context, connection)
    assert {post(stage, document, secret) for document in told} == {200}

    processing.drain(stage.context)
    rows = [row for row in stage.rows(InboxEvent) if row.event_id.startswith("evt_recorded")]
    assert len(rows) == len(told)
    assert {(row.event_id, row.type, row.problem) for row in rows if row.state is not InboxState.HANDLED} == set()
    missing = {row.type: row.outcome for row in rows if "Stripe does not have it" in str(row.outcome)}
    assert "invoice.payment_failed" in missing
    assert stage.rows(RecoveryCase) == []
    assert stage.rows(Connection)[0].status is ConnectionStatus.ACTIVE


def test_a_farewell_disconnects_the_account_only_if_our_key_is_what_was_taken_away(stage: Stage) -> None:
    farewell = {"object": "event", "type": "account.application.deauthorized", "created": 1788220800, "livemode": False}
    connection = stage.rows(Connection)[0]
    (secret,) = webhook_secrets(stage.context, connection)
    assert post(stage, {**farewell, "id": "evt_another_application"}, secret) == 200
    stage.settle()
    assert stage.rows(Connection)[0].status is ConnectionStatus.ACTIVE

    with stage.context.database.organization(stage.organization_id) as session:
        row = session.get_one(Connection, stage.connection_id)
        row.sealed_api_key = stage.context.keys.seal("no key that Stripe takes", row.context("api_key"))
    assert post(stage, {**farewell, "id": "evt_ours"}, secret) == 200
    stage.settle()
    assert stage.rows(Connection)[0].status is ConnectionStatus.DISCONNECTED
    assert post(stage, {**farewell, "id": "evt_afterwards"}, secret) in (200, 404)
