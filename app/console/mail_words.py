"""What the parts, states and languages of mails are called by the people who write their texts."""

from functools import lru_cache

from babel import Locale

PARTS = {
    "subject": "Subject",
    "preheader": "Preview line",
    "heading": "Heading",
    "greeting": "Greeting",
    "what": "What happened",
    "why": "Why we write",
    "ask": "What to do",
    "retry": "The next try",
    "still_open": "What is still open",
    "debt": "The open payment",
    "undo": "How to take it back",
    "not_you": "If somebody else asked",
    "several": "More than one invoice",
    "access": "How long access stays",
    "button.note": "Below the button",
    "button": "Button",
    "steps.title": "Heading of the next days",
    "steps.retry": "Next days: a try",
    "steps": "Next days: the end",
    "closing.settled": "For who has paid",
    "closing.on_its_way": "For who is paying",
    "closing.help": "Where to ask",
    "footer.unsubscribe": "The way out",
    "footer": "Why this mail",
    "panel.more": "Invoices not shown",
    "panel": "Label in the panel",
}
STATES = {
    "no_funds": "Not enough on the card",
    "bank_declined": "Declined without a reason",
    "details_outdated": "Card out of date",
    "temporary": "Trouble on the way",
    "needs_approval": "Approval needed",
    "unknown": "Reason not known",
    "one_off": "An invoice of no subscription",
    "asked": "As usual",
    "several": "Several open invoices",
    "many": "Eleven open invoices",
    "before_cancel_at_period_end": "Then: ends with the period",
    "before_cancel_now": "Then: ends at once",
    "before_downgrade": "Then: a smaller plan",
    "before_pause": "Then: a pause",
    "cancel_now": "Ends at once",
    "cancel_at_period_end": "Ends with the period",
    "downgrade": "A smaller plan",
    "pause": "A pause",
    "mark_uncollectible": "Written off",
    "leave": "Left as it is",
    "undone": "Taken back by the customer",
    "restored": "Brought back by a payment",
    "paid": "As usual",
    "tried": "The card is tried that day",
    "awaited": "The customer pays that day",
    "open": "As usual",
    "soon": "As usual",
}
WHEN = {
    "payment_failed": "A payment failed for the first time.",
    "action_required": "The bank wants the payer's approval (3-D Secure).",
    "reminder": "A payment is still open.",
    "fresh_link": "Somebody asked for a new link on the page.",
    "final_notice": "The last days: what will happen, and when.",
    "recovered": "The payment arrived.",
    "subscription_changed": "The final action was taken, or undone.",
    "choice_confirmed": "The customer paused, changed or ended it on the page.",
    "card_expiring": "The card expires before it is charged next.",
    "promise_confirmed": "The customer chose a day.",
    "promise_broken": "That day passed without the money.",
    "invoice_due_soon": "An invoice paid by hand nears its date.",
    "invoice_due": "It is due today.",
    "invoice_overdue": "Its date has passed.",
}
REASONS = {
    "changed": "changed",
    "reset": "ours again",
    "import": "from a file",
    "back": "taken back",
    "variant": "variant renamed or removed",
}


def part(key: str) -> str:
    """What the text of a catalogue's `key` is in its mail."""
    names = key.split(".")
    known = [PARTS[name] for name in (".".join(names[:2]), *names[1:2], names[0]) if name in PARTS]
    return known[0] if known else key.replace("_", " ").replace(".", " · ").capitalize()


def state(name: str) -> str:
    """What a sample's state is called."""
    return STATES.get(name, name.replace("_", " ").capitalize())


@lru_cache
def language(code: str) -> str:
    """A BCP 47 language in English, as `Portuguese (Brazil)`."""
    return Locale.parse(code, sep="-").get_display_name("en") or code
