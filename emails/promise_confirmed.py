"""The customer has picked a day: that it is noted, what happens on it, and that it is quiet until then."""

from emails import parts
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail that answers a day chosen on the page. That the card is tried then is said where that is planned."""
    kind = "tried" if _is_tried_that_day(voice) else "awaited"
    return Letter(
        subject=voice.say("promise_confirmed.subject"),
        preheader=voice.say(f"promise_confirmed.preheader.{kind}"),
        heading=voice.say("promise_confirmed.heading"),
        paragraphs=(
            parts.greeting(voice),
            voice.say(f"promise_confirmed.what.{kind}"),
            voice.say(f"promise_confirmed.ask.{kind}"),
        ),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.card_row(voice),
        button=parts.pay_button(voice, "button.page"),
        button_note=voice.say("button.note"),
        closing=voice.all_of("access", "closing.help"),
    )


def _is_tried_that_day(voice: Voice) -> bool:
    promised = voice.values.get("promise_date")
    return promised is not None and promised == voice.values.get("retry_date")
