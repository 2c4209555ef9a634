"""Whoever does not know a connection's address cannot make the receiver wait."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.integration.inbox.receiver import Receiver, body_of, event


def answer_to(receiver: Receiver, request: bytes) -> bytes:
    """The first line of what comes back while the sender still owes the rest."""
    place = urlsplit(receiver.base_url)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=20) as line:
        line.sendall(request)
        return line.makefile("rb").readline().strip()


@pytest.mark.parametrize("address", ["00000000-0000-4000-8000-000000000000", "not-an-id"])
def test_a_body_for_no_connection_is_not_waited_for(shared: Receiver, address: str) -> None:
    head = f"POST /webhooks/stripe/{address} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"
    assert b" 404 " in answer_to(shared, head.encode())


def test_a_body_that_comes_in_crumbs_is_kept_once_it_is_whole(shared: Receiver) -> None:
    told = event()
    body = body_of(told)
    head = f"POST {urlsplit(shared.url).path} HTTP/1.1\r\nHost: x\r\nStripe-Signature: {shared.signed(body)}\r\n"
    place = urlsplit(shared.base_url)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=20) as line:
        line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        for start in range(0, len(body), 40):
            line.sendall(body[start : start + 40])
        assert b" 200 " in line.makefile("rb").readline()
    assert len(shared.rows(told["id"])) == 1


def test_a_body_that_breaks_off_is_not_kept(shared: Receiver) -> None:
    told = event()
    body = body_of(told)
    head = f"POST {urlsplit(shared.url).path} HTTP/1.1\r\nHost: x\r\nStripe-Signature: {shared.signed(body)}\r\n"
    place = urlsplit(shared.base_url)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=20) as line:
        line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-10])
        line.shutdown(socket.SHUT_WR)
        assert b" 400 " in line.makefile("rb").readline()
    assert shared.rows(told["id"]) == []
