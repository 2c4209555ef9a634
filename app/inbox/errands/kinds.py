"""Which stages each kind of errand has, in order. A stage does one page a call and answers whether it is over."""

from collections.abc import Callable

from app.inbox.backfill import charges, invoices, old_debts, subscribers
from app.inbox.errands.walk import Walk
from app.inbox.notices import cards as expiring_cards
from app.inbox.notices import invoices as due_invoices
from app.inbox.reconcile import endpoint, events, key, our_cases, their_invoices
from app.vocabulary import ErrandKind

Stage = Callable[[Walk], bool]

STAGES: dict[ErrandKind, tuple[tuple[str, Stage], ...]] = {
    ErrandKind.RECONCILE: (
        ("key", key.look),
        ("endpoint", endpoint.look),
        ("events", events.look),
        ("invoices", their_invoices.look),
        ("cases", our_cases.look),
    ),
    ErrandKind.BACKFILL: (
        ("charges", charges.read),
        ("invoices", invoices.read),
        ("subscribers", subscribers.read),
    ),
    ErrandKind.NOTICES: (("cards", expiring_cards.look), ("invoices", due_invoices.look)),
    ErrandKind.OLD_DEBTS: (("open", old_debts.open_some),),
}
