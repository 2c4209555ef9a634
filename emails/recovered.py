"""The payment arrived: a thank-you, the receipt, and nothing to do.

It promises nothing about the subscription, because a payment may also arrive after that has ended.
"""

from emails import parts
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail after a recovered payment. `facts.amounts` is what was paid; without a receipt there is no button."""
    return Letter(
        subject=voice.say("recovered.subject"),
        preheader=voice.say("recovered.preheader"),
        heading=voice.say("recovered.heading"),
        paragraphs=(parts.greeting(voice), voice.say("recovered.what")),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.paid_row(voice) + parts.card_row(voice),
        button=parts.receipt_button(voice),
        closing=voice.all_of("closing.help"),
    )
