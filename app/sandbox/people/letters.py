"""A mail as its reader sees it: to whom it is, and the first address in it that can be pressed."""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses
from html import unescape

_PLAIN = re.compile(r"https?://[^\s<>\"']+")
_LINK = re.compile(r"""<a\b[^>]*\bhref\s*=\s*["'](https?://[^"']+)["']""", re.IGNORECASE)


@dataclass(frozen=True)
class Read:
    """Lower-case addresses, the subject, and the link, if there is one."""

    addresses: tuple[str, ...]
    subject: str
    link: str | None


def read(raw: bytes) -> Read:
    """Read an RFC 5322 mail. Whatever is broken in it is as if it were not there."""
    mail = message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)  # for the type checker: that policy makes these
    named = getaddresses([str(value) for value in mail.get_all("To", [])])
    return Read(tuple(address.lower() for _, address in named if address), str(mail.get("Subject", "")), _link(mail))


def _link(mail: EmailMessage) -> str | None:
    plain, rich = _text(mail, "plain"), _text(mail, "html")
    found = _PLAIN.search(plain)
    if found:
        return found[0].rstrip(".,;:)]")
    pressed = _LINK.search(rich)
    return unescape(pressed[1]) if pressed else None


def _text(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):
        return ""
