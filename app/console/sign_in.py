"""The sign-in page, signing out, and switching to another organization of the same person."""

from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, url_for
from flask import session as form_session
from flask.typing import ResponseReturnValue

from app.accounts import sign_in
from app.accounts.throttle import FailureThrottle
from app.console import current
from app.console.blueprint import THROTTLE, console
from app.console.gate import cookie_name, is_https, safe_next
from app.log import get_logger
from app.models import AuditEntry

log = get_logger(__name__)

BLOCKED = "Too many failed sign-ins. Wait fifteen minutes, then try again."


@console.get("/sign-in")
def sign_in_form() -> ResponseReturnValue:
    return _form(request.args.get("next"), 200)


@console.post("/sign-in")
def sign_in_submit() -> ResponseReturnValue:
    email, password = request.form.get("email", "").strip(), request.form.get("password", "")
    throttle: FailureThrottle = current_app.extensions[THROTTLE]
    address = request.remote_addr or "unknown"
    if throttle.is_blocked(address, email):
        log.warning("sign_in.blocked")
        return _form(request.form.get("next"), 429, BLOCKED, email)
    try:
        return _sign_in(email, password)
    except sign_in.SignInRefused as refusal:
        throttle.failed(address, email)
        log.warning("sign_in.refused")
        return _form(request.form.get("next"), 401, str(refusal), email)


def _sign_in(email: str, password: str) -> ResponseReturnValue:
    now = current.wall_now()
    with current.context().database.system() as session:
        user = sign_in.authenticate(session, email, password)
        sign_in.forget_expired(session, now)
        old = sign_in.find_signed_in(session, request.cookies.get(cookie_name(), ""), now)
        if old:
            sign_in.end(session, old.sign_in_id)
        token, row = sign_in.begin(session, user, now, request.user_agent.string)
    _note(row.organization_id, row.user_id, user.name, "signed in")
    form_session.clear()
    response = redirect(safe_next(request.form.get("next")), code=303)
    response.set_cookie(
        cookie_name(),
        token,
        max_age=sign_in.LONGEST,
        secure=is_https(),
        httponly=True,
        samesite="Lax",
        path="/",
    )
    return response


@console.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    person = current.person()
    with current.context().database.system() as session:
        sign_in.end(session, person.sign_in_id)
    _note(person.organization.organization_id, person.user_id, person.user_name, "signed out")
    form_session.clear()
    response = redirect(url_for("console.sign_in_form"), code=303)
    response.delete_cookie(cookie_name(), secure=is_https(), httponly=True, samesite="Lax", path="/")
    return response


@console.post("/organization")
def switch_organization() -> ResponseReturnValue:
    try:
        wanted = UUID(request.form.get("organization", ""))
        with current.context().database.system() as session:
            place = sign_in.switch(session, current.person(), wanted)
    except (ValueError, sign_in.NotAMember):
        flash("You are not a member of that organization.", "bad")
        return redirect(url_for("console.overview"), code=303)
    flash(f"You are now working in {place.name}.", "good")
    return redirect(url_for("console.overview"), code=303)


def _form(target: str | None, status: int, problem: str | None = None, email: str = "") -> ResponseReturnValue:
    page = render_template("console/sign_in.html", next=safe_next(target), problem=problem, email=email)
    return page, status, {"Retry-After": "900"} if status == 429 else {}


def _note(organization_id: UUID, user_id: UUID, name: str, action: str) -> None:
    with current.context().database.organization(organization_id) as session:
        session.add(
            AuditEntry(
                organization_id=organization_id,
                actor=name,
                action=action,
                subject="console",
                happened_at=current.now(),
                user_id=user_id,
            )
        )
