"""What may be put into the inbox: any Stripe event of any version, however odd; nothing else, and never a crash."""

import gzip
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from app.inbox.envelope import unpack
from app.vocabulary import EventKind
from tests.integration.inbox.receiver import ACCOUNT, Receiver, add_connection, body_of, event, thin_event

NO_EVENTS: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"  \n",
    "no JSON": b"id=evt_1&type=invoice.paid",
    "half an event": b'{"id": "evt_1", "object": "event"',
    "a list": b"[]",
    "a word": b'"event"',
    "null": b"null",
    "another object": b'{"id": "in_1", "object": "invoice"}',
    "no object": b'{"id": "evt_1", "type": "invoice.paid"}',
    "no id": b'{"object": "event", "type": "invoice.paid"}',
    "an empty id": b'{"id": "", "object": "event", "type": "invoice.paid"}',
    "a number for an id": b'{"id": 7, "object": "event", "type": "invoice.paid"}',
    "an id of a page": b'{"id": "' + b"e" * 300 + b'", "object": "event", "type": "invoice.paid"}',
    "a NUL in the id": b'{"id": "evt_\\u0000", "object": "event", "type": "invoice.paid"}',
    "a NUL in the type": b'{"id": "evt_1", "object": "event", "type": "in\\u0000voice.paid"}',
    "a bare NUL": b'{"id": "evt_1", "object": "event\x00"}',
    "not UTF-8": b'{"id": "evt_1", "object": "event", "type": "\xff\xfe"}',
    "Latin-1": '{"id": "evt_1", "object": "event", "type": "geb\u00fchr"}'.encode("latin-1"),
    "UTF-16": '{"id": "evt_1"}'.encode("utf-16"),
    "half a letter": b'{"id": "evt_1", "object": "event", "type": "x", "note": "\\ud83d"}',
    "half a letter, raw": b'{"id": "evt_1", "object": "event", "note": "\xed\xa0\xbd"}',
    "too deep": b'{"id": "evt_1", "object": "event", "data": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "not a number": b'{"id": "evt_1", "object": "event", "type": "x", "created": NaN}',
    "beyond all numbers": b'{"id": "evt_1", "object": "event", "type": "x", "created": 1e999}',
    "a comment": b'{"id": "evt_1", /* hello */ "object": "event"}',
    "compressed": gzip.compress(body_of(event())),
}
ODD_EVENTS: dict[str, dict[str, Any]] = {
    "an unknown type": {"type": "quantum.entangled"},
    "no data": {"data": None},
    "a word for data": {"data": "in_1"},
    "a list for the object": {"data": {"object": []}},
    "no API version": {"api_version": None},
    "an API version of 2011": {"api_version": "2011-06-21"},
    "no mode": {"livemode": None},
    "this account's own name": {"account": ACCOUNT},
    "a moment before all time": {"created": -(10**15)},
    "a moment after all time": {"created": 10**18},
    "a fraction of a second": {"created": 1788220800.5},
    "a word for the moment": {"created": "soon"},
    "no moment": {"created": None},
    "an object whose id is a number": {"data": {"object": {"id": 12, "object": "invoice"}}},
    "NULs and emoji in what people wrote": {"data": {"object": {"id": "in_x", "object": "invoice", "memo": "\x00🧾"}}},
    "fields of the future": {"reason": {"type": "quantum"}, "shards": [1, 2, {"a": None}]},
}


@pytest.fixture(autouse=True, scope="module")
def nothing_breaks() -> Iterator[None]:
    """Every test here also says: no thread of the web server dies of what it was sent."""
    died: list[threading.ExceptHookArgs] = []
    previous, threading.excepthook = threading.excepthook, died.append
    yield
    threading.excepthook = previous
    assert died == []


@pytest.mark.parametrize("name", NO_EVENTS)
def test_what_is_no_event_is_refused_for_good_and_not_kept(shared: Receiver, name: str) -> None:
    kept = len(shared.rows())
    answer = shared.post(NO_EVENTS[name])
    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert len(shared.rows()) == kept


@pytest.mark.parametrize("name", ODD_EVENTS)
def test_an_event_is_kept_however_odd_it_is(shared: Receiver, name: str) -> None:
    told = event(**ODD_EVENTS[name])
    assert shared.post(body_of(told)).status_code == 200
    (row,) = shared.rows(told["id"])
    assert unpack(row.body) == told


def test_integers_too_large_for_any_column_are_kept_as_they_came(shared: Receiver) -> None:
    told = event()
    body = body_of(told).replace(b'"pending_webhooks": 1', b'"pending_webhooks": ' + b"9" * 400)
    assert shared.post(body).status_code == 400  # more than any JSON number
    body = body_of(told).replace(b'"pending_webhooks": 1', b'"pending_webhooks": ' + b"9" * 40)
    assert shared.post(body).status_code == 200
    (row,) = shared.rows(told["id"])
    assert zlib.decompress(row.body) == body


def test_of_a_key_given_twice_the_last_one_is_meant_everywhere(shared: Receiver) -> None:
    told = event()
    doubled = body_of(told).replace(b"{", b'{"id": "evt_the_first", "type": "ping",', 1)
    assert shared.post(doubled).status_code == 200
    (row,) = shared.rows(told["id"])
    assert (row.type, unpack(row.body)["id"]) == ("invoice.paid", told["id"])
    assert shared.rows("evt_the_first") == []


def test_a_thin_event_is_kept_under_the_name_its_snapshot_would_have(shared: Receiver) -> None:
    told = thin_event("v1.invoice.payment_failed", "in_thin")
    assert shared.post(body_of(told)).status_code == 200
    (row,) = shared.rows(told["id"])
    assert (row.kind, row.type) == (EventKind.THIN, "invoice.payment_failed")
    assert (row.object_type, row.object_id) == ("invoice", "in_thin")


def test_a_body_larger_than_any_event_is_refused_whatever_its_length_is_said_to_be(shared: Receiver) -> None:
    told = event(padding="x" * (2 * 1024 * 1024))
    body = body_of(told)
    assert shared.post(body).status_code == 413
    header = {"Stripe-Signature": shared.signed(body)}
    pieces = (body[start : start + 65536] for start in range(0, len(body), 65536))
    assert shared.http.post(shared.url, data=pieces, headers=header, timeout=20).status_code == 413
    assert shared.post(b"x" * (6 * 1024 * 1024)).status_code == 413
    assert shared.rows(told["id"]) == []


def test_a_body_just_under_the_limit_is_kept(shared: Receiver) -> None:
    told = event()
    told["padding"] = "x" * (1024 * 1024 - len(body_of(told)) - 100)
    assert shared.post(body_of(told)).status_code == 200


def test_a_body_sent_in_pieces_of_unknown_length_is_kept(shared: Receiver) -> None:
    told = event()
    body = body_of(told)
    header = {"Stripe-Signature": shared.signed(body)}
    answer = shared.http.post(shared.url, data=iter([body[:100], body[100:]]), headers=header, timeout=20)
    assert answer.status_code == 200


def test_the_type_of_the_content_makes_no_difference(shared: Receiver) -> None:
    for content_type in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        told = event()
        assert shared.post(body_of(told), **{"Content-Type": content_type}).status_code == 200
        assert len(shared.rows(told["id"])) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_the_inbox_is_written_to_and_not_read(shared: Receiver, method: str) -> None:
    assert shared.http.request(method, shared.url, timeout=20).status_code == 405


def test_the_same_event_again_is_kept_once_and_the_first_body_stands(shared: Receiver) -> None:
    told = event()
    assert shared.post(body_of(told)).status_code == 200
    assert shared.post(body_of({**told, "pending_webhooks": 0})).status_code == 200
    (row,) = shared.rows(told["id"])
    assert unpack(row.body)["pending_webhooks"] == 1


def test_sixteen_deliveries_at_once_are_one_event(shared: Receiver) -> None:
    told = event()
    body = body_of(told)
    header = shared.signed(body)

    def post(_: int) -> int:
        return shared.post(body, header).status_code

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(post, range(16))) == [200] * 16
    assert len(shared.rows(told["id"])) == 1


def test_one_event_id_in_two_accounts_is_two_events(shared: Receiver) -> None:
    told = event()
    other = replace(
        shared, connection_id=add_connection(shared.context, shared.organization_id, account_id="acct_other")
    )
    for one in (shared, other):
        assert one.post(body_of(told)).status_code == 200
        assert len(one.rows(told["id"])) == 1
