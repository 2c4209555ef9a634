"""What a person may say of a customer on the page of one of their cases: tags, and a snooze over all that is owed."""

from datetime import datetime
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.console import current, formats
from app.console.blueprint import console
from app.errors import RecoupError
from app.models import RecoveryCase
from app.recovery import customer_desk
from app.recovery.operator import NotAllowedNow, Person

LONGEST = 1000


@console.post("/cases/<uuid:case_id>/tags")
def tag_customer(case_id: UUID) -> ResponseReturnValue:
    tags = request.form.get("tags", "")[:LONGEST].split(",")
    person = current.person()
    with current.rows() as session:
        case = session.get(RecoveryCase, case_id) or abort(404)
        try:
            by = Person(person.user_name, person.user_id)
            is_changed = customer_desk.tag(session, case.customer_id, tags, by, current.now())
        except RecoupError as refusal:
            flash(f"Not done: {refusal}.", "bad")
        else:
            flash("The tags are saved." if is_changed else "The tags were like this already.", "good")
    return redirect(url_for("console.case", case_id=case_id), code=303)


@console.post("/cases/<uuid:case_id>/snooze-customer")
def snooze_customer(case_id: UUID) -> ResponseReturnValue:
    person, note = current.person(), request.form.get("note", "").strip()[:LONGEST]
    with current.rows() as session:
        case = session.get(RecoveryCase, case_id) or abort(404)
        try:
            by = Person(person.user_name, person.user_id)
            customer_desk.snooze(session, case.customer_id, _until(), by, note, current.now())
        except RecoupError as refusal:
            flash(f"Not done: {refusal}.", "bad")
        else:
            flash("This customer is left alone until then, whatever they owe.", "good")
    return redirect(url_for("console.case", case_id=case_id), code=303)


def _until() -> datetime:
    """The chosen day's first moment in the organization's zone; raises `NotAllowedNow` for what is no day."""
    try:
        return formats.first_moment(request.form.get("until", ""))
    except (ValueError, OverflowError) as problem:
        raise NotAllowedNow("choose the day on which it is over") from problem
