"""Reading invoices and ending their collection. Charging them is in `paying.py`."""

from collections.abc import Callable, Iterator

from app.log import get_logger
from app.stripe_gateway.client import StripeDoor
from app.stripe_gateway.errors import LACKING, InvalidRequest, Unsupported
from app.stripe_gateway.readers import read_invoice
from app.stripe_gateway.readers.fields import Json, reference, text
from app.stripe_gateway.snapshots import InvoiceSnapshot

_log = get_logger(__name__)
_PAYMENT_FIELDS = frozenset({"payments", "payment_intent", "charge"})


class InvoiceCalls(StripeDoor):
    """Calls about invoices. All writes here set a state, so repeating one does no harm and they take no key."""

    def get_invoice(self, invoice_id: str) -> InvoiceSnapshot:
        """One invoice with the ids of its payment; raises `NotFound`."""
        try:
            answer = self._ask(
                "invoice_write", lambda: self._v1.invoices.retrieve(invoice_id, {"expand": ["payments"]})
            )
        except (InvalidRequest, Unsupported):
            # Shapes from before basil have no payments to expand, and carry the payment itself.
            answer = self._ask("invoice_write", lambda: self._v1.invoices.retrieve(invoice_id))
        return read_invoice(self._with_payments(answer))

    def list_open_invoices(self, *, customer_id: str) -> list[InvoiceSnapshot]:
        """Every open invoice of a customer, oldest first; ids of payments are not filled."""
        found = [read_invoice(row) for row in self._list_open({"customer": customer_id})]
        found.reverse()  # so that invoices of one second keep their order
        return sorted(found, key=lambda invoice: invoice.created)

    def find_invoice_id(self, *, payment_intent_id: str) -> str | None:
        """The invoice that a payment intent pays, or None: since basil, charges and intents no longer name it."""
        payments = self._list_payments(
            {"payment": {"type": "payment_intent", "payment_intent": payment_intent_id}},
            lambda row: reference(row, "payment", "payment_intent") in (None, payment_intent_id),
        )
        if payments:
            return reference(payments[0], "invoice")
        intent = self._ask("payment_intent_read", lambda: self._v1.payment_intents.retrieve(payment_intent_id))
        named = text(intent, "payment_details", "order_reference") or ""
        return reference(intent, "invoice") or (named if named.startswith("in_") else None)

    def stop_automatic_collection(self, invoice_id: str) -> InvoiceSnapshot:
        """Keep Stripe from charging this invoice by itself; raises `InvalidRequest` unless it is a draft or open."""
        return self._set_automatic_collection(invoice_id, wanted=False)

    def resume_automatic_collection(self, invoice_id: str) -> InvoiceSnapshot:
        """Give the invoice back to Stripe's own collection."""
        return self._set_automatic_collection(invoice_id, wanted=True)

    def mark_uncollectible(self, invoice_id: str) -> InvoiceSnapshot:
        """Write the debt off; it can still be paid. Raises `InvalidRequest` unless the invoice is open."""
        return read_invoice(self._ask("invoice_write", lambda: self._v1.invoices.mark_uncollectible(invoice_id)))

    def void_invoice(self, invoice_id: str) -> InvoiceSnapshot:
        """Take the debt back for good. Raises `InvalidRequest` unless the invoice is open or uncollectible."""
        return read_invoice(self._ask("invoice_write", lambda: self._v1.invoices.void_invoice(invoice_id)))

    def _set_automatic_collection(self, invoice_id: str, *, wanted: bool) -> InvoiceSnapshot:
        answer = self._ask("invoice_write", lambda: self._v1.invoices.update(invoice_id, {"auto_advance": wanted}))
        return read_invoice(answer)

    def _with_payments(self, invoice: Json) -> Json:
        """`invoice` with its payments listed, where it names none in either way and a list of them can be had."""
        if not _PAYMENT_FIELDS.isdisjoint(invoice):
            return invoice
        invoice_id = text(invoice, "id")
        payments = self._list_payments({"invoice": invoice_id}, lambda row: reference(row, "invoice") == invoice_id)
        return {**invoice, "payments": payments} if payments else invoice

    def _list_payments(self, params: Json, is_wanted: Callable[[Json], bool]) -> list[Json]:
        try:
            found = self._pages("invoice_write", lambda p: self._v1.invoice_payments.list(p), params)
            return [row for row in found if is_wanted(row)]
        except LACKING:
            return []

    def _list_open(self, params: Json) -> Iterator[Json]:
        """Open invoices by `params`. Imitations refuse or ignore filters, so every row is looked at here as well."""
        wanted = {"status": "open", **params}
        for row in self._list_by_some(wanted, params, {}):
            said = {name: reference(row, name) for name in ("status", "customer") if name in wanted}
            if all(value in (None, wanted[name]) for name, value in said.items()):
                yield row

    def _list_by_some(self, *filters: Json) -> Iterator[Json]:
        """The invoices by the first of `filters` that is not refused; Stripe itself is asked by the first alone."""
        *narrower, widest = filters if self._is_imitation else filters[:1]
        for params in narrower:
            try:
                yield from self._pages("invoice_write", lambda p: self._v1.invoices.list(p), params)
                return
            except LACKING as refusal:
                _log.info("invoices_not_listed", filters=sorted(params), status=refusal.status)
        yield from self._pages("invoice_write", lambda p: self._v1.invoices.list(p), widest)
