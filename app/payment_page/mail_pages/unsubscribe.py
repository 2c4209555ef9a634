"""The way out of reminders: by one click of the mail program (RFC 8058), or by a button on a small page.

A link that is only opened changes nothing, because mail scanners open links. What still reaches somebody who has
unsubscribed is the cadence's to say (docs/contact-rules.md).
"""

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.links import read_unsubscribe_token
from app.messages import suppression
from app.messages.branding import merchant_of
from app.messages.timeline import note
from app.messages.words import SuppressedBecause
from app.payment_page.mail_pages.door import Caller, MailPageVoice, let_in, mail_pages
from app.vocabulary import EntryKind
from emails import MailFacts

BUTTON = "button"  # in the form of our own page, which no mail program sends
BACK = "back"


@mail_pages.get("/unsubscribe/<token>")
def ask(token: str) -> ResponseReturnValue:
    """The page with the button, or, for whoever left, with the way back."""
    return _page(let_in(read_unsubscribe_token, token), token)


@mail_pages.post("/unsubscribe/<token>")
def leave(token: str) -> ResponseReturnValue:
    """No more reminders for the address that got this mail. Harmless to repeat; needs no cookie, and redirects no mail
    program, as RFC 8058 demands."""
    caller = let_in(read_unsubscribe_token, token)
    with caller.context.database.organization(caller.link.organization_id) as session:
        message = caller.message(session)
        if message.recipient and suppression.suppress(
            session, message.recipient, SuppressedBecause.UNSUBSCRIBED, caller.now
        ):
            said = "The reader of a mail unsubscribed: no more reminders to that address."
            note(session, message, EntryKind.FACT, "mail_unsubscribed", said, caller.now, caller.now)
    is_person = BUTTON in request.form
    return redirect(f"/unsubscribe/{token}", code=303) if is_person else _page(caller, token)


@mail_pages.post("/unsubscribe/<token>/undo")
def take_back(token: str) -> ResponseReturnValue:
    """Reminders again, where nothing but the reader's own wish stood against them."""
    caller = let_in(read_unsubscribe_token, token)
    with caller.context.database.organization(caller.link.organization_id) as session:
        message = caller.message(session)
        if message.recipient and suppression.lift(session, message.recipient, SuppressedBecause.UNSUBSCRIBED):
            said = "The reader of a mail wants reminders again."
            note(session, message, EntryKind.FACT, "mail_resubscribed", said, caller.now, caller.now)
    return redirect(f"/unsubscribe/{token}?note={BACK}", code=303)


def _page(caller: Caller, token: str) -> str:
    with caller.context.database.organization(caller.link.organization_id) as session:
        subject = caller.subject(session)
        organization, locale = subject.organization, subject.locale
        recipient = caller.message(session).recipient
        reason = suppression.find_reason(session, recipient) if recipient else None
    # Whoever forwards a mail gives this link away: it shows the merchant, and neither name nor address.
    base_url = caller.context.settings.base_url()
    merchant = merchant_of(organization, base_url)
    facts = MailFacts(merchant=merchant, pay_url=base_url, locale=locale)
    page: str = render_template(
        "payment_page/unsubscribe.html",
        voice=MailPageVoice(facts),
        merchant=merchant,
        said=_said(reason),
        action=f"/unsubscribe/{token}",
    )
    return page


def _said(reason: SuppressedBecause | None) -> str:
    """Where nothing is written for another reason than the reader's wish, no button of theirs could change that."""
    if reason is not None:
        return "done" if reason is SuppressedBecause.UNSUBSCRIBED else "closed"
    return "undone" if request.args.get("note") == BACK else "ask"
