"""Whether a webhook is Stripe's: the signature over the raw body, by any secret that is good, near enough to now.

The library's own check of age knows only the wall's clock and lets the future in, so both bounds are ours.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from stripe import SignatureVerificationError, WebhookSignature

from app.errors import RecoupError

TOLERANCE = timedelta(minutes=5)
_MOMENT = re.compile(r"\d{1,11}")


class SignatureInvalid(RecoupError):
    """The webhook is not signed with a secret of this connection, or not about now. It is not stored."""


def verify(body: str, header: str, secrets: Sequence[str], now: datetime) -> None:
    """Raise `SignatureInvalid` unless one of `secrets` signed `body` within five minutes of `now`, either way.

    Source: docs.stripe.com/webhooks, "Verify webhook signatures manually".
    """
    if not header.isascii():
        raise SignatureInvalid("the Stripe-Signature header is damaged")
    stamps = [value for name, _, value in (part.partition("=") for part in header.split(",")) if name.strip() == "t"]
    if len(stamps) != 1 or not _MOMENT.fullmatch(stamps[0]):  # of two, the library might check another one than we do
        raise SignatureInvalid("the Stripe-Signature header is missing or has no single timestamp")
    if abs(now - datetime.fromtimestamp(int(stamps[0]), UTC)) > TOLERANCE:
        raise SignatureInvalid("the webhook's timestamp is more than five minutes away from this machine's clock")
    if not any(_signed(body, header, secret) for secret in secrets if secret):
        raise SignatureInvalid("the webhook is not signed with this connection's secret")


def _signed(body: str, header: str, secret: str) -> bool:
    try:
        return bool(WebhookSignature.verify_header(body, header, secret, None))
    except SignatureVerificationError:
        return False
