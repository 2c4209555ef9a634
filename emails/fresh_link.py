"""Somebody asked for a new link to their open payment: the link, what it is for, and nothing that urges."""

from emails import parts
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail that answers a request made on the customer's page."""
    return Letter(
        subject=voice.say("fresh_link.subject"),
        preheader=voice.say("fresh_link.preheader"),
        heading=voice.say("fresh_link.heading"),
        paragraphs=(parts.greeting(voice), voice.say("fresh_link.what"), voice.say("fresh_link.not_you")),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice),
        button=parts.pay_button(voice, "button.page"),
        button_note=voice.say("button.note"),
        closing=voice.all_of("closing.help"),
    )
