"""Sending by SendGrid against a server that misbehaves. The exact line between "not taken" and "no answer" matters."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.messages.senders.port import SenderBusy, SenderRefused, SenderSilent
from app.messages.senders.sendgrid import SendGrid
from app.vocabulary import MessageState
from tests.integration.messages.conftest import Post
from tests.integration.messages.mails import mail


def sender(server: HTTPServer, timeout: float = 5) -> SendGrid:
    return SendGrid("SG.test", server.url_for(""), timeout=timedelta(seconds=timeout))


def test_an_accepted_mail_carries_our_reference_and_brings_back_theirs(httpserver: HTTPServer) -> None:
    httpserver.expect_oneshot_request(
        "/v3/mail/send", "POST", headers={"Authorization": "Bearer SG.test"}
    ).respond_with_data(status=202, headers={"X-Message-Id": "sg-1"})
    assert sender(httpserver).send(mail()) == "sg-1"
    body = json.loads(httpserver.log[0][0].get_data())
    assert body["personalizations"] == [
        {"to": [{"email": mail().to}], "custom_args": {"recoup_message": mail().reference}}
    ]
    assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
    assert not body["tracking_settings"]["click_tracking"]["enable"]
    assert "anna" not in json.dumps(body["categories"])


def test_an_accepted_mail_without_an_id_is_accepted_all_the_same(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v3/mail/send").respond_with_data(status=202)
    assert sender(httpserver).send(mail()) is None


@pytest.mark.parametrize(
    ("status", "headers", "reason", "retry_after"),
    [
        (429, {"Retry-After": "90"}, "sendgrid_429", timedelta(seconds=90)),
        (429, {"Retry-After": "9" * 8}, "sendgrid_429", timedelta(hours=1)),
        (429, {"Retry-After": "soon"}, "sendgrid_429", None),
        (500, {}, "sendgrid_500", None),
        (503, {}, "sendgrid_503", None),
        (599, {}, "sendgrid_599", None),
        (401, {}, "sendgrid_key_not_accepted", None),
        (403, {}, "sendgrid_sender_not_allowed", None),
    ],
)
def test_what_sendgrid_did_not_take_may_be_tried_later(
    httpserver: HTTPServer, status: int, headers: dict[str, str], reason: str, retry_after: timedelta | None
) -> None:
    httpserver.expect_request("/v3/mail/send").respond_with_data(status=status, headers=headers)
    with pytest.raises(SenderBusy) as caught:
        sender(httpserver).send(mail())
    assert (caught.value.reason, caught.value.retry_after) == (reason, retry_after)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (
            400,
            '{"errors":[{"message":"anna@example.com is bad","field":"personalizations.0.to"}]}',
            "sendgrid_400:personalizations.0.to",
        ),
        (400, '{"errors":[{"message":"bad","field":null}]}', "sendgrid_400"),
        (413, "too large", "sendgrid_413"),
        (404, "[]", "sendgrid_404"),
    ],
)
def test_what_sendgrid_refuses_is_not_tried_again_and_quotes_nobody(
    httpserver: HTTPServer, status: int, body: str, reason: str
) -> None:
    httpserver.expect_request("/v3/mail/send").respond_with_data(body, status=status)
    with pytest.raises(SenderRefused) as caught:
        sender(httpserver).send(mail())
    assert caught.value.reason == reason


def test_a_redirect_is_not_followed_into_a_false_success(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v3/mail/send").respond_with_data(
        status=302, headers={"Location": httpserver.url_for("/ok")}
    )
    httpserver.expect_request("/ok").respond_with_data("fine")
    with pytest.raises(SenderRefused):
        sender(httpserver).send(mail())
    assert len(httpserver.log) == 1


def test_a_request_without_an_answer_in_time_may_have_been_taken(httpserver: HTTPServer) -> None:
    is_over = threading.Event()

    def hang(_request: Request) -> Response:
        is_over.wait(20)
        return Response(status=202)

    httpserver.expect_request("/v3/mail/send").respond_with_handler(hang)
    try:
        with pytest.raises(SenderSilent) as caught:
            sender(httpserver, timeout=0.3).send(mail())
    finally:
        is_over.set()
    assert caught.value.reason == "sendgrid_TimeoutError"


@contextmanager
def raw_server(answer: bytes, is_read_first: bool) -> Iterator[str]:
    """Reads a request (or not), says `answer`, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                if is_read_first:
                    _read_request(connection)
                connection.sendall(answer)
                if not is_read_first:
                    # Reset instead of a goodbye, so that the unread request is felt.
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join(10)


def _read_request(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    [length] = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    while len(body) < length:
        body += connection.recv(65536)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 20", b"nonsense\r\n\r\n"])
def test_a_connection_that_ends_after_the_request_leaves_the_outcome_open(answer: bytes) -> None:
    with raw_server(answer, is_read_first=True) as base, pytest.raises(SenderSilent):
        SendGrid("SG.test", base, timeout=timedelta(seconds=5)).send(mail())


def test_a_request_that_could_not_be_written_whole_was_not_taken() -> None:
    with raw_server(b"", is_read_first=False) as base, pytest.raises(SenderBusy):
        SendGrid("SG.test", base, timeout=timedelta(seconds=5)).send(mail(html="x" * 20_000_000))


def test_a_server_that_is_not_there_has_not_taken_the_mail() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(SenderBusy) as caught:
            SendGrid("SG.test", base).send(mail())
    assert caught.value.reason == "sendgrid_not_reached"


def test_a_message_goes_through_the_door_of_the_settings(post: Post, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/v3/mail/send").respond_with_data(status=202, headers={"X-Message-Id": "sg-9"})
    message_id = post.queue()
    assert post.deliver(message_id, sender(httpserver)) is MessageState.ACCEPTED
    message = post.message(message_id)
    assert (message.provider_message_id, message.sender) == ("sg-9", "sendgrid")
    body = json.loads(httpserver.log[0][0].get_data())
    assert body["personalizations"][0]["custom_args"] == {"recoup_message": f"{post.rows.organization_id}.{message_id}"}


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ({"scopes": ["mail.send", "sender_verification_eligible"]}, 200, None),
        ({"scopes": ["alerts.read"]}, 200, "sendgrid_key_may_not_send"),
        ({"errors": []}, 401, "sendgrid_key_not_accepted"),
        ({"errors": []}, 404, None),
    ],
)
def test_a_key_is_asked_what_it_may_without_sending_a_mail(
    httpserver: HTTPServer, answer: dict[str, list[str]], status: int, reason: str | None
) -> None:
    httpserver.expect_request("/v3/scopes", "GET").respond_with_json(answer, status=status)
    if reason is None:
        sender(httpserver).knock()
        return
    with pytest.raises(SenderBusy) as refused:
        sender(httpserver).knock()
    assert refused.value.reason == reason
