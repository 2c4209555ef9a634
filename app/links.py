"""The signed links in mails. The one behind which a customer fixes a payment without signing in names a case and
nothing else: its token carries organization, case, the case's link version (raise it to revoke) and when it ends.

The others name the mail they stand in: the page of a notice, and the way out of reminders, which never ends.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from itsdangerous import BadSignature, Signer, URLSafeSerializer

from app.errors import RecoupError

LIFETIME = timedelta(days=60)
_SALT = "recoup.pay"
_UNSUBSCRIBE, _NOTICE = "recoup.unsubscribe", "recoup.notice"


class LinkInvalid(RecoupError):
    """The token was not made by this Recoup, or was damaged on its way."""


class LinkExpired(RecoupError):
    """The token was ours but its time is over; `link` still says whom to send a fresh one."""

    def __init__(self, link: "PayLink") -> None:
        super().__init__("this payment link has expired")
        self.link = link


@dataclass(frozen=True)
class PayLink:
    """What a payment link stands for. `version` must equal the case's `link_version` to be honoured."""

    organization_id: UUID
    case_id: UUID
    version: int


def make_pay_url(base_url: str, secret_key: str, link: PayLink, now: datetime) -> str:
    """The address to put into a mail; it works for `LIFETIME`."""
    ends = int((now + LIFETIME).timestamp())
    payload = [link.organization_id.hex, link.case_id.hex, link.version, ends]
    return f"{base_url}/pay/{URLSafeSerializer(secret_key, _SALT).dumps(payload)}"


def read_pay_token(secret_key: str, token: str, now: datetime) -> PayLink:
    """The link that `token` stands for; raises `LinkInvalid` or `LinkExpired`."""
    try:
        organization, case, version, ends = URLSafeSerializer(secret_key, _SALT).loads(token)
        link = PayLink(UUID(organization), UUID(case), int(version))
    except (BadSignature, ValueError, TypeError) as problem:
        raise LinkInvalid("this payment link is not valid") from problem
    if datetime.fromtimestamp(ends, UTC) <= now:
        raise LinkExpired(link)
    return link


@dataclass(frozen=True)
class MailLink:
    """A mail that one of its own links stands for."""

    organization_id: UUID
    message_id: UUID


def make_unsubscribe_url(base_url: str, secret_key: str, link: MailLink) -> str:
    """Where whoever got this mail says that they want no more reminders; short, as it stands in a header."""
    return f"{base_url}/unsubscribe/{_sign(secret_key, _UNSUBSCRIBE, link)}"


def read_unsubscribe_token(secret_key: str, token: str) -> MailLink:
    """The mail that `token` stands for; raises `LinkInvalid`."""
    return _unsign(secret_key, _UNSUBSCRIBE, token)


def make_notice_url(base_url: str, secret_key: str, link: MailLink) -> str:
    """The page that a notice leads to. It shows what is so when it is opened, and so has no end of its own."""
    return f"{base_url}/notice/{_sign(secret_key, _NOTICE, link)}"


def read_notice_token(secret_key: str, token: str) -> MailLink:
    """The mail that `token` stands for; raises `LinkInvalid`."""
    return _unsign(secret_key, _NOTICE, token)


def _sign(secret_key: str, salt: str, link: MailLink) -> str:
    ids = urlsafe_b64encode(link.organization_id.bytes + link.message_id.bytes).rstrip(b"=")
    return Signer(secret_key, salt).sign(ids).decode()


def _unsign(secret_key: str, salt: str, token: str) -> MailLink:
    try:
        ids = urlsafe_b64decode(Signer(secret_key, salt).unsign(token.encode()) + b"=")
        return MailLink(UUID(bytes=ids[:16]), UUID(bytes=ids[16:]))
    except (BadSignature, ValueError) as problem:
        raise LinkInvalid("this link is not valid") from problem
