"""A mail about an invented customer, in the organization's looks and words: to be looked at, or sent to oneself."""

import re
from dataclasses import replace
from datetime import datetime

from flask import current_app, render_template
from markupsafe import Markup

import emails
from app.messages.branding import Envelope
from app.messages.wording import Texts
from emails import MailFacts, Merchant, RenderedMail
from emails.samples import Sample, samples

# Which of the two a reader's device is set to decides in a real mail; a preview decides it here.
_DARK = "@media (prefers-color-scheme: dark)"
_SETTINGS = {"light": "@media not all", "dark": "@media all"}
MODES = ("light", "dark", "text")


def states_of(kind: str) -> tuple[str, ...]:
    """The states that a sample of this kind can be in."""
    return tuple(sample.state for sample in samples() if sample.kind == kind)


def sample_of(kind: str, state: str, language: str, merchant: Merchant, now: datetime) -> Sample:
    """The invented case for a kind and one of its states; the first state where there is no such one."""
    found = [sample for sample in samples(language, merchant, now.replace(microsecond=0)) if sample.kind == kind]
    return next((sample for sample in found if sample.state == state), found[0])


def write(sample: Sample, wording: Texts, variant: str | None) -> RenderedMail:
    """The sample's mail in these words."""
    return emails.render(sample.kind, sample.facts, wording=wording, variant=variant)


def leading_to(sample: Sample, page: str) -> Sample:
    """The sample with every link leading to `page`: nobody who gets a test should end on a page that is not there."""
    facts = sample.facts
    receipt = page if facts.receipt_url else None
    way_out = page if facts.unsubscribe_url else None
    return replace(sample, facts=replace(facts, pay_url=page, receipt_url=receipt, unsubscribe_url=way_out))


def page_document(facts: MailFacts, mode: str) -> str:
    """The customer's page about the same invented case, light or dark."""
    html: str = current_app.extensions["sample_page"](facts)
    return html.replace(_DARK, _SETTINGS["dark" if mode == "dark" else "light"])


def document(mail: RenderedMail, envelope: Envelope, mode: str, problems: list[str]) -> str:
    """The preview as a page of its own: the lines that an inbox shows, and the mail below them."""
    head = render_template(
        "console/mail_preview_head.html", mail=mail, envelope=envelope, is_dark=mode == "dark", problems=problems
    )
    if mode == "text":
        return render_template("console/mail_preview_text.html", mail=mail, head=Markup(head))  # noqa: S704  Jinja escaped it
    html = mail.html.replace(_DARK, _SETTINGS[mode]).replace('content="light dark"', f'content="{mode}"')
    return re.sub(r"<body[^>]*>", lambda found: found[0] + head, html, count=1)
