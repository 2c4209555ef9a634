"""The one way to put values into texts: `{name}` from an allow-list, and nothing else.

No expressions, no attribute access, no format specs. It serves our own catalogues and the texts operators write; it
refuses to know what the names mean.
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from app.errors import RecoupError

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


class BrokenPlaceholder(RecoupError):
    """A brace that does not belong to a `{name}`."""


class UnknownPlaceholder(RecoupError):
    """A `{name}` that is not on the allow-list."""


@lru_cache(maxsize=4096)
def names_in(template: str) -> frozenset[str]:
    """The placeholder names of `template`. Raises BrokenPlaceholder for any other brace, with its position."""
    rest = _PLACEHOLDER.sub(lambda found: " " * len(found[0]), template)
    stray = re.search(r"[{}]", rest)
    if stray:
        raise BrokenPlaceholder(
            f"the brace at position {stray.start() + 1} belongs to no placeholder; placeholders look like {{amount}}"
        )
    return frozenset(_PLACEHOLDER.findall(template))


def check(template: str, allowed: Collection[str]) -> None:
    """Refuse a template that cannot be filled. Raises BrokenPlaceholder or UnknownPlaceholder, naming what is wrong."""
    unknown = sorted(names_in(template).difference(allowed))
    if unknown:
        listed = ", ".join(f"{{{name}}}" for name in unknown)
        known = ", ".join(f"{{{name}}}" for name in sorted(allowed)) or "none"
        raise UnknownPlaceholder(f"unknown placeholder {listed}; this text may use {known}")


def fill(template: str, values: Mapping[str, str]) -> str:
    """`template` with every `{name}` replaced once; braces inside values stay as they are. Raises as `check` does."""
    check(template, values.keys())
    return _PLACEHOLDER.sub(lambda found: values[found[1]], template)
