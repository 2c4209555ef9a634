"""What we say to SendGrid is what its OpenAPI document allows, and what it was recorded to say we understand."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft4Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from app.messages.cadence import MailKind
from app.messages.senders.port import OutgoingMail
from app.messages.senders.sendgrid import payload
from app.messages.sendgrid_events import EventsForged, EventType, check_signature, read_batch

RECORDED = Path(__file__).parents[2].parent / "shared" / "sendgrid"
NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)
REFERENCE = f"{UUID(int=1)}.{UUID(int=2)}"

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded SendGrid material is not beside this repo")


def mail(kind: str, reply_to: str | None) -> OutgoingMail:
    return OutgoingMail(
        organization_id=UUID(int=1),
        message_id=UUID(int=2),
        send_number=1,
        moment=NOW,
        kind=kind,
        from_name="Northwind Tools",
        from_email="billing@northwind.example.com",
        reply_to=reply_to,
        to="anna.schmidt@example.com",
        subject="Payment failed",
        text="text",
        html="<p>html</p>",
        locale="de",
    )


def request_schema() -> tuple[dict[str, Any], Registry[Any]]:
    """The schema of the body of mail/send, and where its references lead."""
    spec = RECORDED / "sendgrid__sendgrid-oai" / "spec"
    here = "https://spec.example/paths/mail_send/mail_send.json"
    document = json.loads((spec / "paths/mail_send/mail_send.json").read_text())
    schemas = json.loads((spec / "components/schemas.json").read_text())
    resources = [
        (here, DRAFT4.create_resource(document)),
        ("https://spec.example/components/schemas.json", DRAFT4.create_resource(schemas)),
    ]
    schema = document["mail_send"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return {"id": here, **schema}, Registry().with_resources(resources)


@pytest.mark.parametrize("kind", MailKind)
@pytest.mark.parametrize("reply_to", [None, "help@northwind.example.com"])
def test_every_request_we_can_make_is_one_that_sendgrid_describes(kind: str, reply_to: str | None) -> None:
    schema, registry = request_schema()
    validator = Draft4Validator(schema, registry=registry)
    body = payload(mail(kind, reply_to))
    assert [error.message for error in validator.iter_errors(body)] == []
    assert body.keys() <= schema["properties"].keys()
    assert len(json.dumps(body["personalizations"][0]["custom_args"])) < 10_000


def test_the_schema_would_notice_a_wrong_request() -> None:
    schema, registry = request_schema()
    validator = Draft4Validator(schema, registry=registry)
    assert not validator.is_valid(payload(mail("reminder", None)) | {"personalizations": [{"subject": "x"}]})


def recorded_batches() -> list[Path]:
    return sorted((RECORDED / "anymail__django-anymail").glob("*.json"))


@pytest.mark.parametrize("path", recorded_batches(), ids=lambda path: path.stem)
def test_a_recorded_event_is_understood_once_it_carries_our_reference(path: Path) -> None:
    events = json.loads(path.read_text())
    assert read_batch(path.read_bytes(), NOW) == []
    ours = [event | {"recoup_message": REFERENCE} for event in events]
    reports = read_batch(json.dumps(ours).encode(), NOW)
    assert [(report.type, report.event_id) for report in reports] == [
        (EventType(event["event"]), event["sg_event_id"]) for event in events
    ]
    assert all(
        report.happened_at == datetime.fromtimestamp(event["timestamp"], UTC)
        for report, event in zip(reports, events, strict=True)
    )
    assert all(event["email"] not in json.dumps(report.data) for report, event in zip(reports, events, strict=True))


def test_what_sendgrid_signed_passes_and_one_changed_byte_does_not() -> None:
    path = RECORDED / "sendgrid__sendgrid-python" / "signed_event_webhook_vector.json"
    vector = json.loads(path.read_text())
    body = vector["PAYLOAD"].encode()
    check_signature(vector["PUBLIC_KEY"], body, vector["SIGNATURE"], vector["TIMESTAMP"])
    with pytest.raises(EventsForged):
        check_signature(vector["PUBLIC_KEY"], body.rstrip(), vector["SIGNATURE"], vector["TIMESTAMP"])
    assert read_batch(body, NOW) == []
