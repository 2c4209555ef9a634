"""Which handler takes which event. Types that nobody takes are kept and followed by nothing."""

from collections.abc import Callable

from app.inbox.handlers import (
    account,
    card_setup,
    customer,
    disputes,
    invoice_failed,
    invoice_news,
    invoice_payment,
    payment_method,
    payments,
    subscription,
)
from app.inbox.handlers.arrival import Arrival

Handler = Callable[[Arrival], str]
_MODULES = (
    account,
    card_setup,
    customer,
    disputes,
    invoice_failed,
    invoice_news,
    invoice_payment,
    payment_method,
    payments,
    subscription,
)
_BY_TYPE: dict[str, Handler] = {event_type: module.handle for module in _MODULES for event_type in module.TYPES}


def find_handler(event_type: str) -> Handler | None:
    """The handler of a type; a handler returns what came of the event, in a few words for the inbox's list."""
    return _BY_TYPE.get(event_type)
