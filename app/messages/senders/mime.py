"""A mail as the wire knows it (RFC 5322, multipart/alternative), for the senders that speak it themselves."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime

from app.messages.senders.port import OutgoingMail, SenderBusy, SenderRefused

_UNFOLDED = "list-unsubscribe"


class _Wire(EmailPolicy):
    """Writes an address of the web as it is. Folding would make an encoded word of one that is longer than a line, and
    no mail program looks for an address in there (RFC 2369; a line may have 998 characters, RFC 5322)."""

    def fold(self, name: str, value: str) -> str:
        """The header as lines of text."""
        return f"{name}: {value}{self.linesep}" if name.lower() == _UNFOLDED else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        """The header as lines of bytes."""
        return self.fold(name, value).encode() if name.lower() == _UNFOLDED else super().fold_binary(name, value)


# Bodies are encoded to seven bits, so that servers without 8BITMIME take them too.
_SEVEN_BITS = _Wire(linesep="\r\n", cte_type="7bit")
_WITH_UTF8_ADDRESSES = _SEVEN_BITS.clone(utf8=True)


def build(mail: OutgoingMail) -> EmailMessage:
    """The mail with its headers; raises SenderRefused where the recipient or the subject cannot be written as a header,
    and SenderBusy where it is the operator's own address, which can be put right.

    The Message-ID is made from the message and its send number, so that one send keeps one id wherever it is seen.
    """
    message = EmailMessage(policy=_WITH_UTF8_ADDRESSES if needs_utf8(mail) else _SEVEN_BITS)
    try:
        message["Message-ID"] = message_id(mail)
        message["Date"] = format_datetime(mail.moment)
        message["From"] = _address(mail.from_email, mail.from_name)
        if mail.reply_to:
            message["Reply-To"] = _address(mail.reply_to)
    except ValueError as problem:
        raise SenderBusy("own_address_unwritable") from problem
    try:
        message["To"] = _address(mail.to)
        message["Subject"] = mail.subject
        message["Auto-Submitted"] = "auto-generated"
        for name, value in mail.list_headers().items():
            message[name] = value
    except ValueError as problem:
        raise SenderRefused("unwritable_header") from problem
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    message["Content-Language"] = mail.locale  # last, because filling a message clears what is said of its content
    return message


def needs_utf8(mail: OutgoingMail) -> bool:
    """Whether an address is written in other letters than ASCII, which a server must allow (RFC 6531)."""
    return not all(address.isascii() for address in (mail.to, mail.from_email, mail.reply_to or ""))


def message_id(mail: OutgoingMail) -> str:
    """`<message.send@domain of the sender>`."""
    return f"<{mail.message_id}.{mail.send_number}@{mail.from_email.rpartition('@')[2]}>"


def _address(address: str, name: str = "") -> Address:
    # Not `addr_spec`, which takes ASCII only.
    local, _, domain = address.rpartition("@")
    if not (local and domain):
        raise ValueError("not an address")
    return Address(name, local, domain)
