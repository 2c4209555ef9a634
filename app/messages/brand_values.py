"""What an organization may call itself and look like: the values of its branding, read from a form and checked.

Colours are not refused for being pale: mails and pages draw the button so that its writing reaches WCAG AA (4.5:1),
and `seen` says what that comes to. Refuses to know rows and pages.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.messages import web_addresses
from app.messages.addresses import is_address
from app.messages.web_addresses import AddressRefused, Resolve, check_public
from emails.colours import DARK_CARD, LIGHT_CARD, button_colours, contrast
from emails.facts import is_web_link
from emails.locales import languages
from emails.phrase import tidy

NAME_LIMIT, LINE_LIMIT = 60, 200
FIELDS = (
    "name sender_name sender_email reply_to support_email support_url website postal_address brand_color logo_url"
    " default_locale"
).split()

Values = dict[str, str | None]


@dataclass(frozen=True)
class ButtonSeen:
    """The button on one card: its fill, its writing, how they contrast (1 to 21), and whether we moved the fill."""

    card: str
    fill: str
    ink: str
    ratio: float
    is_moved: bool


def read(
    given: Mapping[str, str], before: Mapping[str, str | None], resolve: Resolve = web_addresses.resolve
) -> tuple[Values, dict[str, str]]:
    """The values that were given, empty ones as None, and a sentence for each that cannot be.

    The address of a logo is looked up in DNS only where it is another than before.
    """
    values: Values = {name: given.get(name, "").strip() or None for name in FIELDS}
    if values["brand_color"] and not values["brand_color"].startswith("#"):
        values["brand_color"] = f"#{values['brand_color']}"
    problems = {name: found for name, value in values.items() if (found := _CHECKS[name](value))}
    logo = values["logo_url"]
    if logo and logo != before.get("logo_url"):
        try:
            check_public(logo, resolve)
        except AddressRefused as problem:
            problems["logo_url"] = str(problem)
    return values, problems


def seen(brand: str | None) -> tuple[ButtonSeen, ButtonSeen]:
    """The button as it is drawn in this colour, on a light card and on a dark one."""
    colours = button_colours(brand)
    return (
        _seen(LIGHT_CARD, colours.fill, colours.ink, brand),
        _seen(DARK_CARD, colours.dark_fill, colours.dark_ink, brand),
    )


def _seen(card: str, fill: str, ink: str, brand: str | None) -> ButtonSeen:
    return ButtonSeen(card, fill, ink, round(contrast(fill, ink), 1), fill != _long(brand))


def _long(colour: str | None) -> str:
    digits = (colour or "").lower().removeprefix("#")
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def _name(value: str | None) -> str | None:
    return "Customers have to know who writes to them." if value is None else _line(NAME_LIMIT)(value)


def _line(limit: int) -> Callable[[str | None], str | None]:
    def check(value: str | None) -> str | None:
        if value and len(value) > limit:
            return f"{len(value)} characters; {limit} are the most that fit."
        return "Write it in one line, without control characters." if value and tidy(value, limit) != value else None

    return check


def _address(value: str | None) -> str | None:
    return None if value is None or is_address(value) else "This is no e-mail address."


def _website(value: str | None) -> str | None:
    is_fine = value is None or (value.startswith("https://") and is_web_link(value) and len(value) <= LINE_LIMIT)
    return None if is_fine else "Write the whole address, beginning with https://."


def _color(value: str | None) -> str | None:
    digits = (value or "").removeprefix("#")
    is_hex = len(digits) in (3, 6) and all(digit in "0123456789abcdefABCDEF" for digit in digits)
    return None if is_hex else "Write the colour as six digits behind a #, as in #0f766e."


def _locale(value: str | None) -> str | None:
    return None if value in languages() else "Choose one of the languages that mails are written in."


_CHECKS: dict[str, Callable[[str | None], str | None]] = {
    "name": _name,
    "sender_name": _line(NAME_LIMIT),
    "sender_email": _address,
    "reply_to": _address,
    "support_email": _address,
    "support_url": _website,
    "website": _website,
    "postal_address": _line(LINE_LIMIT),
    "brand_color": _color,
    "logo_url": lambda _value: None,
    "default_locale": _locale,
}
