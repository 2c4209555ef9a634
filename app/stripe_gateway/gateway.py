"""The door itself: every call Recoup makes to Stripe, joined from the pieces that hold them by subject."""

from app.stripe_gateway.account import AccountCalls
from app.stripe_gateway.ahead import AheadCalls
from app.stripe_gateway.bills import BillCalls
from app.stripe_gateway.card_setup import CardSetupCalls
from app.stripe_gateway.paying import PayCalls
from app.stripe_gateway.payment_methods import PaymentMethodCalls, find_effective_payment_method_id
from app.stripe_gateway.prices import PriceCalls
from app.stripe_gateway.snapshots import CustomerSnapshot, InvoiceSnapshot, SubscriptionSnapshot
from app.stripe_gateway.subscriptions import SubscriptionCalls


class StripeGateway(
    PayCalls,
    BillCalls,
    SubscriptionCalls,
    PriceCalls,
    PaymentMethodCalls,
    CardSetupCalls,
    AccountCalls,
    AheadCalls,
):
    """One account at Stripe. Cheap to make; keeps its connections to itself, so make one after a fork, not before.

    Every call raises the errors of `app.stripe_gateway.errors` and nothing of the library's.
    """

    def find_effective_payment_method_id(
        self, invoice: InvoiceSnapshot, subscription: SubscriptionSnapshot | None, customer: CustomerSnapshot
    ) -> str | None:
        """What Stripe would charge for this invoice, from what was read already; asks nothing."""
        return find_effective_payment_method_id(invoice, subscription, customer)
