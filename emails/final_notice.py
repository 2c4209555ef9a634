"""The last days: exactly what will happen, and on which day, to the minute. No threat; one way to prevent it."""

from emails import parts
from emails.facts import FinalAction, MailFacts
from emails.layout import RenderedMail, lay_out
from emails.letter import Letter, Voice


def generate(facts: MailFacts) -> RenderedMail:
    """The mail before the final action. An action that is not known is announced like `leave`: as the last reminder."""
    voice = Voice(facts)
    action = facts.final_action or FinalAction.LEAVE
    kind = "ending" if action in parts.ENDINGS else "last"
    retry = voice.all_of("final_notice.retry") if parts.is_tried_before_the_end(facts) else ()
    letter = Letter(
        subject=voice.say(f"final_notice.subject.{action}"),
        preheader=voice.say(f"final_notice.preheader.{kind}"),
        heading=voice.say(f"final_notice.heading.{action}"),
        paragraphs=(
            parts.greeting(voice),
            voice.say(f"final_notice.why.{kind}"),
            voice.say(f"final_notice.what.{action}"),
            *retry,
        ),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.card_row(voice) + parts.deadline_row(voice),
        button=parts.pay_button(voice, f"button.{facts.decline_reason}"),
        button_note=voice.say("button.note"),
        closing=voice.all_of("access") + parts.closing(voice),
    )
    return lay_out(letter, voice)
