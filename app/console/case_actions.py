"""What a person may do to a case: try now, stop, snooze, release a hold, end links. Each is a form that was confirmed.

What is allowed and what follows is decided in `app.recovery.operator`; a refusal is shown on the case's page.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from flask import abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.console import current, formats
from app.console.blueprint import console
from app.errors import RecoupError
from app.models import Hold, RecoveryCase
from app.recovery import operator

LONGEST_NOTE = 1000


@console.post("/cases/<uuid:case_id>/retry")
def retry_case(case_id: UUID) -> ResponseReturnValue:
    return _act(
        case_id,
        lambda organization_id, by: operator.retry_now(current.context(), organization_id, case_id, by),
        "The card will be tried at once. The answer appears here in a moment.",
    )


@console.post("/cases/<uuid:case_id>/stop")
def stop_case(case_id: UUID) -> ResponseReturnValue:
    note = _note()
    return _act(
        case_id,
        lambda organization_id, by: operator.stop_case(current.context(), organization_id, case_id, by, note),
        "The case is stopped. No further try, no further mail.",
    )


@console.post("/cases/<uuid:case_id>/snooze")
def snooze_case(case_id: UUID) -> ResponseReturnValue:
    until, note = _until(), _note()
    if until is None or until <= current.now():
        flash("Choose a day after today to snooze until.", "bad")
        return redirect(url_for("console.case", case_id=case_id), code=303)
    return _act(
        case_id,
        lambda organization_id, by: operator.snooze(current.context(), organization_id, case_id, until, by, note),
        "Snoozed. No try and no mail until then.",
    )


@console.post("/cases/<uuid:case_id>/links/end")
def end_links(case_id: UUID) -> ResponseReturnValue:
    return _act(
        case_id,
        lambda organization_id, by: operator.end_links(current.context(), organization_id, case_id, by),
        "The links that were sent have ended. A new one is under Payment link.",
    )


@console.post("/cases/<uuid:case_id>/holds/<uuid:hold_id>/release")
def release_hold(case_id: UUID, hold_id: UUID) -> ResponseReturnValue:
    answer = request.form.get("answer", "").strip()[:LONGEST_NOTE]
    with current.rows() as session:
        session.get(Hold, hold_id) or abort(404)
    return _act(
        case_id,
        lambda organization_id, by: operator.release_hold(current.context(), organization_id, hold_id, by, answer),
        "The hold is released and the plan goes on.",
    )


def _act(case_id: UUID, action: Callable[[UUID, operator.Person], object], done: str) -> ResponseReturnValue:
    person = current.person()
    with current.rows() as session:
        if session.get(RecoveryCase, case_id) is None:
            abort(404)
    try:
        action(person.organization.organization_id, operator.Person(person.user_name, person.user_id))
    except RecoupError as refusal:
        flash(f"Not done: {refusal}", "bad")
    else:
        flash(done, "good")
    return redirect(url_for("console.case", case_id=case_id), code=303)


def _note() -> str:
    return request.form.get("note", "").strip()[:LONGEST_NOTE]


def _until() -> datetime | None:
    """The chosen day's first moment in the organization's zone."""
    try:
        return formats.first_moment(request.form.get("until", ""))
    except (ValueError, OverflowError):  # the first day and the last there are may lie outside in UTC
        return None
