"""Sending by SMTP against a server that misbehaves: what was not taken, what was refused, what nobody knows."""

import smtplib
import socket
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from app.messages.senders.port import SenderBusy, SenderMisconfigured, SenderRefused, SenderSilent
from app.messages.senders.smtp import Smtp, SmtpServer, StartTls
from tests.integration.messages.mails import mail
from tests.integration.messages.smtp_double import CUT, HANG, SmtpDouble, smtp_double


def sender(double: SmtpDouble, credentials: str = "", query: str = "", timeout: float = 5) -> Smtp:
    url = f"smtp://{credentials}127.0.0.1:{double.port}{query}"
    return Smtp(SmtpServer.parse(url), timeout=timedelta(seconds=timeout))


def test_a_mail_arrives_whole_under_an_id_of_its_own() -> None:
    with smtp_double() as double:
        assert sender(double).send(mail(send_number=2)) == (
            "<00000000-0000-0000-0000-000000000002.2@northwind.example.com>"
        )
    [content] = double.contents
    arrived = message_from_bytes(content, policy=default)
    assert arrived["Message-ID"] == "<00000000-0000-0000-0000-000000000002.2@northwind.example.com>"
    assert arrived["Subject"] == "Zahlung über 49,00 €"
    assert arrived["Auto-Submitted"] == "auto-generated"
    part = arrived.get_body(("plain",))  # type: ignore[attr-defined]
    assert part.get_content().replace("\r\n", "\n") == mail().text
    assert content.isascii()


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"banner": "421 too many"}, "smtp_421"),
        ({"banner": CUT}, "smtp_SMTPServerDisconnected"),
        ({"ehlo": "421 no", "helo": "421 no"}, "smtp_421"),
        ({"mail": "451 later"}, "smtp_451_sender"),
        ({"rcpt": "450 greylisted"}, "smtp_450_recipient"),
        ({"rcpt": CUT}, "smtp_SMTPServerDisconnected"),
        ({"data": "451 later"}, "smtp_451_data"),
        ({"data": CUT}, "smtp_SMTPServerDisconnected"),
        ({"content": "452 full"}, "smtp_452_content"),
    ],
)
def test_what_a_server_did_not_take_may_be_tried_later(answers: dict[str, str], reason: str) -> None:
    with smtp_double(answers=answers) as double, pytest.raises(SenderBusy) as caught:
        sender(double).send(mail())
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"mail": "550 not you"}, "smtp_550_sender"),
        ({"rcpt": "550 <anna.schmidt@example.com> unknown"}, "smtp_550_recipient"),
        ({"content": "554 spam"}, "smtp_554_content"),
    ],
)
def test_what_a_server_refuses_is_not_tried_again_and_quotes_nobody(answers: dict[str, str], reason: str) -> None:
    with smtp_double(answers=answers) as double, pytest.raises(SenderRefused) as caught:
        sender(double).send(mail())
    assert caught.value.reason == reason


@pytest.mark.parametrize(("answer", "timeout"), [(CUT, 5.0), (HANG, 0.3)])
def test_a_server_that_falls_silent_after_the_last_dot_may_have_taken_the_mail(answer: str, timeout: float) -> None:
    with smtp_double(answers={"content": answer}) as double, pytest.raises(SenderSilent):
        sender(double, timeout=timeout).send(mail())
    assert len(double.contents) == 1


def test_a_server_that_is_not_there_or_says_nothing_has_not_taken_the_mail() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(SenderBusy):
            sender(SmtpDouble(port=nobody.getsockname()[1])).send(mail())
    with smtp_double(answers={"banner": HANG}) as double, pytest.raises(SenderBusy):
        sender(double, timeout=0.3).send(mail())


def test_a_password_is_never_said_on_an_open_line_unless_asked_for() -> None:
    with smtp_double(extensions=("AUTH PLAIN",)) as double:
        with pytest.raises(SenderBusy):
            sender(double, "user:pass@").send(mail())
        assert not [command for command in double.commands if command.lower().startswith("auth")]
        sender(double, "user:p%40ss@", "?starttls=never").send(mail())
    assert len(double.contents) == 1


def test_a_password_that_is_wrong_is_the_operators_to_put_right() -> None:
    with smtp_double(extensions=("AUTH PLAIN",), answers={"auth": "535 no"}) as double, pytest.raises(SenderBusy) as no:
        sender(double, "user:pass@", "?starttls=never").send(mail())
    assert no.value.reason == "smtp_535"


def test_an_address_in_other_letters_needs_a_server_that_can_read_it() -> None:
    with smtp_double() as double:
        sender(double).send(mail(to="jürgen@example.com"))
        assert any("SMTPUTF8" in command for command in double.commands)
    with smtp_double(extensions=()) as old, pytest.raises(SenderRefused) as caught:
        sender(old).send(mail(to="jürgen@example.com"))
    assert caught.value.reason == "server_without_smtputf8"


@pytest.mark.parametrize("changes", [{"to": "a@example.com\r\nBcc: b@example.com"}, {"subject": "a\r\nBcc: b@x.org"}])
def test_nobody_can_smuggle_a_header_in(changes: dict[str, str]) -> None:
    with smtp_double() as double, pytest.raises(SenderRefused) as caught:
        sender(double).send(mail(**changes))
    assert caught.value.reason == "unwritable_header"
    assert double.commands == []


def test_a_sender_address_that_cannot_be_written_keeps_the_mail() -> None:
    with smtp_double() as double, pytest.raises(SenderBusy) as caught:
        sender(double).send(mail(from_email="billing"))
    assert caught.value.reason == "own_address_unwritable"


def test_the_url_says_how_the_line_is_secured() -> None:
    assert SmtpServer.parse("smtp://mail.example.com") == SmtpServer("mail.example.com", 587, False, StartTls.OFFERED)
    assert SmtpServer.parse("smtps://u:p%3A@mail.example.com") == SmtpServer(
        "mail.example.com", 465, True, StartTls.ALWAYS, "u", "p:"
    )
    assert SmtpServer.parse("smtp://u:p@h:25?starttls=never").start_tls is StartTls.NEVER


@pytest.mark.parametrize(
    "url", ["", "mail.example.com", "http://h", "smtp://", "smtp://h:no", "smtp://h?starttls=maybe"]
)
def test_a_url_that_cannot_be_used_is_said_without_repeating_it(url: str) -> None:
    with pytest.raises(SenderMisconfigured) as caught:
        SmtpServer.parse(url)
    assert "secret" not in str(caught.value)
    assert "SMTP_URL" in str(caught.value)


def test_the_double_speaks_smtp_as_the_standard_client_does() -> None:
    with smtp_double() as double, smtplib.SMTP("127.0.0.1", double.port, timeout=5) as client:
        assert client.sendmail("a@example.com", "b@example.com", b"Subject: x\r\n\r\nbody\r\n") == {}
    assert double.contents == [b"Subject: x\r\n\r\nbody\r\n"]


def test_a_server_is_asked_whether_it_takes_mails_without_sending_one() -> None:
    with smtp_double() as double:
        sender(double).knock()
        assert double.contents == []
        port = double.port
    with pytest.raises(SenderBusy):
        Smtp(SmtpServer.parse(f"smtp://127.0.0.1:{port}"), timeout=timedelta(seconds=2)).knock()
