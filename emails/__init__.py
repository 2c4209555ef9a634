"""The letters Recoup writes to customers: facts in, subject, text and HTML out. Nothing here knows who is written to,
when, or how a mail leaves, and nothing here touches a database, a network or a clock.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from app.errors import RecoupError
from emails import action_required, final_notice, fresh_link, payment_failed, recovered, reminder, subscription_changed
from emails.facts import Card, DeclineReason, FinalAction, MailFacts, Merchant, NaiveMoment, Owed, UnsafeLink
from emails.layout import RenderedMail

__all__ = [
    "Card",
    "DeclineReason",
    "FinalAction",
    "MailFacts",
    "Merchant",
    "NaiveMoment",
    "Owed",
    "RenderedMail",
    "UnknownMail",
    "UnsafeLink",
    "kinds",
    "render",
]


class UnknownMail(RecoupError):
    """A kind of mail that does not exist."""


kinds: Mapping[str, Callable[[MailFacts], RenderedMail]] = MappingProxyType(
    {
        "payment_failed": payment_failed.generate,
        "action_required": action_required.generate,
        "reminder": reminder.generate,
        "fresh_link": fresh_link.generate,
        "final_notice": final_notice.generate,
        "recovered": recovered.generate,
        "subscription_changed": subscription_changed.generate,
    }
)


def render(kind: str, facts: MailFacts) -> RenderedMail:
    """The mail of this kind about these facts, in the customer's language. Raises UnknownMail."""
    try:
        generate = kinds[kind]
    except KeyError:
        raise UnknownMail(f"there is no mail called {kind}; there are {', '.join(kinds)}") from None
    return generate(facts)
