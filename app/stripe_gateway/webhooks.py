"""Whether a webhook is Stripe's: the signature over the raw body, by any secret that is good, near enough to now.

The library's own check of age knows only the wall's clock and lets the future in, so both bounds are ours.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from stripe import SignatureVerificationError, WebhookSignature

from app.errors import RecoupError

TOLERANCE = timedelta(minutes=5)
_TIMESTAMP = re.compile(r"(?:^|,)\s*t=(\d{1,12})(?:,|$)")


class SignatureInvalid(RecoupError):
    """The webhook is not signed with a secret of this connection, or not about now. It is not stored."""


def verify(body: str, header: str, secrets: Sequence[str], now: datetime) -> None:
    """Raise `SignatureInvalid` unless one of `secrets` signed `body` within five minutes of `now`, either way.

    Source: docs.stripe.com/webhooks, "Verify webhook signatures manually".
    """
    stamp = _TIMESTAMP.search(header)
    if stamp is None:
        raise SignatureInvalid("the Stripe-Signature header is missing or has no timestamp")
    if abs(now - datetime.fromtimestamp(int(stamp[1]), UTC)) > TOLERANCE:
        raise SignatureInvalid("the webhook's timestamp is more than five minutes away from this machine's clock")
    if not any(_signed(body, header, secret) for secret in secrets if secret):
        raise SignatureInvalid("the webhook is not signed with this connection's secret")


def _signed(body: str, header: str, secret: str) -> bool:
    try:
        return bool(WebhookSignature.verify_header(body, header, secret, None))
    except SignatureVerificationError:
        return False
