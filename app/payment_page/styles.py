"""The page's one stylesheet, with the merchant's colour in it: one request, kept for a year, no inline style.

The colour and a hash of the sheet are in its name, so the answer never changes and needs no row.
"""

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from emails.colours import DEFAULT_BRAND, button_colours

HEX = re.compile(r"[0-9a-f]{3}|[0-9a-f]{6}")
_DEFAULT = "{:02x}{:02x}{:02x}".format(*DEFAULT_BRAND)
SHEET = Path(__file__).parent / "static" / "page.css"


def name_for(brand: str | None) -> tuple[str, str]:
    """The two parts of the stylesheet's name: a hash of the sheet, and `rrggbb`."""
    wanted = (brand or "").strip().removeprefix("#").lower()
    return _version(), wanted if HEX.fullmatch(wanted) else _DEFAULT


@lru_cache(maxsize=256)
def sheet_for(brand: str) -> str:
    """The stylesheet with the colours of `#rrggbb`, made readable on a light and on a dark page."""
    colours = button_colours(brand)
    return (
        f":root{{--fill:{colours.fill};--on-fill:{colours.ink};"
        f"--dark-fill:{colours.dark_fill};--dark-on-fill:{colours.dark_ink}}}\n{_sheet()}"
    )


@lru_cache
def _sheet() -> str:
    return SHEET.read_text(encoding="utf-8")


@lru_cache
def _version() -> str:
    return hashlib.sha256(_sheet().encode()).hexdigest()[:10]
