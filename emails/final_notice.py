"""The last days: exactly what will happen, and on which day, to the minute. No threat; one way to prevent it."""

from emails import parts
from emails.facts import FinalAction
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail before the final action. An action that is not known is announced like `leave`: as the last reminder."""
    action = voice.facts.final_action or FinalAction.LEAVE
    kind = "ending" if action in parts.ENDINGS else "last"
    retry = voice.all_of("final_notice.retry") if parts.is_tried_before_the_end(voice.facts) else ()
    return Letter(
        subject=voice.say(f"final_notice.subject.{action}"),
        preheader=voice.say(f"final_notice.preheader.{kind}"),
        heading=voice.say(f"final_notice.heading.{action}"),
        paragraphs=(
            parts.greeting(voice),
            voice.say(f"final_notice.why.{kind}"),
            voice.say(f"final_notice.what.{action}"),
            *retry,
            *parts.several(voice),
        ),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.card_row(voice) + parts.deadline_row(voice),
        button=parts.pay_button(voice, f"button.{voice.facts.decline_reason}"),
        button_note=voice.say("button.note"),
        closing=voice.all_of("access") + parts.closing(voice),
    )
