"""What every page is drawn with."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import redirect, render_template

from app.sandbox import policy
from app.sandbox.ledger import Ledger


def page(ledger: Ledger, template: str, **values: Any) -> str:
    """One of the templates, under the merchant's name."""
    return render_template(f"sandbox/{template}.html", merchant=policy.load(ledger).business_name, **values)


def notice(ledger: Ledger, title: str, text: str) -> str:
    """A page that only says something."""
    return page(ledger, "notice", title=title, text=text)


def safe(url: str | None) -> str | None:
    """A link target only if it leads to a web page."""
    return url if url and urlsplit(url).scheme in ("http", "https") else None


def back_to(url: str, **told: str) -> Any:
    """Send the payer where they came from, with what came of it in the address."""
    sign = "&" if urlsplit(url).query else "?"
    return redirect(f"{url}{sign}{urlencode(told)}" if told else url, 303)
