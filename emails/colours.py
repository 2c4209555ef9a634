"""The operator's one brand colour, made safe to read: a button that can be seen on a white and on a dark card.

Contrast is WCAG 2.2's relative luminance ratio. The writing always reaches the 4.5:1 of 1.4.3. The fill need not reach
3:1 against the card, because a button with a readable label is known by its label (1.4.11), and a yellow brand should
stay yellow. Refuses to know anything but colours.
"""

import re
from dataclasses import dataclass

LIGHT_CARD = "#ffffff"
DARK_CARD = "#1c1e22"
_HEX = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")

Rgb = tuple[int, int, int]

DEFAULT_BRAND: Rgb = (43, 91, 215)

_PAPER: Rgb = (236, 238, 241)
_COAL: Rgb = (34, 38, 43)
# Channels closer together than this have no hue worth keeping.
_GREY = 24


@dataclass(frozen=True)
class ButtonColours:
    """Fill and writing of the button, on the light and on the dark card."""

    fill: str
    ink: str
    dark_fill: str
    dark_ink: str


def button_colours(brand: str | None) -> ButtonColours:
    """The colours of the button for a `#rgb` or `#rrggbb` brand colour; anything else gives the default."""
    wanted = _parse(brand) or DEFAULT_BRAND
    fill, dark = _visible_on(LIGHT_CARD, wanted), _visible_on(DARK_CARD, wanted)
    return ButtonColours(_write(fill), _ink_on(fill), _write(dark), _ink_on(dark))


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two `#rrggbb` colours, 1 to 21."""
    lights = sorted(_luminance(_parse(colour) or (0, 0, 0)) for colour in (one, other))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _visible_on(card: str, colour: Rgb) -> Rgb:
    """`colour` itself where it stands out from the card, else the nearest of its hue that does."""
    is_dark_card = contrast(card, LIGHT_CARD) > 4.5
    # The eye tells hues apart on white sooner than on near-black.
    enough = 2.0 if is_dark_card else 1.3
    if contrast(_write(colour), card) >= enough:
        return colour
    if max(colour) - min(colour) < _GREY:
        # A grey between black and white looks like a button that cannot be pressed.
        return _PAPER if is_dark_card else _COAL
    towards = (255, 255, 255) if is_dark_card else (0, 0, 0)
    steps = (_mix(colour, towards, step / 20) for step in range(1, 20))
    return next((mixed for mixed in steps if contrast(_write(mixed), card) >= enough), towards)


def _ink_on(fill: Rgb) -> str:
    white, black = "#ffffff", "#000000"
    return white if contrast(_write(fill), white) >= 4.5 else black


def _mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _parse(colour: str | None) -> Rgb | None:
    found = _HEX.fullmatch((colour or "").strip())
    if not found:
        return None
    digits = found[1] if len(found[1]) == 6 else "".join(digit * 2 for digit in found[1])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def _write(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _luminance(colour: Rgb) -> float:
    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(channel) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
