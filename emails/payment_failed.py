"""First news of a failed payment: what happened in plain words, and the one thing that helps. Never alarms."""

from emails import action_required, parts
from emails.facts import DeclineReason
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail for a first decline, worded by `facts.decline_reason`."""
    reason = voice.facts.decline_reason
    if reason is DeclineReason.NEEDS_APPROVAL:
        return action_required.generate(voice)
    return Letter(
        subject=voice.say(f"payment_failed.subject.{reason}"),
        preheader=voice.say(f"payment_failed.preheader.{reason}"),
        heading=voice.say(f"payment_failed.heading.{reason}"),
        paragraphs=(
            parts.greeting(voice),
            voice.say(f"payment_failed.what.{reason}"),
            voice.say(f"payment_failed.ask.{reason}"),
            *parts.several(voice),
        ),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.card_row(voice),
        button=parts.pay_button(voice, f"button.{reason}"),
        button_note=voice.say("button.note"),
        closing=voice.all_of("access") + parts.closing(voice),
    )
