"""Decodes Stripe's form bodies: `items[0][price]=price_1` becomes nested mappings and lists of text.

It knows no parameter names and no types.
"""

import re
from collections.abc import Iterable
from typing import Any

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def decode(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Nest `pairs` by their bracketed names.

    Digits as indices and empty brackets make lists, everything else mappings. A name whose brackets do not close is
    kept as it stands, so that it is refused later as an unknown parameter.
    """
    root: dict[str, Any] = {}
    for name, value in pairs:
        _place(root, _path(name), value)
    return {name: _with_lists(value) for name, value in root.items()}


def _path(name: str) -> list[str]:
    match = _KEY.match(name)
    if match is None:
        return [name]
    return [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]


def _place(node: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        key = part or str(len(node))
        following = node.get(key)
        if not isinstance(following, dict):
            following = node[key] = {}
        node = following
    node[path[-1] or str(len(node))] = value


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_with_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _with_lists(value) for key, value in node.items()}


def from_json(body: Any) -> dict[str, Any]:
    """A JSON object as if it had come as a form: numbers and booleans become text, null becomes the empty text."""
    return {str(name): _as_text(value) for name, value in body.items()} if isinstance(body, dict) else {}


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return from_json(value)
    if isinstance(value, list):
        return [_as_text(entry) for entry in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
