"""The signed link behind which a customer fixes a payment without signing in. It names a case and nothing else.

The token carries organization, case, the case's link version (raise it to revoke) and the moment it ends.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from app.errors import RecoupError

LIFETIME = timedelta(days=60)
_SALT = "recoup.pay"


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
