"""A payment is still open: a short nudge with the days of what happens next."""

from emails import parts
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail between the first one and the final notice, worded by `facts.decline_reason`."""
    reason = voice.facts.decline_reason
    return Letter(
        subject=voice.say("reminder.subject"),
        preheader=voice.say("reminder.preheader"),
        heading=voice.say("reminder.heading"),
        paragraphs=(
            parts.greeting(voice),
            voice.say(f"reminder.what.{reason}"),
            voice.say(f"reminder.ask.{reason}"),
            *parts.several(voice),
        ),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.card_row(voice),
        button=parts.pay_button(voice, f"button.{reason}"),
        button_note=voice.say("button.note"),
        steps=parts.steps(voice),
        closing=voice.all_of("access") + parts.closing(voice),
    )
