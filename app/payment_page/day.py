""" "I can pay on Friday": the customer picks a day, and tries and mails wait for it."""

from datetime import date
from functools import partial
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import after_commit
from app.messages.cadence import MailKind
from app.models import Message
from app.payment_page.blueprint import payment_page
from app.payment_page.pages import DAY_GONE, to_outcome, to_page
from app.payment_page.visits import Visit, enter
from app.recovery import cases, promises
from app.recovery.promises import DayNotPossible
from app.vocabulary import MessageState


@payment_page.post("/<token>/day")
def pick_a_day(token: str) -> ResponseReturnValue:
    """Promise all that is to be settled for one day, or nothing of it; the same day again changes nothing."""
    visit = enter(token)
    visit.click()
    standing = visit.standing()
    if not standing.to_settle:
        return to_outcome(visit)
    day = _read_day(request.form.get("day", ""))
    allowed = {*standing.offers.days, *([standing.offers.promise.day] if standing.offers.promise else ())}
    if day is None or day not in allowed:
        return to_page(visit, DAY_GONE)
    try:
        with visit.context.database.organization(visit.link.organization_id) as session:
            for number, bill in enumerate(standing.to_settle):
                case = cases.lock_case(session, bill.case_id)
                promises.make(session, case, day, visit.now, confirms=number == 0)  # one conversation, one mail
                _ring_for_mail(session, visit, case.id)
    except DayNotPossible:  # something has happened between looking and writing
        return to_page(visit, DAY_GONE)
    return to_page(visit)


def _ring_for_mail(session: Session, visit: Visit, case_id: UUID) -> None:
    """Have the mail that confirms the day leave at once; without a bell it leaves with the next sweep."""
    waiting = select(Message.id).where(
        Message.case_id == case_id,
        Message.kind == MailKind.PROMISE_CONFIRMED,
        Message.state == MessageState.PLANNED,
    )
    bell, organization_id = visit.context.bell, str(visit.link.organization_id)
    for message_id in session.scalars(waiting).all():
        after_commit(session, partial(bell.ring, "deliver_message", organization_id, str(message_id)))


def _read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
