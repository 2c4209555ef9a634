"""What a plan is called. Prices and products are the operator's; nothing here changes them."""

from dataclasses import dataclass

from app.log import get_logger
from app.money import Money
from app.stripe_gateway.client import StripeDoor
from app.stripe_gateway.errors import GatewayError
from app.stripe_gateway.readers.fields import reference, table, text

_log = get_logger(__name__)


@dataclass(frozen=True)
class Plan:
    """What a price is, as a customer would say it; `interval` is Stripe's word, None where it does not recur."""

    name: str | None
    amount: Money | None
    interval: str | None
    interval_count: int


class PriceCalls(StripeDoor):
    """Calls about prices."""

    def get_plan(self, price_id: str) -> Plan:
        """What a price costs and what its product is called; raises `NotFound`."""
        price = self._ask("plan_read", lambda: self._v1.prices.retrieve(price_id))
        minor, currency = price.get("unit_amount"), text(price, "currency")
        recurring = table(price, "recurring") or {}
        return Plan(
            name=self.find_plan_name(price_id),
            amount=Money(minor, currency) if isinstance(minor, int) and currency else None,
            interval=text(recurring, "interval"),
            interval_count=recurring.get("interval_count") or 1,
        )

    def find_plan_name(self, price_id: str) -> str | None:
        """The name of a price's product as customers know it, else the price's own; None where neither can be read.

        Raises nothing: a letter without a name is better than no letter.
        """
        try:
            price = self._ask("plan_read", lambda: self._v1.prices.retrieve(price_id))
            product_id = reference(price, "product")
            product = self._ask("product_read", lambda: self._v1.products.retrieve(product_id)) if product_id else {}
        except GatewayError as error:
            _log.warning("plan_not_named", price=price_id, problem=type(error).__name__, status=error.status)
            return None
        return text(product, "name") or text(price, "nickname")
