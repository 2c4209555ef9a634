"""The chosen day has passed and the money has not come. No reproach: what happens next, and the way to fix it."""

from emails import reminder
from emails.letter import Letter, Voice


def generate(voice: Voice) -> Letter:
    """The mail after a chosen day, worded by `facts.decline_reason`."""
    return reminder.still_open(voice, "promise_broken", voice.say("promise_broken.what"))
