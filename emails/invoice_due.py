"""An invoice that is paid by hand falls due: the day, the amount, the way to pay."""

from emails import parts
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail on the due date."""
    return Letter(
        subject=voice.say("invoice_due.subject"),
        preheader=voice.say("invoice_due.preheader"),
        heading=voice.say("invoice_due.heading"),
        paragraphs=(
            parts.greeting(voice),
            voice.say("invoice_due.what"),
            voice.say("invoice_due.ask"),
            *parts.several(voice),
        ),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.due_row(voice),
        button=parts.pay_button(voice, "button.invoice"),
        button_note=voice.say("button.note"),
        closing=voice.all_of("closing.on_its_way", "closing.help"),
    )
