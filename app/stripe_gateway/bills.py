"""An invoice and what surrounds it in one answer: Stripe counts requests, and each part alone would be another one."""

from app.stripe_gateway.errors import InvalidRequest, PermissionMissing, Unsupported
from app.stripe_gateway.invoices import InvoiceCalls
from app.stripe_gateway.readers import (
    read_customer,
    read_invoice,
    read_payment_intent,
    read_payment_method,
    read_subscription,
)
from app.stripe_gateway.readers.fields import Json, reference, rows, table
from app.stripe_gateway.snapshots import Bill

AROUND = (
    "customer.invoice_settings.default_payment_method",
    "parent.subscription_details.subscription",
    "payments.data.payment.payment_intent",
)


class BillCalls(InvoiceCalls):
    """The call that brings a whole bill."""

    def get_bill(self, invoice_id: str) -> Bill:
        """One invoice with all of its surroundings that come along; raises `NotFound`.

        Where a server cannot bring them, or the key may not see them all, the invoice comes alone: whoever asks for a
        part by itself then hears which permission is lacking.
        """
        try:
            answer = self._ask(
                "invoice_write", lambda: self._v1.invoices.retrieve(invoice_id, {"expand": list(AROUND)})
            )
        except (InvalidRequest, Unsupported, PermissionMissing):
            return Bill(self.get_invoice(invoice_id))
        return read_bill(self._with_payments(answer))


def read_bill(answer: Json) -> Bill:
    """What came along in an answer; a part that is only named in it is None."""
    invoice = read_invoice(answer)
    customer = table(answer, "customer")
    method = table(customer, "invoice_settings", "default_payment_method")
    subscription = table(answer, "parent", "subscription_details", "subscription")
    if subscription and reference(subscription, "schedule"):
        subscription = None  # it is asked for by itself, with its whole schedule
    intents = (table(payment, "payment", "payment_intent") for payment in rows(answer, "payments", "data"))
    intent = next((one for one in intents if one and one.get("id") == invoice.payment_intent_id), None)
    return Bill(
        invoice=invoice,
        customer=read_customer(customer) if customer else None,
        subscription=read_subscription(subscription) if subscription else None,
        intent=read_payment_intent(intent) if intent else None,
        payment_method=read_payment_method(method) if method else None,
    )
