"""Everything that is wrong with a file of campaigns at once: also how parts go together while single ones are wrong.

What is checked between fields is not looked at while one of them cannot be read. So whatever is wrong is put aside,
with something harmless in its place, and the rest is looked at again. Refuses to know what is right.
"""

from copy import deepcopy
from typing import Any

from pydantic import BaseModel, ValidationError

from app.campaigns.problems import Path, Problem, problems_of

MOST_LOOKS = 5
_SEGMENT = {"none": [{"tag": "nobody"}]}


def every_problem(content: Any, model: type[BaseModel]) -> list[Problem]:
    """What is wrong with the content of a file, each thing once; empty where nothing is."""
    told: dict[Problem, None] = {}
    for _ in range(MOST_LOOKS):
        try:
            model.model_validate(content)
            break
        except ValidationError as error:
            found = [problem for problem in problems_of(error, model) if not _is_told(problem, told)]
        if not found:
            break
        told |= dict.fromkeys(found)
        content = deepcopy(content)
        for problem in found:
            _put_aside(content, problem.path)
    return list(told)


def _is_told(problem: Problem, told: dict[Problem, None]) -> bool:
    """Whether it has been said, of this very thing or of what it is part of."""
    return any(problem == one or problem.path[: len(one.path)] == one.path != () for one in told)


def _put_aside(content: Any, path: Path) -> None:
    """Make what stands at `path` harmless, as far as it has a place among campaigns."""
    entries = content.get("campaigns")
    if path[:1] != ("campaigns",):
        content.pop(path[0], None) if path else None
    elif len(path) > 1 and isinstance(entries, list) and isinstance(path[1], int):
        entry = entries[path[1]]
        if len(path) == 2 or not isinstance(entry, dict):
            entries[path[1]] = _entry(entry, path[1])
        else:
            _put_field_aside(entry, path[1], path[2:])


def _entry(entry: Any, place: int) -> dict[str, Any]:
    """A campaign that says nothing but what others may be held against."""
    known = entry if isinstance(entry, dict) else {}
    slug, default = known.get("slug"), known.get("default")
    named = {"slug": slug if isinstance(slug, str) else f"aside-{place}", "name": "Aside", "segment": _SEGMENT}
    return named | ({"default": default} if isinstance(default, bool) else {})


def _put_field_aside(entry: dict[str, Any], place: int, path: Path) -> None:
    field = path[0]
    messages = entry.get("messages")
    if field == "messages" and len(path) > 1 and isinstance(messages, list) and isinstance(path[1], int):
        message = messages[path[1]]
        key = message.get("key") if isinstance(message, dict) else None
        is_key_wrong = not isinstance(key, str) or path[2:] == ("key",)
        harmless = f"aside_{path[1]}" if is_key_wrong else key
        messages[path[1]] = {"key": harmless, "kind": "reminder", "days": 0}
    elif field in ("slug", "name", "segment"):
        entry[str(field)] = {"slug": f"aside-{place}", "name": "Aside", "segment": _SEGMENT}[str(field)]
    else:
        entry.pop(str(field), None)
        if field == "default":  # the default may do without a segment
            entry.setdefault("segment", _SEGMENT)
