"""One piece of text in its two dresses: plain for the text part, escaped HTML for the other.

Knows the single bit of markup that catalogues may use, `**strong**`. Refuses to know languages.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from emails import placeholders

_STRONG = re.compile(r"\*\*(.+?)\*\*")
_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Co", "Cs"}
# Joiners are Cf as well, and Persian names and emoji need them.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True)
class Phrase:
    text: str
    html: Markup


def tidy(value: str, limit: int = 200) -> str:
    """`value` on one line: no control or direction-changing characters, blanks collapsed, cut at `limit` characters."""
    kept = (" " if unicodedata.category(c) in _HIDDEN and c not in _JOINERS else c for c in value)
    line = " ".join("".join(kept).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def literal(text: str) -> Phrase:
    """A text we made ourselves (a date, an amount) exactly as it is, narrow blanks included."""
    return Phrase(text, escape(text))


def plain(value: str) -> Phrase:
    """A value from outside as a phrase: tidied, and escaped in the HTML."""
    return literal(tidy(value))


def opening(phrase: Phrase) -> Phrase:
    """A text without markup at the beginning of a line, where weekdays have a capital in every language."""
    return literal(phrase.text[:1].upper() + phrase.text[1:])


def link(label: str, address: str) -> Phrase:
    """A link that reads as `label` in both dresses."""
    return Phrase(label, Markup('<a href="{}" class="quiet">{}</a>').format(address, label))


def web_link(address: str) -> Phrase:
    """A link to a web page: its whole address in plain text, and there what stands behind the scheme in the HTML."""
    label = address.partition("://")[2].rstrip("/")
    return Phrase(address, Markup('<a href="{}" class="quiet">{}</a>').format(address, label))


def compose(template: str, values: Mapping[str, Phrase]) -> Phrase:
    """A catalogue text with its values. Strong marks are read from the template alone, never from a value."""
    text = placeholders.fill(_STRONG.sub(r"\1", template), {name: value.text for name, value in values.items()})
    dressed = _STRONG.sub(r"<strong>\1</strong>", str(escape(template)))
    html = placeholders.fill(dressed, {name: str(value.html) for name, value in values.items()})
    return Phrase(text, Markup(html))  # noqa: S704  template and values were escaped one by one above
