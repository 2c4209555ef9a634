"""The Stripe accounts of an organization: who retries, whether the key works, when Stripe was last heard of.

Here it is switched who retries, and said that what no API shows has been seen to.
"""

from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from app.accounts import conflicts
from app.console import current, words
from app.console.blueprint import console
from app.inbox.errands import looking
from app.models import AuditEntry, Conflict, Connection, InboxEvent
from app.recovery import switching
from app.recovery.operator import Person
from app.vocabulary import ConflictKind, ConnectionMode, Enforcement, ErrandKind

RECENT = 5


@console.get("/connections")
def connections() -> ResponseReturnValue:
    last_event = (
        select(func.max(InboxEvent.received_at)).where(InboxEvent.connection_id == Connection.id).scalar_subquery()
    )
    with current.rows() as session:
        found = session.execute(select(Connection, last_event).order_by(Connection.created_at)).all()
        looks, trouble = looking.newest(session, ErrandKind.RECONCILE), looking.endpoint_trouble(session)
        standing = {row.id: conflicts.standing(session, row) for row, _ in found}
        recurring = {row.id: conflicts.recurring(session, row, current.now()) for row, _ in found}
        concerned = {row.id: switching.preview(session, row.id) for row, _ in found}
        query = select(Conflict).where(Conflict.resolved_at.is_not(None)).order_by(Conflict.resolved_at.desc())
        past = {
            row.id: session.scalars(query.where(Conflict.connection_id == row.id).limit(RECENT)).all()
            for row, _ in found
        }
    return render_template(
        "console/connections.html",
        connections=found,
        base_url=current.context().settings.base_url(),
        looks=looks,
        trouble=trouble,
        standing=standing,
        recurring=recurring,
        concerned=concerned,
        past=past,
        modes=ConnectionMode,
        enforcements=Enforcement,
    )


@console.post("/connections/<uuid:connection_id>/mode")
def switch_mode(connection_id: UUID) -> ResponseReturnValue:
    person = current.person()
    _known(connection_id)
    try:
        mode = ConnectionMode(request.form.get("mode", ""))
        enforcement = Enforcement(request.form.get("enforcement", ""))
    except ValueError:
        abort(400, "Choose who retries, and what is done about invoices that Stripe would retry.")
    by = Person(person.user_name, person.user_id)
    done = switching.switch(
        current.context(), person.organization.organization_id, connection_id, by, mode=mode, enforcement=enforcement
    )
    if done.is_changed:
        how = f": {words.label(enforcement)}" if mode is ConnectionMode.DRIVE else ""
        flash(f"{words.label(mode)} from now on{how}. {_follow(done.cases)}", "good")
    else:
        flash("Nothing was changed: it was set like this already.", "good")
    return _back(connection_id)


@console.post("/connections/<uuid:connection_id>/settle")
def settle_conflict(connection_id: UUID) -> ResponseReturnValue:
    person, kind = current.person(), request.form.get("kind", "")
    _known(connection_id)
    if kind not in list(conflicts.OF_PEOPLE):
        abort(400, "That ends by itself, once Stripe shows that it is over.")
    with current.rows() as session:
        over = conflicts.settle(session, connection_id, [ConflictKind(kind)], current.now(), person.user_name)
        if over:
            session.add(
                AuditEntry(
                    organization_id=person.organization.organization_id,
                    actor=person.user_name,
                    user_id=person.user_id,
                    action="connection.conflict_settled",
                    subject=str(connection_id),
                    happened_at=current.now(),
                    data={"kind": kind},
                )
            )
    flash("Noted. It comes back here if Stripe shows otherwise.", "good")
    return _back(connection_id)


def _known(connection_id: UUID) -> None:
    with current.rows() as session:
        session.get(Connection, connection_id) or abort(404)


def _follow(cases: int) -> str:
    if not cases:
        return "No case is open."
    return (
        f"{cases} open {'case follows' if cases == 1 else 'cases follow'} in a moment; charges under way finish first."
    )


def _back(connection_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("console.connections") + f"#c-{connection_id}", code=303)
