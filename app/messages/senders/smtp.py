"""SMTP (RFC 5321), for those who have a mail server. Knows one server and one mail at a time.

Until the final dot is written the server cannot have taken the mail, so everything before it may be tried again; a
connection that falls silent after it leaves the outcome unknown.
"""

import re
import smtplib
import ssl
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from enum import StrEnum
from urllib.parse import parse_qs, unquote, urlsplit

from app.failpoints import failpoint
from app.messages.senders import mime
from app.messages.senders.port import OutgoingMail, SenderBusy, SenderMisconfigured, SenderRefused, SenderSilent

TIMEOUT = timedelta(seconds=20)
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


class StartTls(StrEnum):
    """Whether a plain connection is turned into an encrypted one before anything is said on it."""

    ALWAYS = "always"
    OFFERED = "offered"
    NEVER = "never"


@dataclass(frozen=True)
class SmtpServer:
    """Where `SMTP_URL` points to. `encrypted` means TLS from the first byte (smtps)."""

    host: str
    port: int
    encrypted: bool
    start_tls: StartTls
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> "SmtpServer":
        """Read `smtp://user:password@host:port?starttls=always|offered|never` or `smtps://…`.

        A password demands TLS unless the URL says otherwise; without one TLS is used where it is offered. Raises
        SenderMisconfigured, whose text does not repeat the URL.
        """
        parts = urlsplit(url)
        encrypted = parts.scheme == "smtps"
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise SenderMisconfigured("SMTP_URL must look like smtp://user:password@host:587 or smtps://host:465")
        default = StartTls.ALWAYS if parts.password else StartTls.OFFERED
        try:
            start_tls = StartTls(parse_qs(parts.query).get("starttls", [default])[0])
            port = parts.port or (465 if encrypted else 587)
        except ValueError as problem:
            raise SenderMisconfigured(
                "SMTP_URL: the port is a number and starttls is one of always, offered, never"
            ) from problem
        user = unquote(parts.username) if parts.username else None
        password = unquote(parts.password) if parts.password else None
        return cls(parts.hostname, port, encrypted, start_tls, user, password)


class Smtp:
    """Sends through one SMTP server, a connection a mail. `timeout` is for each answer of the server."""

    name = "smtp"
    delivers_at_once = False

    def __init__(self, server: SmtpServer, timeout: timedelta = TIMEOUT, tls: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._timeout = timeout.total_seconds()
        self._tls = tls or ssl.create_default_context()

    def send(self, mail: OutgoingMail) -> str:
        """The Message-ID under which the server took it."""
        message = mime.build(mail)
        connection = self._open()
        try:
            _offer(connection, mail)
            _transfer(connection, message)
        finally:
            connection.close()
        return mime.message_id(mail)

    def knock(self) -> None:
        """Greet the server and sign in, as before a mail. Raises SenderBusy."""
        self._open().close()

    def _open(self) -> smtplib.SMTP:
        server = self._server
        try:
            if server.encrypted:
                connection: smtplib.SMTP = smtplib.SMTP_SSL(
                    server.host, server.port, timeout=self._timeout, context=self._tls
                )
            else:
                connection = smtplib.SMTP(server.host, server.port, timeout=self._timeout)
        except (OSError, smtplib.SMTPException) as problem:
            raise SenderBusy(_named(problem)) from problem
        try:
            self._introduce(connection)
        except (OSError, smtplib.SMTPException) as problem:
            connection.close()
            raise SenderBusy(_named(problem)) from problem
        return connection

    def _introduce(self, connection: smtplib.SMTP) -> None:
        server = self._server
        connection.ehlo_or_helo_if_needed()
        wanted = server.start_tls is StartTls.ALWAYS or (
            server.start_tls is StartTls.OFFERED and connection.has_extn("starttls")
        )
        if wanted and not server.encrypted:
            connection.starttls(context=self._tls)
            connection.ehlo_or_helo_if_needed()
        if server.user is not None:
            connection.login(server.user, server.password or "")


def _offer(connection: smtplib.SMTP, mail: OutgoingMail) -> None:
    options = []
    if mime.needs_utf8(mail):
        if not connection.has_extn("smtputf8"):
            raise SenderRefused("server_without_smtputf8")
        options = ["SMTPUTF8", "BODY=8BITMIME"]
    try:
        _expect(connection.mail(mail.from_email, options), "sender")
        _expect(connection.rcpt(mail.to), "recipient")
        _expect(connection.docmd("DATA"), "data", success=354)
    except (OSError, smtplib.SMTPException) as problem:
        raise SenderBusy(_named(problem)) from problem


def _transfer(connection: smtplib.SMTP, message: EmailMessage) -> None:
    content = _LEADING_DOT.sub(b"..", message.as_bytes())
    try:
        connection.send(content + b".\r\n")
    except (OSError, smtplib.SMTPException) as problem:
        raise SenderBusy(_named(problem)) from problem
    failpoint("message.request_left")
    try:
        answer = connection.getreply()
    except (OSError, smtplib.SMTPException) as problem:
        raise SenderSilent(_named(problem)) from problem
    _expect(answer, "content")


def _expect(answer: tuple[int, bytes], what: str, success: int = 250) -> None:
    """Pass for the code wanted (251 is a forwarded recipient); 4xx is busy and the rest refused, named by its code."""
    code = answer[0]
    if code in (success, 251):
        return
    reason = f"smtp_{code}_{what}"
    raise SenderBusy(reason) if 400 <= code < 500 else SenderRefused(reason)


def _named(problem: Exception) -> str:
    """A short word for what went wrong, without the server's text, which may quote addresses."""
    code = getattr(problem, "smtp_code", None)
    return f"smtp_{code}" if code else f"smtp_{type(problem).__name__}"
