"""Lays a letter out, twice: as HTML through our one MJML template, and as plain text that reads as well.

The template is compiled by MJML and Jinja once a process. Knows no mail and no sentence.
"""

import textwrap
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import mrml
from jinja2 import Environment, StrictUndefined, Template

from emails import parts
from emails.colours import DARK_CARD, button_colours
from emails.facts import is_web_link
from emails.letter import Letter, Line, Voice
from emails.phrase import Phrase, literal, tidy
from emails.values import NAME_LIMIT

TEMPLATE = Path(__file__).parent / "templates" / "letter.mjml"
TEXT_WIDTH = 72
# After the preheader, mail programs fill their preview with whatever text comes next. Joiners keep it empty.
_PREHEADER_PAD = "\u034f\u200c\u00a0" * 60


@dataclass(frozen=True)
class RenderedMail:
    """A mail ready for a sender: `subject` is one line, `preheader` is already hidden in `html`, `language` is BCP 47.

    `left_out` are the keys of the operator's own texts that were refused, so that ours were said.
    """

    subject: str
    preheader: str
    text: str
    html: str
    language: str
    left_out: tuple[str, ...] = ()


def lay_out(letter: Letter, voice: Voice) -> RenderedMail:
    """Both parts of the mail."""
    return RenderedMail(
        subject=letter.subject.text,
        preheader=letter.preheader.text,
        text=_text(letter, voice),
        html=_html(letter, voice),
        language=voice.catalogue.language,
        left_out=tuple(dict.fromkeys(voice.own.left_out)),
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    # MJML links Google's fonts for each family it knows there (Roboto, Lato, …), so the template names none of them.
    compiled = mrml.to_html(TEMPLATE.read_text(encoding="utf-8")).content
    return Environment(autoescape=True, undefined=StrictUndefined).from_string(compiled)


def _html(letter: Letter, voice: Voice) -> str:
    merchant = voice.facts.merchant
    return _template().render(
        letter=letter,
        merchant_name=tidy(merchant.name, NAME_LIMIT),
        logo_url=merchant.logo_url if is_web_link(merchant.logo_url) else None,
        website=merchant.website if is_web_link(merchant.website) else None,
        postal_address=tidy(merchant.postal_address or ""),
        why=parts.footer(voice),
        unsubscribe=parts.unsubscribe(voice),
        steps_title=voice.say("steps.title"),
        button=button_colours(merchant.brand_color),
        dark_card=DARK_CARD,
        pad=_PREHEADER_PAD,
        lang=voice.catalogue.language,
        dir="rtl" if voice.is_rtl else "ltr",
        start="right" if voice.is_rtl else "left",
        end="left" if voice.is_rtl else "right",
    )


def _text(letter: Letter, voice: Voice) -> str:
    blocks = [_wrap(voice, paragraph.text) for paragraph in letter.paragraphs]
    blocks.append(_panel(letter, voice))
    if letter.button:
        note = [_wrap(voice, letter.button_note.text)] if letter.button_note else []
        blocks += ["\n".join([voice.pair(letter.button.label, literal("")), letter.button.url]), *note]
    if letter.steps:
        steps = [_wrap(voice, f"- {voice.pair(step.label, step.value)}", "  ") for step in letter.steps]
        blocks.append("\n".join([voice.say("steps.title").text, *steps]))
    blocks += [_wrap(voice, paragraph.text) for paragraph in letter.closing]
    blocks.append(_signature(voice))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _panel(letter: Letter, voice: Voice) -> str:
    listed = [voice.pair(_titled(line), line.amount) for line in letter.lines]
    listed += [letter.more_lines.text] if letter.more_lines else []
    listed += [voice.pair(row.label, row.value) for row in letter.rows]
    return "\n".join(f"  {line}" for line in listed)


def _titled(line: Line) -> Phrase:
    return literal(f"{line.title.text} ({line.detail.text})") if line.detail else line.title


def _signature(voice: Voice) -> str:
    merchant = voice.facts.merchant
    website = merchant.website if is_web_link(merchant.website) else ""
    known = [tidy(merchant.name, NAME_LIMIT), tidy(merchant.postal_address or ""), website or ""]
    lines = ["--", *(line for line in known if line), "", _wrap(voice, parts.footer(voice).text)]
    if voice.facts.unsubscribe_url:
        lines.append(f"{voice.pair(voice.say('footer.unsubscribe'), literal(''))} {voice.facts.unsubscribe_url}")
    return "\n".join(lines)


def _wrap(voice: Voice, text: str, indent: str = "") -> str:
    if voice.is_wide:
        # Between words there is no blank to break at; the reader's own program breaks these lines well.
        return text
    return textwrap.fill(text, TEXT_WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
