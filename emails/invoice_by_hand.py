"""An invoice that is paid by hand nears its date, reaches it, passes it: one letter, three times worded.

Before the date nothing has gone wrong, and nothing sounds as if it had; after it the money may be on its way.
"""

from emails import parts
from emails.letter import Letter, Voice


def generate(kind: str, voice: Voice) -> Letter:
    """The mail `invoice_due_soon`, `invoice_due` or `invoice_overdue`: the day, the amount, the way to pay."""
    return Letter(
        subject=voice.say(f"{kind}.subject"),
        preheader=voice.say(f"{kind}.preheader"),
        heading=voice.say(f"{kind}.heading"),
        paragraphs=(
            parts.greeting(voice),
            voice.say(f"{kind}.what"),
            voice.say(f"{kind}.ask"),
            *parts.several(voice),
        ),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.due_row(voice),
        button=parts.pay_button(voice, "button.invoice"),
        button_note=voice.say("button.note"),
        closing=voice.all_of("closing.on_its_way", "closing.help"),
    )
