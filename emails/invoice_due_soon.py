"""An invoice that is paid by hand is due in a few days: a note so that it does not slip by."""

from emails import parts
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail before the due date. Nothing has gone wrong, and nothing in it sounds as if it had."""
    return Letter(
        subject=voice.say("invoice_due_soon.subject"),
        preheader=voice.say("invoice_due_soon.preheader"),
        heading=voice.say("invoice_due_soon.heading"),
        paragraphs=(
            parts.greeting(voice),
            voice.say("invoice_due_soon.what"),
            voice.say("invoice_due_soon.ask"),
            *parts.several(voice),
        ),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.due_row(voice),
        button=parts.pay_button(voice, "button.invoice"),
        button_note=voice.say("button.note"),
        closing=voice.all_of("closing.on_its_way", "closing.help"),
    )
