"""What every sender takes and answers. An error says what to do next: give up, come back later, or wait and see."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from app.errors import RecoupError


@dataclass(frozen=True)
class OutgoingMail:
    """One mail, ready to leave. `send_number` counts the sends of this message from 1; `moment` is aware UTC.

    `unsubscribe_url` is set for a reminder, which its reader may refuse: the page, and the address of one click.
    """

    organization_id: UUID
    message_id: UUID
    send_number: int
    moment: datetime
    kind: str
    from_name: str
    from_email: str
    to: str
    subject: str
    text: str
    html: str
    locale: str
    reply_to: str | None = None
    unsubscribe_url: str | None = None

    @property
    def reference(self) -> str:
        """What a provider carries along and hands back in its events: `<organization>.<message>`."""
        return f"{self.organization_id}.{self.message_id}"

    def list_headers(self) -> dict[str, str]:
        """The headers by which mail programs offer the way out (RFC 2369), by one click where it is https (RFC 8058).

        They count only under a DKIM signature that covers them, which is the provider's or the mail server's to make.
        """
        if self.unsubscribe_url is None:
            return {}
        headers = {"List-Unsubscribe": f"<{self.unsubscribe_url}>"}
        if self.unsubscribe_url.startswith("https://"):
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return headers


class Sender(Protocol):
    """A way out. `delivers_at_once` says that being accepted is all there is: nobody will report a delivery."""

    name: str
    delivers_at_once: bool

    def send(self, mail: OutgoingMail) -> str | None:
        """Hand the mail over; the provider's id for it, if it gives one. Raises the three errors below."""
        ...

    def knock(self) -> None:
        """Ask whether mails would be taken at all, without sending one. Raises SenderBusy where they would not."""
        ...


class SenderRefused(RecoupError):
    """This mail will never be taken. `reason` is a short word for the operator, without addresses."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the mail was refused: {reason}")
        self.reason = reason


class SenderBusy(RecoupError):
    """The mail was certainly not taken; the same may work later, not before `retry_after` where that is known."""

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(f"the mail was not taken for now: {reason}")
        self.reason = reason
        self.retry_after = retry_after


class SenderSilent(RecoupError):
    """The mail left and no answer came back: it may have been taken or not."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no answer after the mail had left: {reason}")
        self.reason = reason


class SenderMisconfigured(RecoupError):
    """A setting that names the way out cannot be used; the text says which and what is expected."""
