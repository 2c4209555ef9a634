"""Who changed which text of the mails, and the ways back: to what stood before a change, and to ours."""

from collections.abc import Mapping

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, select

import emails
from app.console import current, mail_words
from app.console.blueprint import console
from app.console.mail_place import Place, author, place_of
from app.console.paging import read_page
from app.messages.variants import texts_of_variant
from app.messages.wording import CHANGED, WordingRefused, all_texts, change, home_of, own_texts
from app.models import AuditEntry
from emails.locales import languages
from emails.wording import split_key


@console.get("/mails/history")
def mail_history() -> ResponseReturnValue:
    kind, language = request.args.get("kind", ""), request.args.get("language", "")
    with current.rows() as session:
        page = read_page(session, _changes(kind, language))
    return render_template(
        "console/mail_history.html",
        page=page,
        kind=kind if kind in emails.kinds else "",
        language=language if language in languages() else "",
        kinds=list(emails.kinds),
        languages=languages(),
        told=mail_words,
        name_of=_name_of,
    )


@console.post("/mails/history/<int:entry_id>/back")
def take_back(entry_id: int) -> ResponseReturnValue:
    """Say again what was said before a change; other texts stay as they are."""
    with current.rows() as session:
        entry = session.scalar(select(AuditEntry).where(AuditEntry.id == entry_id, AuditEntry.action == CHANGED))
        entry = entry or abort(404)
        before = {key: told["before"] for key, told in entry.data["texts"].items()}
        try:
            count = change(session, {entry.data["language"]: before}, author(), current.now(), "back")
            flash("Taken back." if count else "It says so already.", "good" if count else "info")
        except WordingRefused as problem:
            wrong = next(iter(problem.problems.values()))
            flash(f"Not taken back, because a text of then cannot be said any more. {' '.join(wrong)}", "bad")
    return redirect(url_for("console.mail_history", language=entry.data["language"]), code=303)


@console.get("/mails/<kind>/reset")
def reset_form(kind: str) -> ResponseReturnValue:
    with current.rows() as session:
        place = place_of(session, kind, request.args)
        texts = all_texts(session).get(place.language, {})
    return render_template(
        "console/mail_reset.html", place=place, texts=_of(place, texts), told=mail_words, name_of=_name_of
    )


@console.post("/mails/<kind>/reset")
def reset_mail(kind: str) -> ResponseReturnValue:
    """Say ours again: of the kind's own texts in one language, or of one variant's."""
    with current.rows() as session:
        place = place_of(session, kind, request.form)
        own = _of(place, own_texts(session, place.language))
        count = change(session, {place.language: dict.fromkeys(own)}, author(), current.now(), "reset")
    flash("Our texts are said again. The history brings yours back." if count else "They were ours already.", "good")
    return redirect(place.address(), code=303)


def _of(place: Place, texts: Mapping[str, str]) -> dict[str, str]:
    """The texts that a reset takes away: not those that other mails say, too."""
    if place.variant:
        return texts_of_variant({place.language: texts}, place.kind, place.variant).get(place.language, {})
    return {key: text for key, text in texts.items() if home_of(key) == place.kind and "@" not in key}


def _changes(kind: str, language: str) -> Select[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.action == CHANGED)
    if kind in emails.kinds:
        query = query.where(AuditEntry.data["kinds"].has_key(kind))
    if language in languages():
        query = query.where(AuditEntry.data["language"].astext == language)
    return query.order_by(AuditEntry.happened_at.desc(), AuditEntry.id.desc())


def _name_of(key: str) -> str:
    """What a text is called, with its variant."""
    plain, variant = split_key(key) or (key, None)
    return f"{mail_words.part(plain)} (variant {variant})" if variant else mail_words.part(plain)
