"""A segment as rows of a form: a field, how it is compared, and a text; one line for each thing that must be so.

What is nested deeper has no rows and is written as text instead (`to_rows` gives None). Refuses to judge what rows say:
that is the business of `segments`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.campaigns.problems import Problem
from app.campaigns.segments import AmountRange, Range, Rule
from app.campaigns.words import rule_key

Joint = Literal["all", "any"]
Sign = Literal["is", "is_not", "at_least", "at_most"]
SIGNS: tuple[Sign, ...] = ("is", "is_not", "at_least", "at_most")
WORDS = ("plan", "product", "interval", "currency", "country", "decline_class", "tag")
COUNTS = ("tenure_days", "failures_last_year")
AMOUNTS = ("amount", "lifetime_value")
FIELDS = (*WORDS, *COUNTS, *AMOUNTS, "metadata")


@dataclass(frozen=True)
class Row:
    """One line: `text` lists words or amounts by commas (`DE, AT`; `50 USD, 45 EUR`), or is `key = value | value`."""

    field: str
    sign: str
    text: str


class RowsInvalid(ValueError):
    """Rows that cannot be read; `problems` has the place of each, from 0."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


def to_rows(rule: Rule | None) -> tuple[Joint, list[Row]] | None:
    """How the rows of a segment are joined, and the rows; None where it has no such form."""
    if rule is None:
        return "all", []
    joint: Joint = "any" if rule.any else "all"
    rows: list[Row] = []
    for part in rule.parts() if rule.all or rule.any else (rule,):
        found = _rows_of(part, joint)
        if found is None:
            return None
        rows += found
    return joint, rows


def from_rows(joint: str, rows: Sequence[Row]) -> dict[str, Any] | None:
    """The segment that rows say, not yet checked; None where there are none. Raises `RowsInvalid`."""
    problems: list[Problem] = []
    parts = []
    for place, row in enumerate(rows):
        try:
            parts.append(_part(row))
        except ValueError as problem:
            problems.append(Problem((place,), str(problem)))
    if problems:
        raise RowsInvalid(problems)
    return {"any" if joint == "any" else "all": parts} if parts else None


def _part(row: Row) -> dict[str, Any]:
    if row.field not in FIELDS:
        raise ValueError("choose what is compared")
    if row.sign not in SIGNS:
        raise ValueError("choose how it is compared")
    if row.field in WORDS and row.sign not in ("is", "is_not"):
        raise ValueError("this is compared by “is” or “is not”; numbers alone are compared by size")
    part = {row.field: _value(row)}
    return {"none": [part]} if row.sign == "is_not" else part


def _value(row: Row) -> Any:
    if row.field in WORDS:
        return _listed(row.text)
    if row.field in COUNTS:
        return _ends(row.sign, _whole(row.text))
    if row.field in AMOUNTS:
        return {code: _ends(row.sign, amount) for code, amount in map(_amount, _listed(row.text))}
    key, _, values = row.text.partition("=")
    if not key.strip() or ("=" not in row.text and ":" in key):
        raise ValueError("write the key of the metadata, and its value after a =, as in tier = gold")
    return {key.strip(): [value.strip() for value in values.split("|") if value.strip()]}


def _ends(sign: str, value: Any) -> dict[str, Any]:
    if sign in ("is", "is_not"):
        return {"at_least": value, "at_most": value}
    return {sign: value}


def _listed(text: str) -> list[str]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise ValueError("write what it is compared with; several are parted by commas")
    return words


def _whole(text: str) -> int:
    if not (text.strip().isascii() and text.strip().isdigit() and len(text.strip()) < 9):
        raise ValueError("write a whole number, as in 90")
    return int(text)


def _amount(text: str) -> tuple[str, str]:
    number, _, code = text.replace("\N{NO-BREAK SPACE}", " ").strip().partition(" ")
    if not code or not number[:1].isdigit():
        raise ValueError("write a number and its currency, as in 50 USD; several are parted by commas")
    return code.strip().lower(), number


def _rows_of(rule: Rule, joint: Joint) -> list[Row] | None:
    if rule.none and len(rule.none) == 1 and not rule.none[0].parts():
        rows = _rows_of(rule.none[0], joint)
        if rows is None or len(rows) != 1 or rows[0].sign != "is":
            return None
        return [Row(rows[0].field, "is_not", rows[0].text)]
    if rule.parts():
        return None
    field = rule_key(rule)
    value = getattr(rule, field)
    if field in WORDS:
        return (
            None if any("," in word or word != word.strip() for word in value) else [Row(field, "is", ", ".join(value))]
        )
    if field in COUNTS:
        return _rows_of_ends(field, {"": value}, joint)
    if field in AMOUNTS:
        return _rows_of_ends(field, value, joint)
    return _rows_of_metadata(value)


def _rows_of_metadata(wanted: dict[str, tuple[str, ...]]) -> list[Row] | None:
    (key, values), *others = wanted.items()
    is_plain = not any(mark in text for text in (key, *values) for mark in "=|:") and not others
    return [Row("metadata", "is", f"{key} = {' | '.join(values)}" if values else key)] if is_plain else None


def _rows_of_ends(field: str, by_currency: dict[str, Any], joint: Joint) -> list[Row] | None:
    """A row for each end, if all currencies have the same ends; two rows only where both have to be true."""
    signs = {_signs(ends) for ends in by_currency.values()}
    if len(signs) != 1:
        return None
    (found,) = signs
    if len(found) > 1 and (joint == "any" or len(by_currency) > 1):
        return None
    return [Row(field, sign, _written(by_currency, sign)) for sign in found]


def _signs(ends: Range | AmountRange) -> tuple[str, ...]:
    if ends.at_least is not None and ends.at_least == ends.at_most:
        return ("is",)
    return tuple(name for name in ("at_least", "at_most") if getattr(ends, name) is not None)


def _written(by_currency: dict[str, Any], sign: str) -> str:
    return ", ".join(_one(code, ends, sign) for code, ends in by_currency.items())


def _one(code: str, ends: Any, sign: str) -> str:
    value = getattr(ends, "at_least" if sign == "is" else sign)
    return f"{value:f} {code.upper()}".strip() if code else str(value)


def place_of(path: Iterable[str | int]) -> int | None:
    """The row that a problem of the segment is about: the first place on its path."""
    return next((part for part in path if isinstance(part, int)), None)
