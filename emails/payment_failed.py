"""First news of a failed payment: what happened in plain words, and the one thing that helps. Never alarms."""

from emails import action_required, parts
from emails.facts import DeclineReason, MailFacts
from emails.layout import RenderedMail, lay_out
from emails.letter import Letter, Voice


def generate(facts: MailFacts) -> RenderedMail:
    """The mail for a first decline, worded by `facts.decline_reason`."""
    reason = facts.decline_reason
    if reason is DeclineReason.NEEDS_APPROVAL:
        return action_required.generate(facts)
    voice = Voice(facts)
    letter = Letter(
        subject=voice.say(f"payment_failed.subject.{reason}"),
        preheader=voice.say(f"payment_failed.preheader.{reason}"),
        heading=voice.say(f"payment_failed.heading.{reason}"),
        paragraphs=(
            parts.greeting(voice),
            voice.say(f"payment_failed.what.{reason}"),
            voice.say(f"payment_failed.ask.{reason}"),
        ),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.card_row(voice),
        button=parts.pay_button(voice, f"button.{reason}"),
        button_note=voice.say("button.note"),
        closing=voice.all_of("access") + parts.closing(voice),
    )
    return lay_out(letter, voice)
