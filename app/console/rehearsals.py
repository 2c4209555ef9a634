"""Rehearsals: ask for one, see how far it is, read its report. Workers play them; nothing here touches a case."""

from uuid import UUID

from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.bell import Urgency
from app.console import current
from app.console.blueprint import console
from app.console.paging import read_page
from app.errors import RecoupError
from app.models import Campaign, Rehearsal
from app.recovery.campaigns import newest_version, read_definition
from app.rehearsal import book
from app.rehearsal.errors import RehearsalFailed
from app.rehearsal.ordering import MOST_CASES, MOST_DAYS, USUAL_DAYS, fitting_days
from app.rehearsal.report import CONTENT_POLICY
from app.vocabulary import RehearsalState

CASES, SEED = 200, 1
_LARGEST_SEED = 2**31 - 1


@console.get("/rehearsals")
def rehearsals() -> ResponseReturnValue:
    with current.rows() as session:
        campaigns = session.scalars(
            select(Campaign).where(Campaign.archived_at.is_(None)).order_by(Campaign.position)
        ).all()
        fitting = {row.slug: fitting_days(read_definition(newest_version(session, row.id))) for row in campaigns}
        usual = next((row.slug for row in campaigns if row.is_default), "")
        chosen = request.args.get("campaign", usual)
        page = read_page(session, select(Rehearsal).order_by(Rehearsal.began_at.desc()))
        return render_template(
            "console/rehearsals.html",
            campaigns=campaigns,
            chosen=chosen,
            fitting=fitting,
            page=page,
            wall=current.wall_now(),
            book=book,
            defaults={"cases": CASES, "days": fitting.get(chosen, USUAL_DAYS), "seed": SEED},
            most={"cases": MOST_CASES, "days": MOST_DAYS, "seed": _LARGEST_SEED},
        )


@console.post("/rehearsals")
def begin_rehearsal() -> ResponseReturnValue:
    context, person = current.context(), current.person()
    try:
        sizes = [_number(name) for name in ("cases", "days", "seed")]
        with current.rows() as session:
            row = book.begin(
                session,
                slug=request.form.get("campaign", ""),
                cases=sizes[0],
                days=sizes[1],
                seed=min(sizes[2], _LARGEST_SEED),
                by=person.user_name,
                wall=current.wall_now(),
            )
            rehearsal_id = row.id
    except (RecoupError, IntegrityError) as problem:
        refusal = "A rehearsal is running already." if isinstance(problem, IntegrityError) else str(problem)
        flash(f"Not begun: {refusal}", "bad")
        return redirect(url_for("console.rehearsals"), code=303)
    organization_id = person.organization.organization_id
    context.bell.ring("play_rehearsal", str(organization_id), str(rehearsal_id), urgency=Urgency.SOON)
    return redirect(url_for("console.rehearsal", rehearsal_id=rehearsal_id), code=303)


@console.get("/rehearsals/<uuid:rehearsal_id>")
def rehearsal(rehearsal_id: UUID) -> ResponseReturnValue:
    with current.rows() as session:
        row = session.get(Rehearsal, rehearsal_id) or abort(404)
    wall = current.wall_now()
    has_crashed = row.state is RehearsalState.RUNNING and not book.is_alive(row, wall)
    page = render_template(
        "console/rehearsal.html", row=row, has_crashed=has_crashed, why=book.why_silent(row), wall=wall
    )
    response = make_response(page)
    if row.state is RehearsalState.RUNNING and not has_crashed:
        response.headers["Refresh"] = "3"
    return response


@console.post("/rehearsals/<uuid:rehearsal_id>/cancel")
def cancel_rehearsal(rehearsal_id: UUID) -> ResponseReturnValue:
    with current.rows() as session:
        session.get(Rehearsal, rehearsal_id) or abort(404)
        was_running = book.cancel(session, rehearsal_id, current.wall_now())
    flash("It ends in a few seconds." if was_running else "It had ended already.", "good")
    return redirect(url_for("console.rehearsal", rehearsal_id=rehearsal_id), code=303)


@console.get("/rehearsals/<uuid:rehearsal_id>/report")
def rehearsal_report(rehearsal_id: UUID) -> ResponseReturnValue:
    """The report as it is, under its own strict policy; with `?save` as a file."""
    with current.rows() as session:
        page = book.report_of(session, rehearsal_id) or abort(404)
    response = Response(page, mimetype="text/html")
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    if "save" in request.args:
        response.headers["Content-Disposition"] = f'attachment; filename="rehearsal-{rehearsal_id}.html"'
    return response


def _number(name: str) -> int:
    given = request.form.get(name, "").strip()
    if not (given.isascii() and given.isdigit() and len(given) <= 10):
        raise RehearsalFailed(f"{name} has to be a whole number")
    return int(given)
