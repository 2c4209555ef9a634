"""What the customer chose instead of paying was done, or taken back: as they asked, in writing, with what it means."""

from emails import parts
from emails.letter import Letter, Voice
from emails.phrase import Phrase


def generate(voice: Voice) -> Letter:
    """The mail that answers a choice on the page, or its undoing if `facts.is_restored`.

    An action that nobody can choose is not spoken of.
    """
    facts = voice.facts
    is_open = facts.has_debt_left and not facts.is_restored
    debt = "keep" if is_open else "drop" if facts.is_debt_dropped else "done"
    heading = voice.say("choice_confirmed.heading")
    subject, what = _chosen(voice) or (heading, None)
    return Letter(
        subject=subject,
        preheader=voice.say(f"choice_confirmed.preheader.{debt}"),
        heading=heading,
        paragraphs=(
            parts.greeting(voice),
            *((what,) if what else ()),
            *((voice.say(f"choice_confirmed.debt.{debt}"),) if debt != "done" else ()),
            *(voice.all_of("choice_confirmed.undo") if is_open and facts.final_action in parts.REVERSIBLE else ()),
        ),
        lines=parts.lines(voice) if is_open else (),
        more_lines=parts.more_lines(voice) if is_open else None,
        rows=parts.total_row(voice) if is_open else (),
        button=parts.pay_button(voice, "button.page") if is_open else None,
        button_note=voice.say("button.note") if is_open else None,
        closing=voice.all_of("choice_confirmed.not_you", "closing.help"),
    )


def _chosen(voice: Voice) -> tuple[Phrase, Phrase] | None:
    """Subject and sentence about what was done."""
    facts = voice.facts
    if not facts.is_restored and facts.final_action not in parts.ENDINGS:
        return None
    choice = "undone" if facts.is_restored else str(facts.final_action)
    return voice.say(f"choice_confirmed.subject.{choice}"), voice.say(f"choice_confirmed.what.{choice}")
