"""What is wrong with a campaign, as sentences for whoever wrote it: which field, and what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from app.campaigns.strict import Wrong

Path = tuple[str | int, ...]

_SAID = {
    "missing": "is missing; add it",
    "int_type": "has to be a whole number",
    "int_parsing": "has to be a whole number",
    "int_from_float": "has to be a whole number, without a fraction",
    "float_type": "has to be a number",
    "float_parsing": "has to be a number",
    "decimal_type": "has to be a number, as in 49.90",
    "decimal_parsing": "has to be a number, as in 49.90",
    "finite_number": "has to be a number",
    "bool_type": "has to be true or false",
    "bool_parsing": "has to be true or false",
    "string_type": "has to be text",
    "tuple_type": "has to be a list",
    "dict_type": "has to be a mapping, `key: value`",
    "model_type": "has to be a mapping, `key: value`",
    "time_parsing": "has to be a time of day, as in 21:00",
    "time_type": "has to be a time of day, as in 21:00",
    "string_too_short": "must not be empty",
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where (keys and places from the top), and a sentence without a subject."""

    path: Path
    text: str

    @property
    def where(self) -> str:
        """The field, as people write it: `messages[2].days`."""
        return field_name(self.path)

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.path else self.text


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Everything that pydantic found, in our words."""
    return [problem for found in error.errors(include_url=False) for problem in _problems(found, model)]


def field_name(path: Iterable[str | int]) -> str:
    """A path as one word: keys by dots, places (from 1, as people count) in brackets."""
    written = ""
    for part in path:
        written += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if written else part
    return written


def _problems(found: Any, model: type[BaseModel]) -> list[Problem]:
    wrong = found.get("ctx", {}).get("error")
    if isinstance(wrong, Wrong):
        return [Problem((*found["loc"], *path), text) for path, text in wrong.problems]
    return [_problem(found, model)]


def _problem(found: Any, model: type[BaseModel]) -> Problem:
    path, kind, context = tuple(found["loc"]), found["type"], found.get("ctx", {})
    if kind == "value_error":
        return Problem(path, str(context["error"]))
    if kind == "extra_forbidden":
        return Problem(path, f"there is no such field{_meant(path, model)}; take it out, or look at its spelling")
    if kind in ("literal_error", "enum"):
        return Problem(path, f"{found['input']!r} is not known; choose {context['expected']}")
    if kind == "string_pattern_mismatch":
        signs = "digits, - and _, 32" if "variants" in path else "digits and underscores, 40"
        return Problem(path, f"{found['input']!r} will not do; use small letters, {signs} at most")
    return Problem(path, _SAID.get(kind) or _limit(kind, context) or f"will not do: {found['msg']}")


def _limit(kind: str, context: Mapping[str, Any]) -> str | None:
    words = {
        "greater_than": ("gt", "has to be more than"),
        "greater_than_equal": ("ge", "has to be at least"),
        "less_than": ("lt", "has to be less than"),
        "less_than_equal": ("le", "has to be at most"),
        "too_long": ("max_length", "has too many entries; the most is"),
        "string_too_long": ("max_length", "is too long; the most characters are"),
    }
    if kind not in words:
        return None
    key, text = words[kind]
    return f"{text} {context[key]:g}" if isinstance(context[key], float) else f"{text} {context[key]}"


def _meant(path: Path, model: type[BaseModel]) -> str:
    known = _fields_at(path[:-1], model)
    close = get_close_matches(str(path[-1]), known, n=1, cutoff=0.6)
    if close:
        return f" (did you mean {close[0]}?)"
    return f"; there are {', '.join(known)}" if known else ""


def _fields_at(path: Path, model: type[BaseModel]) -> list[str]:
    """The fields of what stands at `path`, found by walking the models; empty where that leads outside of them."""
    here: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int) or here is None:
            continue
        field = here.model_fields.get(part)
        here = _model_in(field.annotation) if field else None
    return list(here.model_fields) if here else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found:
            return found
    return None
