"""The texts of one mail as the fields of a form: what stands in each, what ours says, what it may say, what is wrong.

A field that was not touched changes nothing, so that two people at one mail do not undo each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.console import mail_words
from app.messages.wording import Texts, find_problems, home_of, keys_of, said_otherwise
from emails.samples import Sample, texts_in
from emails.wording import allowed, ours, required, split_key

TEXT, WAS = "text:", "was:"
MEANWHILE = "Somebody changed this text while you wrote. It says now: “{now}”. Save again to say yours instead."


@dataclass(frozen=True)
class TextField:
    """One text. `was` is what stood in the field when the form was made, `ours` our own texts, the fullest first."""

    key: str
    name: str
    shown: str
    was: str
    ours: tuple[str, ...]
    otherwise: str
    may: tuple[str, ...]
    must: tuple[str, ...]
    is_own: bool
    is_shared: bool
    problems: tuple[str, ...] = ()


@dataclass
class Sent:
    """What a form brought: each text, what it was, and a sentence on each that is wrong."""

    texts: dict[str, str] = field(default_factory=dict)
    was: dict[str, str] = field(default_factory=dict)
    problems: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def changed(self) -> dict[str, str]:
        """The texts that somebody touched."""
        return {key: text for key, text in self.texts.items() if text != self.was.get(key)}


def read(form: Mapping[str, str], language: str, stored: Texts) -> Sent:
    """What was sent, checked against what may be said and against what stands now."""
    sent = Sent(
        {name.removeprefix(TEXT): _one_line(text) for name, text in form.items() if name.startswith(TEXT)},
        {name.removeprefix(WAS): text for name, text in form.items() if name.startswith(WAS)},
    )
    for key, text in sent.changed.items():
        found = find_problems(language, key, text) if text else ()
        now = stored.get(key) or said_otherwise(language, key, stored)
        if not found and now is not None and now != sent.was.get(key) and now != text:
            found = (MEANWHILE.format(now=now),)
        if found:
            sent.problems[key] = found
    return sent


def wording_with(sent: Sent, stored: Texts) -> dict[str, str]:
    """The texts as they would be said with what was sent; an emptied one is not there."""
    return {key: text for key, text in {**stored, **sent.changed}.items() if text}


def fields_of(sample: Sample, language: str, variant: str | None, stored: Texts, sent: Sent) -> list[TextField]:
    """The fields for one mail in one state, in the order in which they are said; then those that were touched in
    another state."""
    keys = keys_of(language, texts_in(sample), variant)
    others = tuple(key for key in sent.changed if key not in keys)
    return [made for key in (*keys, *others) if (made := _field(key, language, stored, sent))]


def _field(key: str, language: str, stored: Texts, sent: Sent) -> TextField | None:
    otherwise = said_otherwise(language, key, stored)
    if otherwise is None:
        return None
    plain = (split_key(key) or (key, None))[0]
    stands = stored.get(key) or otherwise
    touched = sent.changed
    return TextField(
        key=key,
        name=mail_words.part(plain),
        shown=touched.get(key, stands),
        was=stands if key not in sent.problems else _was(key, stands, sent),
        ours=ours(language, plain),
        otherwise=otherwise,
        may=tuple(sorted(allowed(language, plain))),
        must=tuple(sorted(required(language, plain))),
        is_own=key in stored,
        is_shared=home_of(key) is None,
        problems=sent.problems.get(key) or (find_problems(language, key, stored[key]) if key in stored else ()),
    )


def _was(key: str, stands: str, sent: Sent) -> str:
    """After a clash the field is based on what stands now, which has been told; else on what it was based on."""
    is_clash = sent.problems[key] == (MEANWHILE.format(now=stands),)
    return stands if is_clash else sent.was.get(key, stands)


def _one_line(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", " ").strip()
