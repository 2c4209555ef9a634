"""The chosen day has passed and the money has not come. No reproach: what happens next, and the way to fix it."""

from emails import parts
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail after a chosen day, worded by `facts.decline_reason`."""
    reason = voice.facts.decline_reason
    return Letter(
        subject=voice.say("promise_broken.subject"),
        preheader=voice.say("promise_broken.preheader"),
        heading=voice.say("promise_broken.heading"),
        paragraphs=(
            parts.greeting(voice),
            voice.say("promise_broken.what"),
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
