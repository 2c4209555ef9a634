"""Writes every mail in every language and state into a folder, as HTML and text and, where there is a Chromium, as
pictures on a phone and on a desk, light and dark. `index.html` shows them all: mails are to be looked at.

    make mails                                          # everything, into .recoup/mails
    python -m tools.mail_pictures --to FOLDER --language de --language ar --kind reminder
"""

import argparse
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

import emails
from emails.catalogue import languages
from emails.samples import samples

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTHS = {"phone": 390, "desk": 760}
SCHEMES = ("light", "dark")


@dataclass(frozen=True)
class Written:
    """One mail in the folder; `stem` is the name of its files without what they are."""

    language: str
    kind: str
    stem: str
    subject: str
    preheader: str


def main() -> None:
    """Write, picture, list."""
    asked = _arguments()
    folder: Path = asked.to
    folder.mkdir(parents=True, exist_ok=True)
    written = list(write(folder, asked.language or languages(), asked.kind or tuple(emails.kinds)))
    chromium = None if asked.no_pictures else find_chromium()
    if chromium:
        picture(folder, written, chromium)
    (folder / "index.html").write_text(index(written, has_pictures=bool(chromium)), encoding="utf-8")
    print(f"{len(written)} mails in {folder / 'index.html'}" + ("" if chromium else ", no pictures"))


def find_chromium() -> str | None:
    """`RECOUP_CHROMIUM`, or one on the path."""
    return os.environ.get("RECOUP_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def write(folder: Path, wanted: Iterable[str], kinds: Iterable[str]) -> Iterator[Written]:
    """The HTML and the text of every mail of these languages and kinds."""
    for language in wanted:
        for sample in samples(language):
            if sample.kind in kinds:
                mail = emails.render(sample.kind, sample.facts)
                stem = f"{sample.kind}.{sample.state}.{language}"
                (folder / f"{stem}.html").write_text(mail.html, encoding="utf-8")
                heading = f"{mail.subject}\n{mail.preheader}\n{'=' * 72}\n"
                (folder / f"{stem}.txt").write_text(heading + mail.text, encoding="utf-8")
                yield Written(language, sample.kind, stem, mail.subject, mail.preheader)


def picture(folder: Path, written: list[Written], chromium: str) -> None:
    """Four pictures of each mail."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for scheme in SCHEMES:
            for place, width in WIDTHS.items():
                _picture_all(folder, written, browser, scheme, place, width)
        browser.close()


def _picture_all(folder: Path, written: list[Written], browser: Browser, scheme: str, place: str, width: int) -> None:
    window = browser.new_context(viewport={"width": width, "height": 300})
    page = window.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for mail in written:
        page.goto((folder / f"{mail.stem}.html").resolve().as_uri())
        page.screenshot(path=folder / f"{mail.stem}.{place}.{scheme}.png", full_page=True)
    window.close()


def index(written: list[Written], has_pictures: bool) -> str:
    """One page with all of them."""
    parts = [_entry(mail, has_pictures) for mail in written]
    style = "body{font:15px sans-serif;margin:2rem}section{margin:0 0 3rem}img{height:420px;margin:0 .5rem .5rem 0}"
    return f'<!doctype html><meta charset="utf-8"><title>Mails</title><style>{style}</style>{"".join(parts)}'


def _entry(mail: Written, has_pictures: bool) -> str:
    names = [f"{mail.stem}.{place}.{scheme}.png" for scheme in SCHEMES for place in WIDTHS] if has_pictures else []
    pictures = "".join(f'<a href="{name}"><img src="{name}" loading="lazy" alt="{name}"></a>' for name in names)
    links = f'<a href="{mail.stem}.html">HTML</a> · <a href="{mail.stem}.txt">text</a>'
    said = f"<b dir=auto>{escape(mail.subject)}</b><br><span dir=auto>{escape(mail.preheader)}</span>"
    return f"<section><h2>{mail.stem}</h2><p>{said}<br>{links}</p>{pictures}</section>"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Every mail in every language and state, to be looked at.")
    parser.add_argument("--to", type=Path, default=Path(".recoup/mails"), help="the folder (.recoup/mails)")
    parser.add_argument("--language", action="append", choices=languages(), help="only this language; repeatable")
    parser.add_argument("--kind", action="append", choices=list(emails.kinds), help="only this kind; repeatable")
    parser.add_argument("--no-pictures", action="store_true", help="HTML and text alone")
    return parser.parse_args()


if __name__ == "__main__":
    main()
