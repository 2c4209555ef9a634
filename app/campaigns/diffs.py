"""What differs between two definitions, field by field, messages by their key and not by their place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.campaigns.definition import CampaignDefinition
from app.campaigns.words import say

_WHOLE = ("segment", "exclude")  # compared as sentences


@dataclass(frozen=True)
class Change:
    """One field that differs; None is what is not there."""

    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.field}: {plain(self.after)}"
        if self.after is None:
            return f"- {self.field}: {plain(self.before)}"
        return f"~ {self.field}: {plain(self.before)} → {plain(self.after)}"


def differences(before: CampaignDefinition, after: CampaignDefinition) -> list[Change]:
    """The fields in which `after` is not as `before`, in the order of the definition."""
    left, right = _flat(before), _flat(after)
    fields = [*right, *(field for field in left if field not in right)]
    return [Change(field, left.get(field), right.get(field)) for field in fields if left.get(field) != right.get(field)]


def plain(value: Any) -> str:
    """A value as it is written: a list in brackets, numbers without needless digits, yes and no in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(plain(each) for each in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {plain(each)}" for key, each in value.items() if each not in (None, [], {})) or "none"
    return str(value)


def _flat(definition: CampaignDefinition) -> dict[str, Any]:
    content = definition.model_dump(mode="json")
    messages = {message.pop("key"): message for message in content.pop("messages")}
    flat: dict[str, Any] = {
        field: say(getattr(definition, field)) if content.pop(field) is not None else None for field in _WHOLE
    }
    flat |= dict(_leaves("", content))
    if messages:
        flat["messages (order)"] = list(messages)
    for key, message in messages.items():
        flat[f"messages.{key}"] = {
            name: value for name, value in message.items() if name == "days" or value not in (None, [], 0, "failure")
        }
    return flat


def _leaves(prefix: str, content: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, dict) and name != "prices":
            yield from _leaves(f"{prefix}{name}.", value)
        else:
            yield f"{prefix}{name}", value or None if isinstance(value, dict | list) else value
