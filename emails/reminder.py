"""A payment is still open: a short nudge with the days of what happens next."""

from emails import parts
from emails.letter import Letter, Voice
from emails.phrase import Phrase


def generate(voice: Voice) -> Letter:
    """The mail between the first one and the final notice, worded by `facts.decline_reason`."""
    return still_open(voice, "reminder", voice.say(f"reminder.what.{voice.facts.decline_reason}"))


def still_open(voice: Voice, kind: str, what: Phrase) -> Letter:
    """A mail of this kind that says `what`, then what helps by the newest decline, and what happens next."""
    reason = voice.facts.decline_reason
    return Letter(
        subject=voice.say(f"{kind}.subject"),
        preheader=voice.say(f"{kind}.preheader"),
        heading=voice.say(f"{kind}.heading"),
        paragraphs=(
            parts.greeting(voice),
            what,
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
