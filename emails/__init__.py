"""The letters Recoup writes to customers: facts in, subject, text and HTML out. Nothing here knows who is written to,
when, or how a mail leaves, and nothing here touches a database, a network or a clock.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from app.errors import RecoupError
from emails import (
    action_required,
    card_expiring,
    choice_confirmed,
    final_notice,
    fresh_link,
    invoice_by_hand,
    payment_failed,
    promise_broken,
    promise_confirmed,
    recovered,
    reminder,
    subscription_changed,
)
from emails.facts import Card, DeclineReason, FinalAction, MailFacts, Merchant, NaiveMoment, Owed, UnsafeLink
from emails.layout import RenderedMail, lay_out
from emails.letter import Letter, Voice
from emails.locales import choose as choose_locale
from emails.locales import language_for
from emails.wording import NOTHING, BrokenWording, OwnTexts

__all__ = [
    "BrokenWording",
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
    "choose_locale",
    "kinds",
    "language_for",
    "render",
]


class UnknownMail(RecoupError):
    """A kind of mail that does not exist."""


kinds: Mapping[str, Callable[[Voice], Letter]] = MappingProxyType(
    {
        "payment_failed": payment_failed.generate,
        "action_required": action_required.generate,
        "reminder": reminder.generate,
        "fresh_link": fresh_link.generate,
        "final_notice": final_notice.generate,
        "recovered": recovered.generate,
        "subscription_changed": subscription_changed.generate,
        "choice_confirmed": choice_confirmed.generate,
        "card_expiring": card_expiring.generate,
        "promise_confirmed": promise_confirmed.generate,
        "promise_broken": promise_broken.generate,
        "invoice_due_soon": partial(invoice_by_hand.generate, "invoice_due_soon"),
        "invoice_due": partial(invoice_by_hand.generate, "invoice_due"),
        "invoice_overdue": partial(invoice_by_hand.generate, "invoice_overdue"),
    }
)


def render(
    kind: str, facts: MailFacts, *, wording: Mapping[str, str] = NOTHING, variant: str | None = None
) -> RenderedMail:
    """The mail of this kind about these facts, in the customer's language and the merchant's looks.

    `wording` are the operator's own texts in that language (`language_for`) by key, for a `variant` of the step under
    keys such as `reminder@b.subject` (`emails.wording`). One that `emails.wording.problems` objects to is never said:
    ours is, and its key is in `left_out`. Raises UnknownMail.
    """
    try:
        generate = kinds[kind]
    except KeyError:
        raise UnknownMail(f"there is no mail called {kind}; there are {', '.join(kinds)}") from None
    voice = Voice(facts, OwnTexts(wording, variant))
    return lay_out(generate(voice), voice)
