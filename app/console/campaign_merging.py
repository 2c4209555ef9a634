"""Two people at one section of a campaign: what one alone touched stands as they left it, what both touched is told.

Works on the values of form fields. Refuses to know what they mean and where versions are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.console.campaign_fields import Values

Spot = tuple[str, ...]  # a field, or ("messages", its name)


@dataclass(frozen=True)
class Merged:
    """A section's values with both people's changes, and what the other wrote where both wrote, by the field's id."""

    values: Values
    clashes: dict[str, str]


def merge(base: Values, theirs: Values, mine: Values) -> Merged:
    """`mine` was typed over `base`, and `theirs` was saved over it meanwhile. Where both differ, mine is kept."""
    before, saved, typed = _flat(base), _flat(theirs), _flat(mine)
    spots = list(dict.fromkeys((*typed, *saved, *before)))
    untouched = {spot for spot in spots if _same(typed.get(spot), before.get(spot))}
    found = {spot: saved.get(spot) if spot in untouched else typed.get(spot) for spot in spots}
    values = _built({spot: value for spot, value in found.items() if value is not None})
    clashing = [
        spot
        for spot in spots
        if spot not in untouched
        and not _same(saved.get(spot), before.get(spot))
        and not _same(saved.get(spot), typed.get(spot))
    ]
    return Merged(values, {_field(spot, values): _told(saved.get(spot)) for spot in clashing})


def _flat(values: Values) -> dict[Spot, Any]:
    flat: dict[Spot, Any] = {(name,): value for name, value in values.items() if name != "messages"}
    return flat | {("messages", message["key"]): message for message in values.get("messages", ())}


def _built(flat: Mapping[Spot, Any]) -> Values:
    plain = {spot[0]: value for spot, value in flat.items() if len(spot) == 1}
    return plain or {"messages": [value for spot, value in flat.items() if len(spot) > 1]}


def _same(one: Any, other: Any) -> bool:
    return bool(_plain(one) == _plain(other))


def _plain(value: Any) -> Any:
    """Without what a browser changes in a text that nobody touched."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _field(spot: Spot, values: Values) -> str:
    keys = [message["key"] for message in values.get("messages", ())]
    return f"messages-{keys.index(spot[1])}-key" if len(spot) > 1 and spot[1] in keys else spot[0]


def _told(saved: Any) -> str:
    """What they wrote, where that is short enough to be said."""
    if saved is None:
        return "taken out"
    return f"“{saved}”" if isinstance(saved, str) and saved and len(saved) <= 60 else "changed"
