"""One connection's catching up: what was missed and mended, and the past from before it; with the three buttons to
look again, to read the past, and to open cases for old debts. Each is an errand that workers carry out."""

from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.bell import Urgency
from app.console import current
from app.console.blueprint import console
from app.console.paging import read_page
from app.inbox.backfill.old_debts import left_alone, old_debts
from app.inbox.errands import looking, upkeep
from app.inbox.errands.running import begin
from app.inbox.errands.walk import BY_HAND
from app.models import AuditEntry, Connection, Finding
from app.reports.past import past_lines
from app.vocabulary import ErrandKind, FindingKind


@console.get("/connections/<uuid:connection_id>/reconcile")
def reconcile(connection_id: UUID) -> ResponseReturnValue:
    with current.rows() as session:
        connection = session.get(Connection, connection_id) or abort(404)
        newest = {kind: looking.newest(session, kind, connection_id).get(connection_id) for kind in ErrandKind}
        query = select(Finding).where(Finding.connection_id == connection_id, Finding.kind != FindingKind.ENDPOINT)
        page = read_page(session, query.order_by(Finding.found_at.desc(), Finding.id.desc()))
        return render_template(
            "console/reconcile.html",
            connection=connection,
            look=newest[ErrandKind.RECONCILE],
            reading=newest[ErrandKind.BACKFILL],
            opening=newest[ErrandKind.OLD_DEBTS],
            trouble=looking.endpoint_trouble(session).get(connection_id),
            page=page,
            past=past_lines(session),
            debts=old_debts(session, connection_id),
            left_alone=left_alone(session, connection_id),
        )


@console.post("/connections/<uuid:connection_id>/reconcile")
def look_again(connection_id: UUID) -> ResponseReturnValue:
    return _begin(
        connection_id, ErrandKind.RECONCILE, {BY_HAND: True}, "Looking. What is found appears here in a moment."
    )


@console.post("/connections/<uuid:connection_id>/backfill")
def read_past(connection_id: UUID) -> ResponseReturnValue:
    options = upkeep.period(current.context().clock.now(), upkeep.MONTHS)
    return _begin(connection_id, ErrandKind.BACKFILL, options, "Reading the past. Nobody is written to or charged.")


@console.post("/connections/<uuid:connection_id>/old-debts")
def open_old_debts(connection_id: UUID) -> ResponseReturnValue:
    return _begin(connection_id, ErrandKind.OLD_DEBTS, None, "Cases are being opened, a few each second.")


def _begin(connection_id: UUID, kind: ErrandKind, options: dict[str, Any] | None, words: str) -> ResponseReturnValue:
    context, person = current.context(), current.person()
    with current.rows() as session:
        connection = session.get(Connection, connection_id) or abort(404)
        session.add(
            AuditEntry(
                organization_id=connection.organization_id,
                actor=person.user_name,
                user_id=person.user_id,
                action=f"connection.{kind}",
                subject=str(connection_id),
                happened_at=current.now(),
                data={},
            )
        )
    errand: UUID = begin(context, connection, kind, person.user_name, options)
    context.bell.ring("run_errand", str(connection.organization_id), str(errand), urgency=Urgency.SOON)
    flash(words, "good")
    return redirect(url_for("console.reconcile", connection_id=connection_id), code=303)
