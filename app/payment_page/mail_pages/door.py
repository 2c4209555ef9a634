"""One request behind a mail's own link: who may come in, whose mail it is, in which language it is answered.

The links are bearer secrets: whoever has the mail may do what they offer, and nobody else can make one. There is no
cookie, and so nothing for a foreign site to send along.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from flask import Blueprint, Response, current_app, redirect, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.context import Context
from app.links import LinkInvalid, MailLink
from app.messages.subjects import Subject, subject_of
from app.models import Invoice, Message
from app.money import Money
from app.payment_page import stripe_pages, styles
from app.payment_page.blueprint import THROTTLE
from app.payment_page.throttle import PageThrottle
from app.payment_page.visits import TooOften
from app.payment_page.voice import PageVoice, read_catalogue
from app.security_headers import policy
from emails import MailFacts
from emails.catalogue import Catalogue
from emails.phrase import Phrase

FOLDER = Path(__file__).parent / "translations"

mail_pages = Blueprint("mail_pages", __name__, template_folder="../templates")


@mail_pages.record_once
def _prepare(state: BlueprintSetupState) -> None:
    csrf = state.app.extensions.get("csrf")
    if csrf is not None:
        csrf.exempt(mail_pages)


@mail_pages.after_request
def _keep_to_yourself(response: Response) -> Response:
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = policy(
        script_src="'none'",
        style_src=styles.source(),
        connect_src="'none'",
        img_src="'self' data: https:",
        form_action=" ".join(("'self'", *stripe_pages.origins())),
    )
    return response


@mail_pages.route("/<any(unsubscribe, notice):place>/<token>/<path:rest>", methods=("GET", "POST"))
def elsewhere(place: str, token: str, rest: str) -> ResponseReturnValue:
    """An address that there is not, or that is no page but what a button leads to: back to the page itself."""
    return redirect(f"/{place}/{token}", code=303)


class MailPageVoice(PageVoice):
    """Says these pages' texts about one set of facts."""

    def __init__(self, facts: MailFacts, **more: Phrase | None) -> None:
        super().__init__(facts, **more)
        self.catalogue = load(self.catalogue.language)

    def owed(self, invoice: Invoice) -> Phrase:
        """What is still open on an invoice."""
        return self.money(Money(invoice.amount_remaining, invoice.currency))

    def due(self, invoice: Invoice, now: datetime) -> Phrase:
        """When an invoice is due, or was."""
        date = self.date(invoice.due_at) if invoice.due_at else None
        key = "notice.invoices.was_due" if invoice.due_at and invoice.due_at < now else "notice.invoices.due"
        voice = MailPageVoice(self.facts, date=date)
        return voice.say(key if date else "notice.invoices.unnamed")


@lru_cache
def load(language: str) -> Catalogue:
    """These pages' texts in exactly this language; raises `BrokenCatalogue`."""
    return read_catalogue(FOLDER, language)


@dataclass(frozen=True)
class Caller:
    """A request behind a good link. `now` is read once."""

    context: Context
    link: MailLink
    now: datetime

    def message(self, session: Session) -> Message:
        """The mail that the link stands in. Raises `LinkInvalid` where it is gone, with its customer perhaps."""
        found = session.get(Message, self.link.message_id)
        if found is None:
            raise LinkInvalid("the mail that this link stood in is gone")
        return found

    def subject(self, session: Session) -> Subject:
        """What that mail is about, as it is now."""
        return subject_of(session, self.message(session))


def let_in(read: Callable[[str, str], MailLink], token: str) -> Caller:
    """Let a request in behind its link, read by `read`; raises `TooOften` and `LinkInvalid`."""
    context: Context = current_app.extensions["recoup"]
    throttle: PageThrottle = current_app.extensions[THROTTLE]
    address = request.remote_addr or "unknown"
    if not throttle.lets_in(address, token, acts=request.method == "POST"):
        raise TooOften("this link was opened too often in the last minute")
    try:
        link = read(context.settings.require("secret_key"), token)
    except LinkInvalid:
        if throttle.bears_wrong(address):
            raise
        raise TooOften("too many links that nobody made came from this address in the last minute") from None
    return Caller(context, link, context.clock.now())
