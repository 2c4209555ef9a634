"""The final action was taken, or undone by a late payment: what is different now, and the way back if there is one."""

from emails import parts
from emails.facts import FinalAction
from emails.letter import Button, Letter, Voice

# What a payment still changes. A closed invoice asks for nothing any more.
_BUTTONS = {
    FinalAction.CANCEL_NOW: "button.settle",
    FinalAction.CANCEL_AT_PERIOD_END: "button.settle",
    FinalAction.DOWNGRADE: "button.restore",
    FinalAction.PAUSE: "button.restore",
    FinalAction.LEAVE: "button.settle",
}


def generate(voice: Voice) -> Letter:
    """The mail after the final action, or after its undoing if `facts.is_restored`. No action reads as `leave`."""
    return _restored(voice) if voice.facts.is_restored else _taken(voice)


def _restored(voice: Voice) -> Letter:
    return Letter(
        subject=voice.say("subscription_changed.subject.restored"),
        preheader=voice.say("subscription_changed.preheader.restored"),
        heading=voice.say("subscription_changed.heading.restored"),
        paragraphs=(parts.greeting(voice), voice.say("subscription_changed.what.restored")),
        lines=parts.lines(voice),
        more_lines=parts.more_lines(voice),
        rows=parts.total_row(voice) + parts.paid_row(voice) + parts.card_row(voice),
        button=parts.receipt_button(voice),
        closing=voice.all_of("closing.help"),
    )


def _taken(voice: Voice) -> Letter:
    action = voice.facts.final_action or FinalAction.LEAVE
    button = _way_back(voice, action)
    still_open = (voice.say(f"subscription_changed.still_open.{action}"),) if button else ()
    return Letter(
        subject=voice.say(f"subscription_changed.subject.{action}"),
        preheader=voice.say(f"subscription_changed.preheader.{action}"),
        heading=voice.say(f"subscription_changed.heading.{action}"),
        paragraphs=(parts.greeting(voice), voice.say(f"subscription_changed.what.{action}"), *still_open),
        lines=parts.lines(voice) if button else (),
        more_lines=parts.more_lines(voice) if button else None,
        rows=parts.total_row(voice) if button else (),
        button=button,
        button_note=voice.say("button.note") if button else None,
        closing=voice.all_of("closing.help"),
    )


def _way_back(voice: Voice, action: FinalAction) -> Button | None:
    label = _BUTTONS.get(action)
    return parts.pay_button(voice, label) if label and voice.facts.has_debt_left else None
