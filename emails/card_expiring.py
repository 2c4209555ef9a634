"""The card expires before it is charged next: the one notice before anything has failed. Nothing is owed yet."""

from emails import parts
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail about a card that will not do for the next payment; `facts.amounts` is what that charges, if known."""
    return Letter(
        subject=voice.say("card_expiring.subject"),
        preheader=voice.say("card_expiring.preheader"),
        heading=voice.say("card_expiring.heading"),
        paragraphs=(parts.greeting(voice), voice.say("card_expiring.what"), voice.say("card_expiring.ask")),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.next_charge_row(voice) + parts.card_row(voice) + parts.expiry_row(voice),
        button=parts.pay_button(voice, "button.details_outdated"),
        button_note=voice.say("button.note"),
        closing=parts.closing(voice),
    )
