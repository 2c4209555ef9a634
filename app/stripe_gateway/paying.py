"""Charging an invoice, and reading what a charge came to. Decides nothing about whether to charge.

Stripe keeps status and body of each idempotency key for at least 24 hours, declines included: a repeat of a key
replays its old answer, so a new attempt needs a new key.
"""

from dataclasses import dataclass

from stripe.params import InvoicePayParams

from app.stripe_gateway.charges import ChargeCalls
from app.stripe_gateway.errors import (
    LACKING,
    CardRefused,
    ChargeOutcomeUnknown,
    GatewayError,
    InvalidRequest,
    NotFound,
    StripeUnavailable,
)
from app.stripe_gateway.invoices import InvoiceCalls
from app.stripe_gateway.readers import (
    merge_signals,
    read_card,
    read_charge_signals,
    read_error_signals,
    read_invoice,
    read_latest_charge,
)
from app.stripe_gateway.readers.fields import reference, table, text
from app.stripe_gateway.snapshots import (
    CardSnapshot,
    InvoiceSnapshot,
    Json,
    Signals,
)

_REQUIRES_ACTION = "invoice_payment_intent_requires_action"


@dataclass(frozen=True)
class Paid:
    """The invoice is paid. Its payment ids are filled where Stripe could be asked for them."""

    invoice: InvoiceSnapshot


@dataclass(frozen=True)
class Processing:
    """The payment was taken on and is not settled yet (bank debits take days): a later event will tell."""

    invoice: InvoiceSnapshot


@dataclass(frozen=True)
class Declined:
    """The charge was tried, or blocked on the way, and failed."""

    signals: Signals
    charge_id: str | None
    payment_intent_id: str | None
    payment_method_id: str | None
    card: CardSnapshot | None


@dataclass(frozen=True)
class ActionRequired:
    """Only the payer can finish it, on the hosted invoice page (3-D Secure and its like)."""

    payment_intent_id: str | None
    hosted_invoice_url: str | None


@dataclass(frozen=True)
class Refused:
    """Nothing was charged: the invoice is not open, or has no way to be paid. Read it again to see which.

    `reason` is Stripe's code, or `invalid_request` where it gives none; `detail` its words, for people only.
    """

    reason: str
    detail: str | None


PayResult = Paid | Processing | Declined | ActionRequired | Refused


class PayCalls(InvoiceCalls, ChargeCalls):
    """The one call that takes money."""

    def pay_invoice(self, invoice_id: str, *, idempotency_key: str, payment_method_id: str | None = None) -> PayResult:
        """Ask Stripe to charge an open invoice now, off session, with the given payment method or the one in force.

        Raises `ChargeOutcomeUnknown` when no readable answer came, `KeyInUse` while the same key is still at work,
        `KeyUsedOtherwise`, `RateLimited` (nothing was charged), `NotFound`, or a `ConnectionBroken`.
        """
        # `off_session` is true by default for this call. Expanding here is left out on purpose: an imitation that
        # cannot expand would charge first and answer 400 after it.
        params: InvoicePayParams = {"payment_method": payment_method_id} if payment_method_id else {}
        before = self._trace(invoice_id) if payment_method_id and self._is_imitation else None
        try:
            answer = self._ask(
                "invoice_write",
                lambda: self._v1.invoices.pay(invoice_id, params, {"idempotency_key": idempotency_key}),
            )
        except CardRefused as error:
            return self._read_refusal(invoice_id, error)
        except (StripeUnavailable, InvalidRequest, NotFound) as error:
            if before and self._may_lack_the_parameter(error) and self._trace(invoice_id) == before:
                return self.pay_invoice(invoice_id, idempotency_key=f"{idempotency_key}:by_default")
            return self._read_trouble(invoice_id, error)
        invoice = read_invoice(answer)
        if not invoice.id:
            raise ChargeOutcomeUnknown(f"the answer to charging {invoice_id} names no invoice: read it before charging")
        return self._read_acceptance(invoice)

    def _may_lack_the_parameter(self, error: GatewayError) -> bool:
        """Whether an imitation may have stumbled over the name of a payment method.

        The card was put in force before it is charged, so there a charge by default comes to the same; if nothing has
        been charged by then, which the invoice's trace must show.
        """
        return self._is_imitation and isinstance(error, LACKING) and error.code in (None, "parameter_unknown")

    def _trace(self, invoice_id: str) -> tuple[int, frozenset[str]] | None:
        """What every try of an open invoice leaves behind: the count of tries, and the charges. None where it is not
        open, or cannot be read."""
        try:
            invoice = self.get_invoice(invoice_id)
            charges = self.list_charges(invoice.payment_intent_id) if invoice.payment_intent_id else []
        except GatewayError:
            return None
        seen = frozenset(filter(None, (invoice.charge_id, *(charge.id for charge in charges))))
        return (invoice.attempt_count, seen) if invoice.status == "open" else None

    def _read_trouble(self, invoice_id: str, error: GatewayError) -> PayResult:
        if isinstance(error, StripeUnavailable):
            raise ChargeOutcomeUnknown(
                f"whether {invoice_id} was charged is not known: repeat with the same key, or read the invoice",
                status=error.status,
                request_id=error.request_id,
            ) from error
        # "Not found" may also be meant of a way to pay; then the invoice is there.
        if isinstance(error, NotFound) and not self._is_open(invoice_id):
            raise error
        return self._read_refusal(invoice_id, error)

    def _is_open(self, invoice_id: str) -> bool:
        try:
            return self.get_invoice(invoice_id).status == "open"
        except GatewayError:
            return False

    def _read_refusal(self, invoice_id: str, error: GatewayError) -> PayResult:
        intent = table(error.body, "payment_intent")
        if error.code == _REQUIRES_ACTION or text(intent, "status") == "requires_action":
            return ActionRequired(
                payment_intent_id=reference(error.body, "payment_intent"),
                hosted_invoice_url=self._find_hosted_url(invoice_id),
            )
        if isinstance(error, CardRefused):
            return self._read_decline(error.body, intent)
        return Refused(reason=error.code or "invalid_request", detail=error.detail)

    def _read_decline(self, failure: Json, intent: Json | None) -> Declined:
        """A decline from an error body or a `last_payment_error`. Neither has the outcome (was it blocked, did the
        network see it?), which decides about budgets: that is one read of the charge."""
        charge_id = reference(failure, "charge") or reference(intent, "latest_charge")
        charge = read_latest_charge(intent) or (self._find_charge(charge_id) if charge_id else None)
        signals = merge_signals(read_error_signals(failure), read_error_signals(table(intent, "last_payment_error")))
        card = table(failure, "payment_method", "card") or table(charge, "payment_method_details", "card")
        return Declined(
            signals=merge_signals(signals, read_charge_signals(charge)),
            charge_id=charge_id or text(charge, "id"),
            payment_intent_id=reference(failure, "payment_intent") or text(intent, "id"),
            payment_method_id=reference(failure, "payment_method") or reference(charge, "payment_method"),
            card=read_card(card),
        )

    def _read_acceptance(self, invoice: InvoiceSnapshot) -> PayResult:
        """After a 200: paid, or taken on. Imitations and old versions also answer 200 to a decline."""
        known = self._with_payment_ids(invoice)
        if known.status == "paid":
            return Paid(known)
        intent = self._find_intent(known.payment_intent_id) if known.payment_intent_id else None
        status = text(intent, "status")
        if intent and status == "requires_action":
            return ActionRequired(known.payment_intent_id, known.hosted_invoice_url)
        if intent and status in ("requires_payment_method", "requires_source"):
            return self._read_decline(table(intent, "last_payment_error") or {}, intent)
        charge = self._find_charge(known.charge_id) if known.charge_id and intent is None else None
        return self._read_decline({"charge": charge}, None) if text(charge, "status") == "failed" else Processing(known)

    def _with_payment_ids(self, invoice: InvoiceSnapshot) -> InvoiceSnapshot:
        if invoice.payment_intent_id or invoice.charge_id:
            return invoice
        try:
            return self.get_invoice(invoice.id)
        except GatewayError:
            # The charge is answered for; its ids also come with the events.
            return invoice

    def _find_hosted_url(self, invoice_id: str) -> str | None:
        try:
            return self.get_invoice(invoice_id).hosted_invoice_url
        except GatewayError:
            return None
