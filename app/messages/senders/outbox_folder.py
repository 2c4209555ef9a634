"""The sender for a machine without a mail provider: every mail becomes a file that a person can open.

Each send is a file of its own, so that a mail that was sent twice is seen to be two.
"""

import os
import secrets
from pathlib import Path

from app.failpoints import failpoint
from app.messages.senders import mime
from app.messages.senders.port import OutgoingMail, SenderBusy


class OutboxFolder:
    """Writes `<utc>-<message id>-<send number>-<random>.eml` into `folder`, whole or not at all."""

    name = "outbox"
    delivers_at_once = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, mail: OutgoingMail) -> str:
        """The name of the file. Raises SenderBusy when it cannot be written (a full disk, say)."""
        stamp = mail.moment.strftime("%Y%m%dT%H%M%S")
        name = f"{stamp}-{mail.message_id}-{mail.send_number}-{secrets.token_hex(4)}.eml"
        content = mime.build(mail).as_bytes()
        try:
            self._write(name, content)
        except OSError as problem:
            raise SenderBusy("outbox_not_writable") from problem
        failpoint("message.request_left")
        return name

    def knock(self) -> None:
        """Raises SenderBusy where no file can be written."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise SenderBusy("outbox_not_writable") from problem
        if not os.access(self._folder, os.W_OK):
            raise SenderBusy("outbox_not_writable")

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f".{name}"
        with unfinished.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._folder / name)
