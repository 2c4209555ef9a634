"""How the organization looks to its customers: names, addresses, colour and logo, with a preview of what was typed."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.console import current, mail_words
from app.console.blueprint import console
from app.console.mail_frame import framed, framing
from app.console.mail_place import author, organization
from app.console.mail_preview import MODES, document, page_document, sample_of, write
from app.errors import RecoupError
from app.messages import brand_values, logos
from app.messages import branding as looks
from app.messages.brand_values import FIELDS, Values
from app.messages.wording import own_texts
from app.models import Organization
from emails.locales import FALLBACK, language_of, languages

SHOWN_IN = ("payment_failed", "no_funds")


@console.get("/branding")
def branding() -> ResponseReturnValue:
    with current.rows() as session:
        own = organization(session)
    return _page(own, _values_of(own), {})


@console.post("/branding")
def save_branding() -> ResponseReturnValue:
    """Keep what was typed; what cannot be is said at its field, and nothing is lost."""
    with current.rows() as session:
        own = organization(session)
        before = _values_of(own)
    # Outside the transaction: an address is looked up in DNS.
    values, problems = brand_values.read(request.form, before)
    if problems:
        page = _page(own, values, problems)
        page.status_code = 422
        return page
    with current.rows() as session:
        is_changed = looks.change(session, values, author(), current.now())
    told = "Saved. It holds for every mail that has not left yet, and for the page at once."
    flash(*((told, "good") if is_changed else ("Nothing differs from what stood.", "info")))
    return redirect(url_for("console.branding"), code=303)


@console.post("/branding/logo")
def change_logo() -> ResponseReturnValue:
    """Keep an uploaded picture as the logo, or show none that was uploaded."""
    try:
        with current.rows() as session:
            told = _remove(session) if request.form.get("action") == "remove" else _upload(session)
        flash(told, "good")
    except RecoupError as problem:
        flash(f"Not kept: {problem}", "bad")
    return redirect(url_for("console.branding"), code=303)


def _upload(session: Session) -> str:
    file = request.files.get("logo")
    row = logos.upload(session, file.stream.read() if file else b"", author(), current.now())
    return f"The logo is in use: {row.width} by {row.height} pixels.{_advice(row.media_type, row.height)}"


def _remove(session: Session) -> str:
    logos.remove(session, author(), current.now())
    return "No uploaded logo is shown any more. Mails that were sent keep theirs."


@console.route("/branding/preview", methods=["GET", "POST"])
def branding_preview() -> ResponseReturnValue:
    """A mail or the page in the looks that were typed, as far as they can be; else in those that are kept."""
    with current.rows() as session:
        own = organization(session)
        language = language_of(request.values.get("default_locale") or own.default_locale) or FALLBACK
        texts = own_texts(session, language)
    values = _values_of(own)
    if request.method == "POST":
        typed, problems = brand_values.read(request.form, {"logo_url": request.form.get("logo_url", "").strip()})
        values |= {name: value for name, value in typed.items() if name not in problems}
    settings = current.context().settings
    merchant = looks.merchant_of(_as_typed(own, values), settings.base_url())
    sample, mode = sample_of(*SHOWN_IN, language, merchant, current.now()), request.values.get("mode", "")
    if request.values.get("shown") == "page":
        return framed(page_document(sample.facts, mode))
    written = write(sample, texts, None)
    envelope = looks.envelope_of(_as_typed(own, values), settings.mail_from)
    return framed(document(written, envelope, mode if mode in MODES else "light", []))


def _as_typed(own: Organization, values: Values) -> Organization:
    """A row of no session, to be looked at only."""
    return Organization(id=own.id, logo_id=own.logo_id, **values)


def _values_of(own: Organization) -> Values:
    return {name: getattr(own, name) for name in FIELDS}


def _page(own: Organization, values: Values, errors: dict[str, str]) -> Response:
    base_url = current.context().settings.base_url()
    page = render_template(
        "console/branding.html",
        values=values,
        errors=errors,
        logo=looks.logo_address(base_url, own.id, own.logo_id) if own.logo_id else None,
        buttons=brand_values.seen(values["brand_color"]),
        mail_from=current.context().settings.mail_from,
        languages=languages(),
        told=mail_words,
    )
    return framing(page)


def _advice(media_type: str, height: int) -> str:
    found = []
    if media_type == "image/webp":
        found.append("Outlook on Windows does not show WebP; a PNG is seen everywhere.")
    if height < 64:
        found.append("It is drawn 32 pixels high; one of 64 or more is sharp on good screens.")
    return "".join(f" {text}" for text in found)
