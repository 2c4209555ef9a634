"""Keys to the API, and where the embedded notice may be shown. Owners make and revoke; everybody may look.

A key is shown in the answer to the form that made it and nowhere else. The form carries the new key's id, so that
sending it again by reloading the page makes no second key.
"""

from datetime import timedelta
from uuid import UUID, uuid4

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import api_keys, embed_origins
from app.accounts.api_keys import Actor, KeyNotMade, KeyUnknown, MadeKey
from app.accounts.embed_origins import OriginInvalid
from app.console import current
from app.console.blueprint import console
from app.models import Organization
from app.vocabulary import ApiScope, Role

LIFETIMES = {"": "Until it is revoked", "30": "30 days", "90": "90 days", "365": "A year"}


@console.get("/api-keys")
def api_keys_page() -> ResponseReturnValue:
    return _page()


@console.post("/api-keys")
def create_api_key() -> ResponseReturnValue:
    person, days = _owner(), request.form.get("lifetime", "")
    scopes = {"read": [ApiScope.READ], "write": [ApiScope.READ, ApiScope.WRITE]}.get(request.form.get("scope", ""), [])
    if days not in LIFETIMES:
        abort(400, "Choose one of the lifetimes that the form offers.")
    wall = current.wall_now()
    try:
        with current.rows() as session:
            made = api_keys.create(
                session,
                current.context().keys,
                name=request.form.get("name", ""),
                scopes=scopes,
                expires_at=wall + timedelta(days=int(days)) if days else None,
                by=person,
                now=current.now(),
                wall=wall,
                key_id=_form_id(),
            )
    except KeyNotMade as refusal:
        flash(str(refusal), "bad")
        return redirect(url_for("console.api_keys_page"), code=303)
    return _page(made)


@console.post("/api-keys/<uuid:key_id>/revoke")
def revoke_api_key(key_id: UUID) -> ResponseReturnValue:
    person = _owner()
    try:
        with current.rows() as session:
            is_new = api_keys.revoke(session, key_id, person, current.now(), current.wall_now())
    except KeyUnknown:
        abort(404)
    flash("Revoked. Whoever still uses the key is refused from now on." if is_new else "It was revoked before.", "good")
    return redirect(url_for("console.api_keys_page"), code=303)


@console.post("/api-keys/origins")
def save_embed_origins() -> ResponseReturnValue:
    person, given = _owner(), request.form.get("origins", "")
    try:
        origins = embed_origins.read_origins(given)
    except OriginInvalid as refusal:
        return _page(given=given, refusal=str(refusal)), 400
    with current.rows() as session:
        is_new = embed_origins.set_origins(session, origins, person, current.now())
    flash("Saved. It counts from the next page on." if is_new else "Nothing was changed.", "good")
    return redirect(url_for("console.api_keys_page") + "#notice", code=303)


def _page(made: MadeKey | None = None, given: str | None = None, refusal: str | None = None) -> str:
    with current.rows() as session:
        keys = api_keys.list_keys(session)
        organization = session.get_one(Organization, current.person().organization.organization_id)
    return render_template(
        "console/api_keys.html",
        keys=keys,
        made=made,
        form_id=uuid4(),
        is_owner=current.person().organization.role is Role.OWNER,
        is_in_force=lambda row: api_keys.is_in_force(row, current.wall_now()),
        lifetimes=LIFETIMES,
        origins=given if given is not None else "\n".join(organization.embed_origins),
        refusal=refusal,
        scopes=ApiScope,
        base_url=current.context().settings.base_url(),
    )


def _owner() -> Actor:
    person = current.person()
    if person.organization.role is not Role.OWNER:
        abort(403, "Keys open your customers' data to programs. Ask an owner of this organization to do this.")
    return Actor(person.user_name, person.user_id)


def _form_id() -> UUID:
    try:
        return UUID(request.form.get("key_id", ""))
    except ValueError:
        abort(400, "The form was not complete. Go back, reload the page and try again.")
