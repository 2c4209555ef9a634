"""An organization's own texts for mails: read for a mail, changed with all checks, and told where one has gone bad.

Every change is written to the audit with what stood before, so that it can be taken back. What a text may say is the
business of `emails.wording`; who may change one is not asked here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

import emails
from app.db import prepared
from app.errors import RecoupError
from app.models import AuditEntry, MailWording, Organization
from emails.locales import FALLBACK, language_of, languages
from emails.samples import texts_of
from emails.wording import BrokenWording, editable, ours, problems, split_key, variant_key

CHANGED = "mail_texts.changed"
MOST_TEXTS = 2000

Texts = Mapping[str, str]
Wanted = Mapping[str, Mapping[str, str | None]]


class WordingRefused(RecoupError):
    """Texts that cannot be said in a mail, so that none of them was saved. `problems` are sentences by language and
    key."""

    def __init__(self, found: Mapping[tuple[str, str], tuple[str, ...]]) -> None:
        told = "\n".join(f"{language} {key}: {' '.join(texts)}" for (language, key), texts in found.items())
        super().__init__(f"nothing was changed, because these texts cannot be said:\n{told}")
        self.problems = found


class TooManyTexts(RecoupError):
    """More texts than any mail could say; something writes them that should not."""


@dataclass(frozen=True)
class Author:
    """Who changes a text, by the name that is shown; `user_id` is None for a command."""

    name: str
    user_id: UUID | None = None


@dataclass(frozen=True)
class BadText:
    """A stored text that is not said, and why."""

    language: str
    key: str
    text: str
    problems: tuple[str, ...]


def own_texts(session: Session, locale: str) -> dict[str, str]:
    """The organization's texts by key for mails in a BCP 47 `locale`, variants among them."""
    language = language_of(locale) or FALLBACK
    return {row.key: row.text for row in session.execute(*_texts(language))}


@prepared
def _texts(language: str) -> Select[str, str]:
    return select(MailWording.key, MailWording.text).where(MailWording.language == language)


def all_texts(session: Session) -> dict[str, dict[str, str]]:
    """Every text of the organization by language and key, in the order of the catalogue."""
    found: dict[str, dict[str, str]] = {}
    for row in session.scalars(select(MailWording).order_by(MailWording.language, MailWording.key)):
        found.setdefault(row.language, {})[row.key] = row.text
    return {language: dict(sorted(texts.items(), key=_place)) for language, texts in found.items()}


def said_otherwise(language: str, key: str, texts: Texts) -> str | None:
    """What is said where `key` has no text of its own in `texts`: for a variant the common one, else ours.

    None for a key that does not exist.
    """
    plain, variant = split_key(key) or (key, None)
    common = texts.get(plain) if variant else None
    if common is not None and not problems(language, plain, common):
        return common
    try:
        return ours(language, plain)[0]
    except BrokenWording:
        return None


def change(session: Session, wanted: Wanted, by: Author, now: datetime, why: str = "changed") -> int:
    """Set texts by language and key, all or none; how many differ now from what stood.

    None, an empty text, or one that would be said anyway takes the organization's own away.
    Raises `WordingRefused` and `TooManyTexts`.
    """
    session.execute(select(Organization.id).with_for_update(key_share=True))  # one change at a time
    refused = _refused(wanted)
    if refused:
        raise WordingRefused(refused)
    deed = _Deed(by, now, why)
    return sum(_change(session, language, texts, deed) for language, texts in wanted.items())


def bad_texts(session: Session) -> list[BadText]:
    """The stored texts that no mail says any more, because a catalogue has changed or a row was broken by hand."""
    found = []
    for row in session.scalars(select(MailWording).order_by(MailWording.language, MailWording.key)):
        wrong = find_problems(row.language, row.key, row.text)
        if wrong:
            found.append(BadText(row.language, row.key, row.text, wrong))
    return found


def find_problems(language: str, key: str, text: str) -> tuple[str, ...]:
    """Everything that is wrong with a text, in sentences; also where its language is none of ours."""
    if language not in languages():
        return (f"Mails are not written in {language}; the languages are {', '.join(languages())}.",)
    return problems(language, key, text)


@lru_cache(maxsize=4096)
def kinds_saying(key: str) -> tuple[str, ...]:
    """The kinds of mail that say the text of `key`, a variant's and a plural form's too."""
    plain = (split_key(key) or (key, None))[0]
    stems = {plain, plain.rpartition(".")[0]}
    return tuple(kind for kind in emails.kinds if stems.intersection(texts_of(kind)))


def home_of(key: str) -> str | None:
    """The kind of mail that the text of `key` was written for; None for one that mails of every kind share."""
    first = (split_key(key) or (key, None))[0].partition(".")[0]
    return first if first in emails.kinds else None


def keys_of(language: str, stems: tuple[str, ...], variant: str | None = None) -> tuple[str, ...]:
    """The editable keys behind `stems`, with the plural forms of the language, each as the variant's where one is
    named."""
    known = editable(language)
    found = [key for stem in stems for key in known if key == stem or key.rpartition(".")[0] == stem]
    chosen = dict.fromkeys(key for key in found if key in stems or key.rpartition(".")[0] not in known)
    return tuple(variant_key(key, variant) if variant else key for key in chosen)


def _refused(wanted: Wanted) -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (language, key): wrong
        for language, texts in wanted.items()
        for key, text in texts.items()
        if text and text.strip() and (wrong := find_problems(language, key, text))
    }


@dataclass(frozen=True)
class _Deed:
    by: Author
    now: datetime
    why: str


def _change(session: Session, language: str, wanted: Mapping[str, str | None], deed: _Deed) -> int:
    rows = {row.key: row for row in session.scalars(select(MailWording).where(MailWording.language == language))}
    before = {key: row.text for key, row in rows.items()}
    after = _afterwards(language, before, wanted)
    changes = {
        key: {"before": before.get(key), "after": after.get(key)} for key in wanted if before.get(key) != after.get(key)
    }
    for key in changes:
        _write(session, rows.get(key), language, key, after.get(key), deed)
    if changes:
        _note(session, language, changes, deed)
    return len(changes)


def _afterwards(language: str, before: Texts, wanted: Mapping[str, str | None]) -> dict[str, str]:
    given = {key: (text or "").strip() for key, text in wanted.items()}
    after = {key: text for key, text in {**before, **given}.items() if text}
    for key in given:
        if key in after and after[key] == said_otherwise(language, key, after):
            del after[key]
    if len(after) > MOST_TEXTS:
        raise TooManyTexts(f"there are {len(after)} texts in {language} then; {MOST_TEXTS} are the most")
    return after


def _write(session: Session, row: MailWording | None, language: str, key: str, text: str | None, deed: _Deed) -> None:
    if text is None:
        session.delete(row)
        return
    if row is None:
        row = MailWording(organization_id=session.info["organization_id"], language=language, key=key)
        session.add(row)
    row.text, row.changed_at, row.changed_by = text, deed.now, deed.by.name


def _note(session: Session, language: str, changes: Mapping[str, Mapping[str, str | None]], deed: _Deed) -> None:
    kinds = sorted({kind for key in changes for kind in kinds_saying(key)})
    session.add(
        AuditEntry(
            organization_id=session.info["organization_id"],
            actor=deed.by.name,
            user_id=deed.by.user_id,
            action=CHANGED,
            subject=f"mails in {language}",
            happened_at=deed.now,
            data={"language": language, "kinds": kinds, "texts": dict(changes), "why": deed.why},
        )
    )


def _place(text: tuple[str, str]) -> tuple[int, str]:
    key = text[0]
    plain = (split_key(key) or (key, None))[0]
    order = editable(FALLBACK)
    return (order.index(plain) if plain in order else len(order), key)
