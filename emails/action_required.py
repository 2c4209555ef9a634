"""The bank wants the customer to confirm a payment (3-D Secure). Only they can, so the mail asks for nothing else."""

from emails import parts
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail that asks for the approval of a payment."""
    return Letter(
        subject=voice.say("action_required.subject"),
        preheader=voice.say("action_required.preheader"),
        heading=voice.say("action_required.heading"),
        paragraphs=(
            parts.greeting(voice),
            voice.say("action_required.what"),
            voice.say("action_required.ask"),
            *parts.several(voice),
        ),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.card_row(voice),
        button=parts.pay_button(voice, "button.needs_approval"),
        button_note=voice.say("button.note"),
        closing=voice.all_of("access") + parts.closing(voice),
    )
