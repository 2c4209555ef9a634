"""Typed reading of request parameters, which remembers what was read: Stripe refuses every name it does not know."""

from collections.abc import Iterator
from typing import Any

from app.sandbox.errors import StripeRefusal, bad_param, missing_param

_TRUE, _FALSE = {"true", "1"}, {"false", "0"}


class Params:
    """One level of decoded parameters. `where` is the bracketed name that leads here, for error messages."""

    def __init__(self, values: dict[str, Any], where: str = "") -> None:
        self._values = values
        self._where = where
        self._read: set[str] = {"expand"}
        self._children: list[Params] = []

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def name(self, key: str) -> str:
        """How the client wrote this parameter."""
        return f"{self._where}[{key}]" if self._where else key

    def raw(self, key: str) -> Any:
        """The decoded value as it came, or None."""
        self._read.add(key)
        return self._values.get(key)

    def ignore(self, *keys: str) -> None:
        """Accept names that Stripe knows and that change nothing here."""
        self._read.update(keys)

    def text(self, key: str) -> str | None:
        """A text, or None when absent or emptied."""
        value = self.raw(key)
        if value is not None and not isinstance(value, str):
            raise bad_param(self.name(key), f"Invalid string: {value}", "parameter_invalid_string")
        return value or None

    def required(self, key: str) -> str:
        """A text that must be there."""
        value = self.text(key)
        if value is None:
            raise missing_param(self.name(key))
        return value

    def choice(self, key: str, *allowed: str) -> str | None:
        """A text out of `allowed`, or None when absent."""
        value = self.text(key)
        if value is not None and value not in allowed:
            raise bad_param(
                self.name(key), f"Invalid {self.name(key)}: must be one of {', '.join(allowed)}", "parameter_unknown"
            )
        return value

    def integer(self, key: str) -> int | None:
        """A whole number, or None when absent or emptied."""
        value = self.text(key)
        if value is None:
            return None
        try:
            return int(value)
        except ValueError:
            raise bad_param(self.name(key), f"Invalid integer: {value}", "parameter_invalid_integer") from None

    def flag(self, key: str) -> bool | None:
        """A boolean, or None when absent."""
        value = self.text(key)
        if value is None:
            return None
        if value not in _TRUE | _FALSE:
            raise bad_param(self.name(key), f"Invalid boolean: {value}", "parameter_invalid_boolean")
        return value in _TRUE

    def child(self, key: str) -> "Params | None":
        """A nested level, or None when absent or emptied."""
        value = self.raw(key)
        if value in (None, ""):
            return None
        if not isinstance(value, dict):
            raise bad_param(self.name(key), "Invalid object", "parameter_invalid_object")
        return self._remember(Params(value, self.name(key)))

    def children(self, key: str) -> "list[Params]":
        """A list of nested levels; empty when absent."""
        value = self.raw(key)
        if value in (None, ""):
            return []
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise bad_param(self.name(key), "Invalid array", "parameter_invalid_array")
        return [self._remember(Params(entry, f"{self.name(key)}[{n}]")) for n, entry in enumerate(value)]

    def texts(self, key: str) -> list[str]:
        """A list of texts; empty when absent."""
        value = self.raw(key)
        if value in (None, ""):
            return []
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise bad_param(self.name(key), "Invalid array", "parameter_invalid_array")
        return list(value)

    def mapping(self, key: str) -> dict[str, str] | None:
        """A free mapping such as `metadata`; None when absent, all of it emptied by `""`."""
        value = self.raw(key)
        if value is None:
            return None
        return dict(value) if isinstance(value, dict) else {}

    def refuse_unknown(self) -> None:
        """Raise for the first name that nobody has read, as Stripe does for a misspelt parameter."""
        for name in self._unread():
            raise StripeRefusal(
                400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name, executed=False
            )

    def _remember(self, child: "Params") -> "Params":
        self._children.append(child)
        return child

    def _unread(self) -> Iterator[str]:
        yield from (self.name(key) for key in self._values if key not in self._read)
        for child in self._children:
            yield from child._unread()


def merged_metadata(current: dict[str, str], change: dict[str, str] | None) -> dict[str, str]:
    """Stripe merges metadata key by key; an empty value removes its key."""
    if change is None:
        return current
    return {key: value for key, value in {**current, **change}.items() if value != ""} if change else {}
