"""What customers were shown before they gave a card: remembered on the timeline, and the bound of what it pays at once.

A page's showing is written down when its button is pressed, and joined to the card once that is saved. Whatever was not
on the page then, or for another amount, is not charged on the strength of that card: it waits until its own mail can
have come. Knows nothing of pages, and of cards that were given elsewhere (the portal, an updater).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseEntry, Invoice, RecoveryCase
from app.money import Money, format_money
from app.recovery import cases
from app.vocabulary import EntryKind

Shown = Mapping[str, Money]
"""What is left to pay of each invoice, by its id at Stripe."""

TIME_TO_HEAR_OF_IT = timedelta(days=1)
NOT_SHOWN = "the page on which the new card was given did not show this invoice as it is now"
PAGE_SHOWN = "page_shown"
CARD_GIVEN = "card_given"


def remember(session: Session, case: RecoveryCase, name: str, shown: Shown, now: datetime) -> None:
    """Write down what the page of `case` showed when its button was pressed; once for each `name` of a showing."""
    sums = ", ".join(format_money(money) for money in shown.values())
    summary = f"The customer saw {sums} to pay and went on to give a card."
    data = {"shown": {invoice: [money.minor, money.currency] for invoice, money in shown.items()}}
    cases.append(session, case, EntryKind.FACT, PAGE_SHOWN, f"{PAGE_SHOWN}:{name}", now, now, summary, data)


def give_card(
    session: Session, case: RecoveryCase, name: str | None, card_id: str, given_at: datetime, now: datetime
) -> None:
    """Join a saved card to the showing it was given for. Must be committed before the card is put in force.

    `given_at` is when the customer saved it, however late we hear of that. A card of a session that names no showing
    was given for nothing in particular.
    """
    key = CaseEntry.key == f"{PAGE_SHOWN}:{name}"
    seen = session.scalar(select(CaseEntry.data).where(CaseEntry.case_id == case.id, key)) or {"shown": {}}
    summary = "The card is saved; it may pay at once what the page showed, and nothing else."
    data = {"card": card_id, "shown": seen["shown"]}
    cases.append(session, case, EntryKind.FACT, CARD_GIVEN, f"{CARD_GIVEN}:{card_id}", given_at, now, summary, data)


def last_card(session: Session, case: RecoveryCase) -> str:
    """The card that the customer of `case` saved last on a page of ours, for whichever of their cases."""
    given = (
        select(CaseEntry.data["card"].astext)
        .join(RecoveryCase, RecoveryCase.id == CaseEntry.case_id)
        .where(RecoveryCase.customer_id == case.customer_id, CaseEntry.name == CARD_GIVEN)
        .order_by(CaseEntry.happened_at.desc(), CaseEntry.id.desc())
    )
    return str(session.scalars(given.limit(1)).one())


def told_of(session: Session, case: RecoveryCase, card_id: str) -> dict[str, Any]:
    """What to keep with the news of a card for `case`: the amount it was given for; nothing where no page of ours
    was involved. `shown` is None for an invoice that the page did not have.
    """
    given = session.scalars(
        select(CaseEntry.data)
        .join(RecoveryCase, RecoveryCase.id == CaseEntry.case_id)
        .where(RecoveryCase.customer_id == case.customer_id, CaseEntry.key == f"{CARD_GIVEN}:{card_id}")
        .order_by(CaseEntry.id)
    ).first()
    if given is None:
        return {}
    return {"shown": given["shown"].get(session.get_one(Invoice, case.invoice_id).stripe_id)}


def waits_until(session: Session, case: RecoveryCase, invoice: Invoice) -> datetime | None:
    """The moment before which the new card is not charged for an invoice it was not given for; None if it was."""
    news = _find_news(session, case)
    if news is None or "shown" not in news.data or news.data["shown"] == [invoice.amount_remaining, invoice.currency]:
        return None
    return news.recorded_at + TIME_TO_HEAR_OF_IT


def was_shown(session: Session, case: RecoveryCase) -> bool:
    """Whether the page on which the new card was given had this invoice, for whatever amount."""
    news = _find_news(session, case)
    return news is not None and bool(news.data.get("shown"))


def _find_news(session: Session, case: RecoveryCase) -> CaseEntry | None:
    """What was written down when the card that is in force came to be known for this case."""
    if case.new_card_id is None:
        return None
    key = CaseEntry.key == f"new_card:{case.new_card_id}"
    return session.scalar(select(CaseEntry).where(CaseEntry.case_id == case.id, key))
