"""Customers and the payment methods in force for them: which one Stripe would charge, and changing it everywhere."""

from app.log import get_logger
from app.stripe_gateway.client import StripeDoor
from app.stripe_gateway.errors import LACKING
from app.stripe_gateway.readers import TERMINAL_STATUSES, read_customer, read_payment_method, read_subscription
from app.stripe_gateway.snapshots import CustomerSnapshot, InvoiceSnapshot, PaymentMethodSnapshot, SubscriptionSnapshot

_log = get_logger(__name__)


def find_effective_payment_method_id(
    invoice: InvoiceSnapshot, subscription: SubscriptionSnapshot | None, customer: CustomerSnapshot
) -> str | None:
    """What Stripe charges when a payment names no method; None when nothing is on file.

    Source: the order in the API reference of `invoice.default_payment_method` and its neighbours.
    """
    of_subscription = (
        (subscription.default_payment_method_id or subscription.default_source_id) if subscription else None
    )
    of_customer = customer.default_payment_method_id or customer.default_source_id
    return invoice.default_payment_method_id or of_subscription or of_customer


class PaymentMethodCalls(StripeDoor):
    """Calls about customers and how they pay."""

    def get_customer(self, customer_id: str) -> CustomerSnapshot:
        """One customer; a deleted one comes back with `deleted` set. Raises `NotFound`."""
        return read_customer(self._ask("customer_write", lambda: self._v1.customers.retrieve(customer_id)))

    def get_payment_method(self, payment_method_id: str) -> PaymentMethodSnapshot:
        """One payment method, or a legacy card by its `card_…` id; raises `NotFound`."""
        answer = self._ask("payment_method_write", lambda: self._v1.payment_methods.retrieve(payment_method_id))
        return read_payment_method(answer)

    def list_subscriptions(self, customer_id: str) -> list[SubscriptionSnapshot]:
        """A customer's subscriptions that have not ended; `raw` has their schedule by id only."""
        params = {"customer": customer_id}
        pages = self._pages("subscription_write", lambda p: self._v1.subscriptions.list(p), params)
        found = (read_subscription(row) for row in pages)
        # An imitation that ignores the filter would put this customer's card on everybody's subscriptions.
        theirs = (subscription for subscription in found if subscription.customer_id in (None, customer_id))
        return [subscription for subscription in theirs if subscription.status not in TERMINAL_STATUSES]

    def set_default_payment_method(self, customer_id: str, payment_method_id: str) -> list[str]:
        """Make a saved payment method the one in force everywhere: for the customer, and for each of their living
        subscriptions that has a default of its own, which would otherwise keep the dead card. Stripe charges nothing
        by itself for this. Returns the ids of the subscriptions changed; repeating it is harmless.

        A subscription that refuses (Managed Payments allow it on their own pages only) is left out and logged.
        """
        self._ask(
            "customer_write",
            lambda: self._v1.customers.update(
                customer_id, {"invoice_settings": {"default_payment_method": payment_method_id}}
            ),
        )
        owners = [one for one in self.list_subscriptions(customer_id) if _has_other_default(one, payment_method_id)]
        return [one.id for one in owners if self._set_subscription_default(one.id, payment_method_id)]

    def _set_subscription_default(self, subscription_id: str, payment_method_id: str) -> bool:
        try:
            self._ask(
                "subscription_write",
                lambda: self._v1.subscriptions.update(subscription_id, {"default_payment_method": payment_method_id}),
            )
        except LACKING as error:
            _log.warning("subscription_keeps_its_payment_method", subscription=subscription_id, code=error.code)
            return False
        return True


def _has_other_default(subscription: SubscriptionSnapshot, payment_method_id: str) -> bool:
    own = subscription.default_payment_method_id or subscription.default_source_id
    return own is not None and own != payment_method_id
