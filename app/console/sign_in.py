"""The sign-in page, signing out, and switching to another organization of the same person."""

from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, url_for
from flask import session as form_session
from flask.typing import ResponseReturnValue

from app.accounts import sign_in
from app.accounts.throttle import SignInThrottle
from app.console import current
from app.console.blueprint import THROTTLE, console
from app.console.gate import cookie_name, is_https, safe_next
from app.log import get_logger
from app.models import AuditEntry

log = get_logger(__name__)


@console.get("/sign-in")
def sign_in_form() -> ResponseReturnValue:
    return _form(request.args.get("next"))


@console.post("/sign-in")
def sign_in_submit() -> ResponseReturnValue:
    email, password = request.form.get("email", "").strip(), request.form.get("password", "")
    throttle: SignInThrottle = current_app.extensions[THROTTLE]
    address = request.remote_addr or "unknown"
    if seconds := throttle.try_now(address, email, current.wall_now()):
        log.warning("sign_in.blocked")
        return _form(request.form.get("next"), _too_often(seconds), email), 429, {"Retry-After": str(seconds)}
    try:
        response = _sign_in(email, password)
    except sign_in.SignInRefused as refusal:
        log.warning("sign_in.refused")
        return _form(request.form.get("next"), str(refusal), email), 401
    throttle.succeeded(address, email)
    return response


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


def _form(target: str | None, problem: str | None = None, email: str = "") -> str:
    return render_template("console/sign_in.html", next=safe_next(target), problem=problem, email=email)


def _too_often(seconds: int) -> str:
    minutes = -(-seconds // 60)
    wait = f"{minutes} minutes" if minutes > 1 else "a minute"
    return f"Too many tries to sign in. Wait {wait}, then try again."


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
