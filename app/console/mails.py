"""Mails as the operator words them: which kinds there are and what was changed, and one with its texts and preview."""

from collections import Counter

from flask import Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

import emails
from app.console import current, mail_words
from app.console.blueprint import console
from app.console.mail_frame import framing
from app.console.mail_place import Place, author, organization, place_of, sample_for
from app.console.mail_preview import states_of
from app.console.mail_texts import Sent, fields_of, read
from app.console.mail_trial import send_trial
from app.console.mail_variants import CAN_VARY, uses_of
from app.errors import RecoupError
from app.messages.wording import Texts, all_texts, bad_texts, change, home_of, kinds_saying, own_texts
from emails.locales import FALLBACK, language_of, languages


@console.get("/mails")
def mails() -> ResponseReturnValue:
    with current.rows() as session:
        texts, bad = all_texts(session), bad_texts(session)
        default = language_of(organization(session).default_locale) or FALLBACK
    homes = Counter((home_of(key), language) for language, own in texts.items() for key in own)
    return render_template(
        "console/mails.html",
        kinds=list(emails.kinds),
        languages=languages(),
        default=default,
        changed=homes,
        bad=[(each, next(iter(kinds_saying(each.key)), None)) for each in bad],
        told=mail_words,
    )


@console.get("/mails/<kind>")
def mail(kind: str) -> ResponseReturnValue:
    with current.rows() as session:
        place = place_of(session, kind, request.args)
        return _page(session, place, own_texts(session, place.language), Sent())


@console.post("/mails/<kind>")
def save_mail(kind: str) -> ResponseReturnValue:
    """Keep what was typed, send it to oneself, or look at it in another state; nothing that was typed is lost."""
    action = request.form.get("action", "")
    with current.rows() as session:
        place = place_of(session, kind, request.form)
        stored = own_texts(session, place.language)
        sent = read(request.form, place.language, stored)
        if sent.problems and action != "look":
            page = _page(session, place, stored, sent)
            page.status_code = 422
            return page
        if action not in ("look", "test"):
            return _save(session, place, sent)
    if action == "test":
        flash(*send_trial(place, sent, stored))
    with current.rows() as session:
        return _page(session, place, stored, sent)


def _save(session: Session, place: Place, sent: Sent) -> ResponseReturnValue:
    try:
        count = change(session, {place.language: sent.changed}, author(), current.now())
    except RecoupError as problem:
        flash(f"Not saved: {problem}.", "bad")
    else:
        told = "It holds for every mail that has not left yet." if count else "Nothing differs from what stood."
        flash(f"Saved. {told}", "good" if count else "info")
    return redirect(place.address(), code=303)


def _page(session: Session, place: Place, stored: Texts, sent: Sent) -> Response:
    own = organization(session)
    fields = fields_of(sample_for(place, own), place.language, place.variant, stored, sent)
    page = render_template(
        "console/mail.html",
        place=place,
        fields=[field for field in fields if not field.is_shared],
        shared=[field for field in fields if field.is_shared],
        problems=sent.problems,
        is_typed=bool(sent.changed),
        states=states_of(place.kind),
        languages=languages(),
        changed=Counter(_homes(session, place.kind)),
        can_vary=place.kind in CAN_VARY,
        uses=uses_of(session, place.kind),
        to=current.person().user_email,
        told=mail_words,
    )
    return framing(page)


def _homes(session: Session, kind: str) -> list[str]:
    """The language of each of the organization's texts for this kind."""
    return [language for language, own in all_texts(session).items() for key in own if home_of(key) == kind]
