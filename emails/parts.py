"""The parts that several mails share: greeting, panel of what is owed, button, next steps, closing.

Each returns what the facts allow, in the voice it is given. Refuses to know which mail it is for.
"""

from emails.facts import FinalAction, Owed
from emails.letter import MOST_LINES, Button, Line, Row, Voice
from emails.phrase import Phrase, literal, plain


def greeting(voice: Voice) -> Phrase:
    """`Hi Ana,` or, without a name, a greeting that does not need one."""
    return voice.say("greeting")


def lines(voice: Voice) -> tuple[Line, ...]:
    """The first of the open invoices, as many as a mail should carry."""
    return tuple(_line(voice, owed) for owed in voice.facts.amounts[:MOST_LINES])


def more_lines(voice: Voice) -> Phrase | None:
    """How many open invoices the panel does not show."""
    hidden = len(voice.facts.amounts) - MOST_LINES
    return voice.say("panel.more", hidden) if hidden > 0 else None


def total_row(voice: Voice) -> tuple[Row, ...]:
    """The sum, where there is more than one line to add."""
    total = voice.total()
    return (Row(voice.say("panel.total"), total),) if total and len(voice.facts.amounts) > 1 else ()


def card_row(voice: Voice) -> tuple[Row, ...]:
    """The card that was tried, by brand and last four digits."""
    card = voice.facts.card
    return (Row(voice.say("panel.card"), plain(f"{card.brand} •••• {card.last4}")),) if card else ()


def pay_button(voice: Voice, label_key: str) -> Button:
    """The one button, leading to the customer's own page."""
    return Button(voice.say(label_key), voice.facts.pay_url)


def receipt_button(voice: Voice) -> Button | None:
    """A button to the receipt, where there is one."""
    url = voice.facts.receipt_url
    return Button(voice.say("button.receipt"), url) if url else None


def retry_step(voice: Voice) -> tuple[Row, ...]:
    """The next try of the card and its day."""
    date = voice.values.get("retry_date")
    return (Row(date, voice.say("steps.retry")),) if date else ()


def final_step(voice: Voice) -> tuple[Row, ...]:
    """What ends the waiting, and on which day; only where both are known and something does end."""
    date = voice.values.get("final_date")
    action = voice.facts.final_action
    if not date or action in (None, FinalAction.LEAVE, FinalAction.MARK_UNCOLLECTIBLE):
        return ()
    return (Row(date, voice.say(f"steps.{action}")),)


def closing(voice: Voice) -> tuple[Phrase, ...]:
    """For those who have already paid, and where to ask."""
    return voice.all_of("closing.settled", "closing.help")


def _line(voice: Voice, owed: Owed) -> Line:
    title = plain(owed.description or "")
    number = plain(owed.invoice_number or "")
    label = voice.say("panel.invoice")
    detail = literal(f"{label.text} {number.text}") if number.text else None
    return Line(title if title.text else voice.values["product"], detail, voice.money(owed.amount))
