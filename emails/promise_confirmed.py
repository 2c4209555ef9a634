"""The customer has picked a day: that it is noted, what happens on it, and that it is quiet until then."""

from emails import parts
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail that answers a day chosen on the page. That the card is tried then is said where a next try is known."""
    kind = "tried" if voice.facts.next_attempt_at else "awaited"
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
