"""Reads `parameters.toml`, once. The tables are plain mappings; a name that is missing there is a mistake of ours."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("parameters.toml")


class UnknownSegment(LookupError):
    """No such segment in the table; the text names those that there are."""


@cache
def table(name: str) -> dict[str, Any]:
    """One of the tables that hold for every segment."""
    found: dict[str, Any] = _read()[name]
    return found


@cache
def segment(name: str) -> dict[str, Any]:
    """A segment's parameters; raises `UnknownSegment`."""
    found = _read()["segments"].get(name)
    if found is None:
        raise UnknownSegment(f"{name!r} is no segment; there are {', '.join(segments())}")
    return dict(found)


def segments() -> dict[str, str]:
    """Every segment's name, and who they are."""
    return {name: entry["title"] for name, entry in _read()["segments"].items()}


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text())
