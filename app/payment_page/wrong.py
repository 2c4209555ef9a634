"""Something is wrong with an invoice: the customer writes a few words, and the chase rests until they are answered."""

from collections.abc import Sequence
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from app.payment_page.bills import TO_SETTLE
from app.payment_page.blueprint import payment_page
from app.payment_page.pages import ASKED, NOT_POSSIBLE, SAY_MORE, to_outcome, to_page
from app.payment_page.visits import enter
from app.recovery import cases, questions
from app.recovery.questions import NotAskable, NothingSaid


@payment_page.post("/<token>/wrong")
def something_is_wrong(token: str) -> ResponseReturnValue:
    """Keep the note and hold the bill it is about; one form is one note."""
    visit = enter(token)
    click = visit.click()
    standing = visit.standing()
    if not standing.owed:
        return to_outcome(visit)
    about = _named([bill.case_id for bill in standing.at(*TO_SETTLE)], request.form.get("about"))
    if about is None:
        return to_page(visit, NOT_POSSIBLE)
    try:
        with visit.context.database.organization(visit.link.organization_id) as session:
            note, case = request.form.get("note", ""), cases.lock_case(session, about)
            questions.ask(session, case, note, click.name, visit.now)
    except NothingSaid:
        return to_page(visit, SAY_MORE)
    except NotAskable:
        return to_page(visit, NOT_POSSIBLE)
    return to_page(visit, ASKED)


@payment_page.post("/<token>/settled")
def it_is_settled(token: str) -> ResponseReturnValue:
    """The customer takes the note about one bill back, and everything goes on."""
    visit = enter(token)
    visit.click()
    asked = [bill.case_id for bill in visit.standing().owed if bill.is_asked]
    about = _named(asked, request.form.get("about"))
    if about is not None:
        with visit.context.database.organization(visit.link.organization_id) as session:
            questions.take_back(session, cases.lock_case(session, about), visit.now)
    return to_page(visit)


def _named(bills: Sequence[UUID], about: str | None) -> UUID | None:
    """The bill that was named; the only one there is where none is."""
    if about is None:
        return bills[0] if len(bills) == 1 else None
    return next((case_id for case_id in bills if str(case_id) == about), None)
