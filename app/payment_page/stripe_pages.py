"""Leaving for a page of Stripe's: by redirect where the browser's form policy allows it, else by a page with a link.

A Stripe account may serve its pages from a domain of its own, which no policy can name ahead of the click.
"""

from urllib.parse import urlsplit

from flask import current_app, redirect, render_template
from flask.typing import ResponseReturnValue

from app.context import Context
from app.errors import RecoupError
from app.payment_page.voice import PageVoice

HOSTED = ("https://checkout.stripe.com", "https://invoice.stripe.com", "https://pay.stripe.com")


class NoSuchPage(RecoupError):
    """Stripe gave no address that a browser could be sent to."""


def origins() -> tuple[str, ...]:
    """Where forms of ours may lead: Stripe's hosts and, with another Stripe configured, that one's."""
    context: Context = current_app.extensions["recoup"]
    base = context.settings.stripe_api_base
    return (*HOSTED, _origin(base)) if base else HOSTED


def leave_for(url: str | None, voice: PageVoice) -> ResponseReturnValue:
    """Send the browser to a fresh page of Stripe's; raises `NoSuchPage`."""
    if not url or urlsplit(url).scheme not in ("http", "https"):
        raise NoSuchPage("Stripe gave no page to go to")
    if _origin(url) in origins():
        return redirect(url, code=303)
    return render_template("payment_page/leaving.html", voice=voice, url=url)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
