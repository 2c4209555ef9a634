"""What one past failure was: its beginning, every try, how it ended. Pure: a reading in, values out."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from app.recovery.endings import BY_STRIPE
from app.recovery.facts import to_decline_signals
from app.recovery.observing import CHECKOUT
from app.recovery.reading import Reading
from app.retries.declines import classify
from app.stripe_gateway.snapshots import ChargeSnapshot, InvoiceSnapshot
from app.vocabulary import AttemptSource, PastOutcome, RecoveredBy

OUTCOMES = {
    "paid": PastOutcome.PAID,
    "open": PastOutcome.OPEN,
    "uncollectible": PastOutcome.WRITTEN_OFF,
    "void": PastOutcome.VOIDED,
}


@dataclass(frozen=True)
class Past:
    """One past failure as columns, and who asked for each of its charges."""

    columns: dict[str, Any]
    sources: dict[str, AttemptSource]


def may_have_lapsed(invoice: InvoiceSnapshot) -> bool:
    """Whether this kind of invoice could become a case at all: a renewal or one-off that Stripe charges by itself."""
    is_charged = invoice.collection_method == "charge_automatically" and invoice.billing_reason != CHECKOUT
    return is_charged and invoice.amount_due > 0 and invoice.status in OUTCOMES


def looks_failed(invoice: InvoiceSnapshot) -> bool:
    """Whether the invoice itself says that a payment failed; one that was then paid at once does not say so."""
    return (invoice.attempted and invoice.status != "paid") or invoice.attempt_count > 1


def past_of(reading: Reading, was_ended_by_us: bool) -> Past | None:
    """The failure that a reading tells of; None where nothing ever failed.

    `was_ended_by_us` says that a final action of Recoup ended its subscription.
    """
    invoice = reading.invoice
    failures = [charge for charge in reading.charges if charge.status == "failed"]
    if not failures and not looks_failed(invoice):
        return None
    first = min(failures, key=lambda charge: charge.created, default=None)
    sources = _sources(reading)
    card = first.card if first else None
    paid_by, paid_at = _payment(reading, first, sources)
    columns = {
        "customer_stripe_id": invoice.customer_id or "",
        "failed_at": first.created if first else invoice.created,
        "amount_due": invoice.amount_due,
        "currency": invoice.currency,
        "decline_class": _class_of(first),
        "signals": asdict(first.signals) if first else {},
        "card_brand": card.brand if card else None,
        "card_funding": card.funding if card else None,
        "card_country": card.country if card else None,
        "customer_country": reading.customer.country,
        "timezone": reading.customer.timezone,
        "outcome": OUTCOMES.get(invoice.status, PastOutcome.OPEN),
        "paid_at": paid_at,
        "paid_amount": invoice.amount_paid if invoice.status == "paid" else 0,
        "paid_by": paid_by,
        "not_asked_because": why_not_asked(reading, was_ended_by_us) if invoice.status == "open" else None,
        "read_at": reading.read_at,
    }
    return Past(columns, sources)


def why_not_asked(reading: Reading, was_ended_by_us: bool) -> str | None:
    """Why an open debt should be left alone, in the words of the preview; None for one that may be asked for."""
    if reading.customer.deleted:
        return "the customer was deleted"
    if reading.invoice.amount_remaining <= 0:
        return "nothing is left to pay"
    subscription = reading.subscription
    by_others = was_ended_by_us or (subscription is not None and subscription.cancellation_reason in BY_STRIPE)
    if subscription and subscription.status == "canceled" and not by_others:
        return "the subscription was cancelled on request"
    if any(charge.disputed for charge in reading.charges):
        return "a payment of it was disputed"
    return None


def _sources(reading: Reading) -> dict[str, AttemptSource]:
    """Stripe's automatic tries are those that `attempt_count` counts; what goes beyond them was a person."""
    automatic = max(reading.invoice.attempt_count, 1)
    return {
        charge.id: AttemptSource.STRIPE if place < automatic else AttemptSource.CUSTOMER
        for place, charge in enumerate(reading.charges)
    }


def _class_of(first: ChargeSnapshot | None) -> str | None:
    if first is None:
        return None
    brand = first.card.brand if first.card else None
    return classify(to_decline_signals(first.signals), brand).decline_class.value


def _payment(
    reading: Reading, first: ChargeSnapshot | None, sources: dict[str, AttemptSource]
) -> tuple[RecoveredBy | None, datetime | None]:
    invoice = reading.invoice
    if invoice.status != "paid":
        return None, None
    paying = next((charge for charge in reversed(reading.charges) if charge.status == "succeeded"), None)
    paid_at = invoice.paid_at or (paying.created if paying else None)
    if invoice.paid_out_of_band:
        return RecoveredBy.OUT_OF_BAND, paid_at
    if paying is None or sources[paying.id] is AttemptSource.CUSTOMER:
        return RecoveredBy.CUSTOMER, paid_at
    is_other_card = _print(first) is not None and _print(paying) not in (None, _print(first))
    return (RecoveredBy.NEW_CARD if is_other_card else RecoveredBy.STRIPE_RETRY), paid_at


def _print(charge: ChargeSnapshot | None) -> str | None:
    return charge.card.fingerprint if charge and charge.card else None
