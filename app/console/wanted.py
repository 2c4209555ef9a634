"""What the address of a list asks for. One rule for all lists: what does not exist is left out, and the page says so.

So an old or mistyped link still shows something, and never passes for an answer to what was asked.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from flask import g, request

W = TypeVar("W", bound=StrEnum)
LONGEST = 60
FIRST = "showing the first page"


def notices() -> list[str]:
    """What was asked for in this request and cannot be had, in sentences for the page."""
    said: list[str] = g.setdefault("wanted_notices", [])
    return said


def words(name: str, known: type[W]) -> tuple[W, ...]:
    """Every word that the address gives as `name`."""
    given = list(dict.fromkeys(filter(None, request.args.getlist(name))))
    found = tuple(known(word) for word in given if word in list(known))
    unknown = [_quoted(word) for word in given if word not in list(known)]
    if unknown:
        rest = "showing the others" if found else "showing all"
        _say(f"Unknown {name} {', '.join(unknown)}; {rest}. There are: {', '.join(known)}.")
    return found


def word(name: str, known: type[W], otherwise: str = "showing all") -> W | None:
    """The one word that the address gives as `name`, None where it gives none that exists."""
    given = request.args.get(name, "")
    if given and given not in list(known):
        _say(f"Unknown {name} {_quoted(given)}; {otherwise}. There are: {', '.join(known)}.")
    return known(given) if given in list(known) else None


def page(last: int) -> int:
    """The number of the page asked for, from 1 to `last`."""
    given = request.args.get("page", "1")
    if not given.isascii() or not given.isdigit() or int(given[:LONGEST]) < 1:
        _say(f"{_quoted(given)} is no page of a list; {FIRST}.")
        return 1
    return min(int(given[:LONGEST]), last)


def day(name: str) -> date | None:
    """The day that the address gives as `name`."""
    given = request.args.get(name, "")
    if not given:
        return None
    try:
        return datetime.fromisoformat(given).date()
    except ValueError:
        _say(f"{name} {_quoted(given)} is not a day, write it like 2026-09-30; leaving it open.")
        return None


def _say(sentence: str) -> None:
    if sentence not in notices():
        notices().append(sentence)


def _quoted(given: str) -> str:
    return f"“{given[:LONGEST]}{'…' if len(given) > LONGEST else ''}”"
