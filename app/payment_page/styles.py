"""The page's one stylesheet, with the merchant's colour in it, inside the page: one request is the whole first view.

The content security policy names the sheet by its hash, so that no other inline style is let in.
"""

import base64
import hashlib
import re
from functools import lru_cache
from pathlib import Path

from flask import g
from markupsafe import Markup

from emails.colours import DEFAULT_BRAND, button_colours

SHEET = Path(__file__).parent / "static" / "page.css"
_HEX = re.compile(r"[0-9a-f]{3}|[0-9a-f]{6}")
_DEFAULT = "{:02x}{:02x}{:02x}".format(*DEFAULT_BRAND)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def inline(brand: str | None) -> Markup:
    """The style element in the merchant's colour, for the head of a page; `source` then lets it in."""
    sheet = sheet_for(brand)
    g.pay_sheet = sheet
    return Markup("<style>{}</style>").format(Markup(sheet))  # noqa: S704  ours, and a colour of hex digits


def source() -> str:
    """What this response's policy lets in as style: the sheet that was put into it, and nothing else inline."""
    sheet: str | None = g.get("pay_sheet")
    return f"'self' '{_hash(sheet)}'" if sheet else "'self'"


@lru_cache(maxsize=256)
def sheet_for(brand: str | None) -> str:
    """The stylesheet with the colours of `#rrggbb` (ours where it is none), readable on light and on dark."""
    wanted = (brand or "").strip().removeprefix("#").lower()
    colours = button_colours(f"#{wanted if _HEX.fullmatch(wanted) else _DEFAULT}")
    return (
        f":root{{--fill:{colours.fill};--on-fill:{colours.ink};"
        f"--dark-fill:{colours.dark_fill};--dark-on-fill:{colours.dark_ink}}}\n{_sheet()}"
    )


@lru_cache(maxsize=256)
def _hash(sheet: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()


@lru_cache
def _sheet() -> str:
    return _COMMENT.sub("", SHEET.read_text(encoding="utf-8")).strip()
