"""What a plan is called. Prices and products are the operator's; nothing here changes them."""

from app.log import get_logger
from app.stripe_gateway.client import StripeDoor
from app.stripe_gateway.errors import GatewayError
from app.stripe_gateway.readers.fields import reference, text

_log = get_logger(__name__)


class PriceCalls(StripeDoor):
    """Calls about prices."""

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
