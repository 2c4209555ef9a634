"""Reading SendGrid's batches: what is ours is understood, what is not is left out, and no address is kept."""

import base64
import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from app.messages.delivery import RANK, SAYS
from app.messages.sendgrid_events import (
    EventsForged,
    EventsUnreadable,
    EventType,
    check_signature,
    read_batch,
)
from app.messages.words import SuppressedBecause
from app.vocabulary import MessageState

NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)
ORGANIZATION, MESSAGE = uuid4(), uuid4()
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "event": kind,
        "email": "anna@example.com",
        "timestamp": 1_788_000_000,
        "sg_event_id": f"ev-{kind}",
        "recoup_message": f"{ORGANIZATION}.{MESSAGE}",
    } | more


def batch(*events: Any) -> bytes:
    return json.dumps(events).encode()


def sign(body: bytes, timestamp: str = "1788000000") -> str:
    return base64.b64encode(KEY.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()


def test_every_message_state_has_a_rank_and_every_event_says_something() -> None:
    assert set(RANK) == set(MessageState)
    assert set(SAYS) == set(EventType)


def test_an_event_about_our_message_is_read() -> None:
    [report] = read_batch(batch(event("delivered", response="250 OK")), NOW)
    assert (report.organization_id, report.message_id) == (ORGANIZATION, MESSAGE)
    assert (report.type, report.event_id) == (EventType.DELIVERED, "ev-delivered")
    assert report.happened_at == datetime.fromtimestamp(1_788_000_000, UTC)
    assert report.data == {"response": "250 OK"}


@pytest.mark.parametrize(
    "foreign",
    [
        event("delivered", recoup_message=None),
        event("delivered", recoup_message="newsletter"),
        event("delivered", recoup_message=f"{ORGANIZATION}.1"),
        event("delivered", recoup_message={"a": 1}),
        event("account_status_change"),
        {"event": ["delivered"]},
        {},
        None,
        "delivered",
        [1],
    ],
)
def test_a_foreign_event_is_left_out_and_spoils_nothing(foreign: Any) -> None:
    assert [report.type for report in read_batch(batch(foreign, event("click")), NOW)] == [EventType.CLICK]


def test_no_address_link_or_device_is_kept() -> None:
    spoken = event(
        "bounce",
        reason="550 <anna@example.com>: no such user\x00 \ud800",
        ip="203.0.113.7",
        useragent="Mozilla",
        url="https://pay.example.com/pay/secret",
    )
    [report] = read_batch(batch(spoken), NOW)
    assert report.data == {"reason": "550 <[address]>: no such user ?"}


@pytest.mark.parametrize("timestamp", [None, "soon", 10**30, -(10**30), [1], float("inf")])
def test_a_moment_that_cannot_be_is_taken_as_now(timestamp: Any) -> None:
    [report] = read_batch(batch(event("delivered", timestamp=timestamp)), NOW)
    assert report.happened_at == NOW


def test_an_event_without_an_id_gets_one_that_its_repetition_gets_too() -> None:
    first, again = (read_batch(batch(event("deferred", sg_event_id=None, attempt="1")), NOW)[0] for _ in range(2))
    [other] = read_batch(batch(event("deferred", sg_event_id=None, attempt="2")), NOW)
    assert first.event_id == again.event_id != other.event_id


@pytest.mark.parametrize(
    ("spoken", "suppresses"),
    [
        (event("bounce", type="bounce"), SuppressedBecause.BOUNCED),
        (event("bounce", type="blocked"), None),
        (event("dropped", reason="Bounced Address"), SuppressedBecause.BOUNCED),
        (event("dropped", reason="Invalid"), SuppressedBecause.INVALID),
        (event("dropped", reason="Unsubscribed Address"), SuppressedBecause.UNSUBSCRIBED),
        (event("dropped", reason="Spam Reporting Address"), SuppressedBecause.SPAM_REPORT),
        (event("dropped", reason="Recipient List over Package Quota"), None),
        (event("dropped"), None),
        (event("spamreport"), SuppressedBecause.SPAM_REPORT),
        (event("unsubscribe"), SuppressedBecause.UNSUBSCRIBED),
        (event("group_unsubscribe"), SuppressedBecause.UNSUBSCRIBED),
        (event("delivered"), None),
        (event("deferred"), None),
    ],
)
def test_an_address_is_given_up_only_where_the_address_is_the_trouble(
    spoken: dict[str, Any], suppresses: SuppressedBecause | None
) -> None:
    [report] = read_batch(batch(spoken), NOW)
    assert report.suppresses is suppresses


def test_an_open_by_a_machine_is_told_from_one_by_a_person() -> None:
    machine, person = read_batch(batch(event("open", sg_machine_open=True), event("open")), NOW)
    assert (machine.is_by_machine, person.is_by_machine) == (True, False)


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'"x"', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_batch_is_refused(body: bytes) -> None:
    with pytest.raises(EventsUnreadable):
        read_batch(body, NOW)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["timestamp", "sg_event_id", "reason", "type", "attempt", "url"]), json_values))
def test_strange_values_never_break_a_batch(values: dict[str, Any]) -> None:
    [report] = read_batch(batch(event("bounce") | values), NOW)
    json.dumps(report.data).encode()
    assert "\x00" not in json.dumps(report.data) + report.event_id


def test_a_batch_signed_by_the_key_passes_and_anything_else_does_not() -> None:
    body = batch(event("delivered")) + b"\r\n"
    signature = sign(body)
    check_signature(PUBLIC, body, signature, "1788000000")
    wrong = [
        (PUBLIC, body.strip(), signature, "1788000000"),
        (PUBLIC, body, signature, "1788000001"),
        (PUBLIC, body, "bm90IGE=", "1788000000"),
        (PUBLIC, body, "not base64!", "1788000000"),
        (PUBLIC, body, None, "1788000000"),
        (PUBLIC, body, signature, None),
        (PUBLIC, b"\xff", signature, "1788000000"),
        ("no key", body, signature, "1788000000"),
    ]
    for key, what, by, at in wrong:
        with pytest.raises(EventsForged):
            check_signature(key, what, by, at)
