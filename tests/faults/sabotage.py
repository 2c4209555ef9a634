"""Things done to one process before it begins: guards switched off, to see that the suite notices, and slower deaths.

The forge calls one of these by name in the child; the program itself has no such switch.
"""

import signal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from app import failpoints
from app.messages import claiming
from app.stripe_gateway.gateway import StripeGateway


def random_idempotency_keys() -> None:
    """Every call is a new one to Stripe, the repetition of an unanswered one too."""
    pay = StripeGateway.pay_invoice

    def pay_anew(self: StripeGateway, invoice_id: str, *, idempotency_key: str, **rest: Any) -> Any:
        return pay(self, invoice_id, idempotency_key=f"{idempotency_key}:{uuid4()}", **rest)

    StripeGateway.pay_invoice = pay_anew  # type: ignore[method-assign]


def mails_without_claims() -> None:
    """Whoever is told to deliver a mail sends it, whatever became of it before."""
    claiming._is_to_be_looked_at = lambda _message, _settings, _now: True


def sleep_instead_of_dying() -> None:
    """At its failpoint the process is stopped (SIGSTOP), to be woken up when its leases have long run out."""
    failpoints.signal = SimpleNamespace(SIGKILL=signal.SIGSTOP)  # type: ignore[assignment]
