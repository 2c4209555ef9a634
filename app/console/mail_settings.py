"""What customers hear before anything has failed, and whether Stripe writes to them as well."""

from typing import Any
from uuid import UUID

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.problems import problems_of
from app.console import current
from app.console.blueprint import console
from app.messages.cadence import CAN_BE_REFUSED, MailKind
from app.messages.notice_rules import NoticeSettings
from app.messages.notices import settings_of
from app.models import AuditEntry, Connection, Organization


@console.get("/mail-settings")
def mail_settings() -> ResponseReturnValue:
    with current.rows() as session:
        chosen = settings_of(_organization(session))
        connections = session.scalars(select(Connection).order_by(Connection.created_at)).all()
    return _page(chosen, connections, {})


@console.post("/mail-settings")
def save_mail_settings() -> ResponseReturnValue:
    """Keep the notices as chosen; what cannot be is said beside its field, and nothing is lost."""
    given = _given()
    try:
        chosen = NoticeSettings.model_validate(given)
    except ValidationError as error:
        problems = {
            str(each.path[0]): f"{each.text[:1].upper()}{each.text[1:]}." for each in problems_of(error, NoticeSettings)
        }
        with current.rows() as session:
            connections = session.scalars(select(Connection).order_by(Connection.created_at)).all()
        return _page(given, connections, problems), 422
    with current.rows() as session:
        organization = _organization(session)
        before, organization.notices = organization.notices, chosen.model_dump(mode="json")
        if before != organization.notices:
            _audit(session, "mails.notices_changed", str(organization.id), organization.notices)
    flash("Saved. It holds for every mail that has not left yet.", "good")
    return redirect(url_for("console.mail_settings"), code=303)


@console.post("/connections/<uuid:connection_id>/stripe-mails")
def say_stripe_mails(connection_id: UUID) -> ResponseReturnValue:
    """Whether Stripe itself writes about failed payments: its mails are counted among those a customer gets."""
    is_on = request.form.get("stripe_mails") == "on"
    with current.rows() as session:
        connection = session.get(Connection, connection_id) or abort(404)
        if connection.stripe_mails != is_on:
            connection.stripe_mails = is_on
            _audit(session, "connection.stripe_mails", str(connection_id), {"are_on": is_on})
    said = "are counted: Recoup keeps its distance from them" if is_on else "are not counted"
    flash(f"Stripe's mails {said}.", "good")
    return redirect(url_for("console.mail_settings") + f"#c-{connection_id}", code=303)


def _given() -> dict[str, Any]:
    form = request.form
    days = list(dict.fromkeys(part.strip() for part in form.get("overdue_days", "").split(",") if part.strip()))
    if all(day.isdecimal() for day in days):
        days.sort(key=int)
    return {
        "card_expiring": "card_expiring" in form,
        "card_days": form.get("card_days", ""),
        "invoices": "invoices" in form,
        "due_soon_days": form.get("due_soon_days", ""),
        "on_due_date": "on_due_date" in form,
        "overdue_days": days,
    }


def _organization(session: Session) -> Organization:
    return session.get_one(Organization, current.person().organization.organization_id)


def _page(chosen: NoticeSettings | dict[str, Any], connections: Any, errors: dict[str, str]) -> str:
    return render_template(
        "console/mail_settings.html",
        chosen=chosen,
        errors=errors,
        connections=connections,
        refusable=sorted(CAN_BE_REFUSED),
        others=sorted(set(MailKind) - CAN_BE_REFUSED),
    )


def _audit(session: Session, action: str, subject: str, data: dict[str, Any]) -> None:
    person = current.person()
    session.add(
        AuditEntry(
            organization_id=person.organization.organization_id,
            actor=person.user_name,
            user_id=person.user_id,
            action=action,
            subject=subject,
            happened_at=current.now(),
            data=data,
        )
    )
