"""The parts that several mails share: greeting, panel of what is owed, button, next steps, closing.

Each returns what the facts allow, in the voice it is given. Refuses to know which mail it is for.
"""

from emails.facts import FinalAction, MailFacts, Owed
from emails.letter import MOST_LINES, Button, Line, Row, Voice
from emails.phrase import Phrase, link, opening, plain

# The final actions that the customer would notice. The other two change nothing for them.
ENDINGS = frozenset(FinalAction) - {FinalAction.LEAVE, FinalAction.MARK_UNCOLLECTIBLE}
# What can be as it was again once the debt is paid.
REVERSIBLE = ENDINGS - {FinalAction.CANCEL_NOW}


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
    return (Row(voice.say("panel.total"), total, is_strong=True),) if total and len(voice.facts.amounts) > 1 else ()


def card_row(voice: Voice) -> tuple[Row, ...]:
    """The card that was tried, by brand and last four digits."""
    card = voice.values.get("card")
    return (Row(voice.say("panel.card"), card),) if card else ()


def expiry_row(voice: Voice) -> tuple[Row, ...]:
    """The month in which the card expires."""
    expiry = voice.values.get("card_expiry")
    return (Row(voice.say("panel.valid_until"), expiry),) if expiry else ()


def next_charge_row(voice: Voice) -> tuple[Row, ...]:
    """When the card is to be charged next."""
    date = voice.values.get("charge_date")
    return (Row(voice.say("panel.next_charge"), date),) if date else ()


def due_row(voice: Voice) -> tuple[Row, ...]:
    """When an invoice that is paid by hand is, or was, due."""
    date = voice.values.get("due_date")
    return (Row(voice.say("panel.due"), date),) if date else ()


def several(voice: Voice) -> tuple[Phrase, ...]:
    """That more than one invoice is open, where the panel lists them all: they are one conversation."""
    count = len(voice.facts.amounts)
    return (voice.say("several", count),) if 1 < count <= MOST_LINES else ()


def pay_button(voice: Voice, label_key: str) -> Button:
    """The one button, leading to the customer's own page."""
    return Button(voice.say(label_key), voice.facts.pay_url)


def receipt_button(voice: Voice) -> Button | None:
    """A button to the receipt, where there is one."""
    url = voice.facts.receipt_url
    return Button(voice.say("button.receipt"), url) if url else None


def deadline_row(voice: Voice) -> tuple[Row, ...]:
    """The last moment to pay, to the minute and with its zone, where that moment changes anything."""
    if (voice.facts.final_action or FinalAction.LEAVE) is FinalAction.LEAVE:
        return ()
    moment = voice.facts.final_action_at
    return (Row(voice.say("panel.pay_before"), voice.minute(moment)),) if moment else ()


def paid_row(voice: Voice) -> tuple[Row, ...]:
    """The day the money came."""
    date = voice.values.get("paid_date")
    return (Row(voice.say("panel.paid"), date),) if date else ()


def is_tried_before_the_end(facts: MailFacts) -> bool:
    """Whether a next try of the card is planned that comes before the final action."""
    retry, end = facts.next_attempt_at, facts.final_action_at
    return retry is not None and (end is None or retry < end)


def footer(voice: Voice) -> Phrase:
    """Why the mail was sent."""
    return voice.say("footer.subscription" if voice.facts.is_about_subscription else "footer.invoice")


def unsubscribe(voice: Voice) -> Phrase | None:
    """The way out of the mails that one may be spared."""
    url = voice.facts.unsubscribe_url
    return link(voice.say("footer.unsubscribe").text, url) if url else None


def steps(voice: Voice) -> tuple[Row, ...]:
    """What happens next, day by day: the next try, and what ends the waiting where something does end."""
    facts = voice.facts
    found = []
    if is_tried_before_the_end(facts):
        found.append(Row(opening(voice.values["retry_date"]), voice.say("steps.retry")))
    if facts.final_action_at and facts.final_action in ENDINGS:
        found.append(Row(opening(voice.values["final_date"]), voice.say(f"steps.{facts.final_action}")))
    return tuple(found)


def closing(voice: Voice) -> tuple[Phrase, ...]:
    """For those who have already paid, and where to ask."""
    return voice.all_of("closing.settled", "closing.help")


def _line(voice: Voice, owed: Owed) -> Line:
    title, number = plain(owed.description or ""), plain(owed.invoice_number or "")
    amount = voice.money(owed.amount)
    detail = _joined(voice.say("panel.invoice"), voice.isolate(number)) if number.text else None
    if detail and not title.text and not voice.facts.is_about_subscription:
        return Line(detail, None, amount)
    return Line(voice.isolate(title) if title.text else voice.values["product"], detail, amount)


def _joined(label: Phrase, value: Phrase) -> Phrase:
    return Phrase(f"{label.text} {value.text}", label.html + " " + value.html)
