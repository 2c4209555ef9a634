"""One request at the door: who may come in behind which link, and the standing they may see."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from flask import current_app, g, request
from sqlalchemy.orm import Session

from app.accounts.connections import gateway_for
from app.context import Context
from app.errors import RecoupError
from app.links import LinkExpired, LinkInvalid, PayLink, read_pay_token
from app.models import RecoveryCase
from app.payment_page import tickets
from app.payment_page.blueprint import THROTTLE
from app.payment_page.standing import Standing, read_standing
from app.payment_page.throttle import PageThrottle
from app.payment_page.voice import PageVoice
from app.recovery.card_change import look_for_changes
from emails.phrase import Phrase
from emails.values import card_words


class TooOften(RecoupError):
    """This address, or this link, has been used too often in the last minute."""


@dataclass(frozen=True)
class Visit:
    """A request behind a good link. `now` is read once."""

    context: Context
    token: str
    link: PayLink
    now: datetime

    def standing(self) -> Standing:
        """How things stand at this moment, in a transaction of its own."""
        with self.context.database.organization(self.link.organization_id) as session:
            return read_standing(session, self.context.settings, self.link, self.context.clock.now())

    def url(self, rest: str = "") -> str:
        """The absolute address of one of this link's pages, for Stripe to send the customer back to."""
        return f"{self.context.settings.base_url()}/pay/{self.token}{rest}"

    def ticket(self, standing: Standing) -> str:
        """A ticket for the forms of this showing of `standing`."""
        secret = self.context.settings.require("secret_key")
        to_try = {bill.invoice_stripe_id for bill in standing.can_be_tried}
        return tickets.issue(secret, self.link.case_id, standing.asked_for, to_try)

    def click(self) -> tickets.Click:
        """The click that sent this form, or that led to this address; raises `TicketInvalid`."""
        given = request.form if request.method == "POST" else request.args
        secret, ticket = self.context.settings.require("secret_key"), given.get("ticket", "")
        return tickets.redeem(secret, ticket, self.link.case_id, request.headers.get("Sec-Fetch-Site"))


def enter(token: str) -> Visit:
    """Let a request in behind its link; raises `TooOften`, `LinkInvalid` and `LinkExpired` (a revoked one, too)."""
    context: Context = current_app.extensions["recoup"]
    throttle: PageThrottle = current_app.extensions[THROTTLE]
    address = request.remote_addr or "unknown"
    if not throttle.lets_in(address, token, acts=request.method == "POST"):
        raise TooOften("this link was opened too often in the last minute")
    now = context.clock.now()
    try:
        link = read_pay_token(context.settings.require("secret_key"), token, now)
        with context.database.organization(link.organization_id) as session:
            _check_standing_link(session, link)
    except LinkInvalid:
        if throttle.bears_wrong(address):
            raise
        raise TooOften("too many links that nobody made came from this address in the last minute") from None
    g.pay_visit = Visit(context, token, link, now)
    return cast(Visit, g.pay_visit)


def look_again(visit: Visit) -> Standing:
    """How things stand at Stripe at this click; raises `GatewayError`. Our rows may be behind, and a click is a promise
    of an amount.
    """
    standing = visit.standing()
    if not standing.owed:
        return standing
    connection = standing.connection
    gateway = gateway_for(visit.context, connection)
    look_for_changes(visit.context, gateway, connection, standing.customer.stripe_id)
    return visit.standing()


def find_visit() -> Visit | None:
    """The visit of this request, once it was let in."""
    return cast("Visit | None", g.get("pay_visit"))


def speak(standing: Standing, **more: Phrase | None) -> PageVoice:
    """The customer's language, about their own facts and `more`."""
    pen = PageVoice(standing.facts)
    chosen, promise = standing.offers.chosen, standing.offers.promise
    known: dict[str, Phrase | None] = {
        "renewal": pen.date(standing.renews_at) if standing.renews_at else None,
        "held_date": pen.day(standing.held_until) if standing.held_until else None,
        "stripe_date": pen.day(standing.their_try_at) if standing.their_try_at else None,
        "promise_date": pen.calendar_day(promise.day) if promise else None,
        "card": pen.isolate(card_words(standing.card), is_ltr=True) if standing.card else None,
    }
    if chosen is not None:
        known["until"] = pen.date(chosen.resumes_at) if chosen.resumes_at else pen.values.get("period_end")
        known["plan"] = pen.named(chosen.plan) if chosen.plan else None
    return PageVoice(standing.facts, **{**known, **more})


def _check_standing_link(session: Session, link: PayLink) -> None:
    case = session.get(RecoveryCase, link.case_id)
    if case is None:
        raise LinkInvalid("what this link was for is gone")
    if case.link_version != link.version:
        raise LinkExpired(link)
