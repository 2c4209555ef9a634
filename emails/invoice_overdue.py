"""An invoice that is paid by hand is past its date. Perhaps it slipped by, perhaps the money is on its way."""

from emails import parts
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail after the due date."""
    return Letter(
        subject=voice.say("invoice_overdue.subject"),
        preheader=voice.say("invoice_overdue.preheader"),
        heading=voice.say("invoice_overdue.heading"),
        paragraphs=(
            parts.greeting(voice),
            voice.say("invoice_overdue.what"),
            voice.say("invoice_overdue.ask"),
            *parts.several(voice),
        ),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.due_row(voice),
        button=parts.pay_button(voice, "button.invoice"),
        button_note=voice.say("button.note"),
        closing=voice.all_of("closing.on_its_way", "closing.help"),
    )
