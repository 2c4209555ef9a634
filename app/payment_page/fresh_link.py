"""A fresh link for somebody whose link has ended: sent to the address on file, never shown."""

from uuid import UUID

from flask import current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.context import Context
from app.db import after_commit
from app.links import LinkExpired, LinkInvalid, PayLink
from app.messages import outbox
from app.messages.cadence import MailKind
from app.messages.facts import mail_facts, read_conversation
from app.models import RecoveryCase
from app.payment_page import tickets
from app.payment_page.blueprint import payment_page
from app.payment_page.visits import enter
from app.payment_page.voice import PageVoice
from app.recovery import cases
from app.vocabulary import OPEN_CASE_STATES, CaseState
from emails import MailFacts

SENT = "sent"


@payment_page.post("/<token>/fresh-link")
def send_fresh_link(token: str) -> ResponseReturnValue:
    """Queue a mail with a fresh link that leaves at once, one a day at most; the answer is always the same, whether or
    not there is one to send.
    """
    context: Context = current_app.extensions["recoup"]
    try:
        visit = enter(token)
    except LinkExpired as problem:
        secret, ticket = context.settings.require("secret_key"), request.form.get("ticket", "")
        tickets.redeem(secret, ticket, problem.link.case_id, request.headers.get("Sec-Fetch-Site"))
        _queue(context, problem.link)
        return redirect(f"/pay/{token}?note={SENT}", code=303)
    return redirect(visit.url(), code=303)


def page_for_expired(context: Context, link: PayLink) -> ResponseReturnValue:
    """What somebody with an expired or revoked link sees: the merchant's name, and the way to a fresh one.

    Raises `LinkInvalid` for a case that is gone.
    """
    now = context.clock.now()
    with context.database.organization(link.organization_id) as session:
        rows = read_conversation(session, _get_case(session, link))
        known = mail_facts(session, context.settings, rows, MailKind.FRESH_LINK, now)
    # An old link opens nothing: not the name, not the amount.
    facts = MailFacts(merchant=known.merchant, pay_url=known.pay_url, locale=known.locale, timezone=known.timezone)
    page = render_template(
        "payment_page/expired.html",
        voice=PageVoice(facts),
        merchant=facts.merchant,
        ticket=tickets.issue(context.settings.require("secret_key"), link.case_id),
        action=f"/pay/{(request.view_args or {})['token']}/fresh-link",
        is_sent=request.method == "GET" and request.args.get("note") == SENT,
    )
    return page, 410


def _queue(context: Context, link: PayLink) -> None:
    now = context.clock.now()
    with context.database.organization(link.organization_id) as session:
        case = cases.lock_case(session, _get_case(session, link).id)
        if case.state not in (*OPEN_CASE_STATES, CaseState.EXHAUSTED):
            return
        key = f"fresh_link:{now.date().isoformat()}"
        message = outbox.queue(session, case=case, key=key, kind=MailKind.FRESH_LINK, step_id=None, now=now)
        after_commit(session, lambda: _ring(context, link.organization_id, message.id))


def _get_case(session: Session, link: PayLink) -> RecoveryCase:
    case = session.get(RecoveryCase, link.case_id)
    if case is None:
        raise LinkInvalid("what this link was for is gone")
    return case


def _ring(context: Context, organization_id: UUID, message_id: UUID) -> None:
    context.bell.ring("deliver_message", str(organization_id), str(message_id))
