"""What was typed into a section of a campaign's form, read back: the values again, the definition, or what is wrong.

Nothing that was typed is lost: a form that is refused is shown as it was sent, with a sentence at each field to mend.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from app.campaigns.definition import CampaignDefinition
from app.campaigns.files import CampaignFileInvalid, read_value
from app.campaigns.problems import Path, Problem, problems_of
from app.campaigns.rows import Row, RowsInvalid, from_rows, place_of
from app.console.campaign_fields import EVENTS, OFFER_DEBTS, TICKS, Values

Form = MultiDict[str, str]
MOST_ROWS, LONGEST = 60, 4000


@dataclass
class Filled:
    """A form as it was sent: its values, the definition they make, and a sentence for each field that is wrong."""

    values: Values
    definition: CampaignDefinition | None = None
    errors: dict[str, str] = field(default_factory=dict)


def read(section: str, form: Form) -> Values:
    """What was typed into a section's form."""
    return _READ[section](form)


def understand(section: str, values: Values, before: CampaignDefinition) -> Filled:
    """What a section's values say, put into the definition that was there before."""
    filled = Filled(values)
    content = before.model_dump(mode="json")
    content |= _CONTENT[section](values, content, filled.errors)
    try:
        definition = CampaignDefinition.model_validate(content)
    except ValidationError as error:
        problems = problems_of(error, CampaignDefinition)
        for problem in problems if not filled.errors else [each for each in problems if each.path]:
            filled.errors.setdefault(_FIELD[section](_sent_path(values, problem.path)), _sentence(problem))
    else:
        filled.definition = None if filled.errors else definition
    return filled


def _sent_path(values: Values, path: Path) -> Path:
    """The path among the rows that were sent: those that are to go are not in the definition."""
    if "messages" not in values or path[:1] != ("messages",) or len(path) < 2 or not isinstance(path[1], int):
        return path
    kept = [place for place, message in enumerate(values["messages"]) if not message["gone"]]
    return (path[0], kept[path[1]], *path[2:])


def _sentence(problem: Problem) -> str:
    return problem.text[:1].upper() + problem.text[1:] + "."


# Reading what was sent


def _text(form: Form, name: str) -> str:
    return form.get(name, "").replace("\r\n", "\n").strip()[:LONGEST]


def _read_audience(form: Form) -> Values:
    return {name: _read_segment(form, name) for name in ("segment", "exclude")}


def _read_segment(form: Form, name: str) -> Values:
    rows = [
        {part: _text(form, f"{name}-{place}-{part}") for part in ("field", "sign", "text")}
        for place in _places(form, name, "field")
    ]
    return {
        "as": "text" if form.get(f"{name}-as") == "text" else "rows",
        "joint": "any" if form.get(f"{name}-joint") == "any" else "all",
        "rows": [row for row in rows if row["field"] or row["text"]],
        "text": _text(form, f"{name}-text"),
    }


def _read_flat(names: tuple[str, ...], ticks: tuple[str, ...] = ()) -> Callable[[Form], Values]:
    return lambda form: {name: _text(form, name) for name in names} | {name: name in form for name in ticks}


def _read_messages(form: Form) -> Values:
    names = ("key", "kind", "when", "days", "soft_delay_hours", "variants")
    messages = [
        {
            **{part: _text(form, f"messages-{place}-{part}") for part in names},
            "decline_classes": form.getlist(f"messages-{place}-decline_classes"),
            "gone": f"messages-{place}-gone" in form,
        }
        for place in _places(form, "messages", "kind")
    ]
    return {"messages": [message for message in messages if message["key"] or message["days"]]}


def _places(form: Form, name: str, part: str) -> list[int]:
    """The places of rows that were sent, in order and not too many."""
    found = (re.fullmatch(rf"{name}-(\d{{1,3}})-{part}", key) for key in form)
    return sorted(int(match.group(1)) for match in found if match)[:MOST_ROWS]


# From values to the content of a definition


def _audience(values: Values, _before: Mapping[str, Any], errors: dict[str, str]) -> dict[str, Any]:
    return {name: _segment(name, values[name], errors) for name in ("segment", "exclude")}


def _segment(name: str, values: Values, errors: dict[str, str]) -> Any:
    if values["as"] == "text":
        try:
            return read_value(values["text"]) if values["text"] else None
        except CampaignFileInvalid as problem:
            errors[f"{name}-text"] = f"{problem}."
            return None
    try:
        return from_rows(values["joint"], [Row(**row) for row in values["rows"]])
    except RowsInvalid as problem:
        for each in problem.problems:
            errors[f"{name}-{each.path[0]}"] = _sentence(each)
        return None


def _retries(values: Values, before: Mapping[str, Any], errors: dict[str, str]) -> dict[str, Any]:
    own = {name: values[name] for name in ("timing", "max_attempts", "min_gap_hours")}
    own["ladder_days"] = [day.strip() for day in values["ladder_days"].split(",") if day.strip()]
    if values["timing"] == "ladder" and not own["ladder_days"]:
        errors["ladder_days"] = "Name the days on which the card is tried, as in 1, 3, 7."
    outside = {name: values[name] for name in ("window_days", "grace_days", "silent_hours")}
    return {**outside, "retries": before["retries"] | own}


def _messages(values: Values, _before: Mapping[str, Any], _errors: dict[str, str]) -> dict[str, Any]:
    return {"messages": [_message(message) for message in values["messages"] if not message["gone"]]}


def _message(values: Values) -> dict[str, Any]:
    is_event = values["when"] in EVENTS
    return {
        "key": values["key"],
        "kind": values["kind"],
        "days": values["days"],
        "anchor": "event" if is_event else values["when"],
        "on": values["when"] if is_event else None,
        "soft_delay_hours": values["soft_delay_hours"] or "0",
        "decline_classes": values["decline_classes"],
        "variants": [name.strip() for name in values["variants"].split(",") if name.strip()],
    }


def _ending(values: Values, _before: Mapping[str, Any], errors: dict[str, str]) -> dict[str, Any]:
    prices = _prices(values["prices"], "prices", errors) if values["kind"] == "downgrade" else {}
    if values["kind"] == "downgrade" and not prices and "prices" not in errors:
        errors["prices"] = "A downgrade needs a price for each currency; write one on each line, as in: usd price_123."
    return {"final_action": {"kind": values["kind"], "prices": prices, "debt": values["debt"]}}


def _contact(values: Values, _before: Mapping[str, Any], errors: dict[str, str]) -> dict[str, Any]:
    rules = {name: values[name] for name in ("gap_hours", "max_per_week", "quiet_from", "quiet_until")}
    retention = [{**offer, "debt": values[OFFER_DEBTS[offer["kind"]]]} for offer in _offers(values, errors)]
    return {"contact": rules, "page": {name: values[name] for name in TICKS} | {"retention": retention}}


def _offers(values: Values, errors: dict[str, str]) -> list[dict[str, Any]]:
    offered: list[dict[str, Any]] = []
    if values["pause_months"]:
        offered.append({"kind": "pause", "months": values["pause_months"]})
    prices = _prices(values["smaller_prices"], "smaller_prices", errors)
    if prices:
        offered.append({"kind": "downgrade", "prices": prices})
    if values["cancel"]:
        offered.append({"kind": "cancel"})
    return offered


def _prices(text: str, name: str, errors: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        parts = line.replace(":", " ").split()
        if len(parts) != 2 or not re.fullmatch(r"[a-zA-Z]{3}", parts[0]) or not parts[1].startswith("price_"):
            errors[name] = f"“{line}” is no currency and price; write one on each line, as in: usd price_123."
            return {}
        found[parts[0].lower()] = parts[1]
    return found


# From a problem's path to the field it is about


def _audience_field(path: Path) -> str:
    place = place_of(path)
    return str(path[0]) if place is None else f"{path[0]}-{place}"


def _message_field(path: Path) -> str:
    if len(path) < 2:
        return "messages"
    part = str(path[2]) if len(path) > 2 else "key"
    return f"messages-{path[1]}-{'when' if part in ('anchor', 'on') else part}"


def _plain_field(path: Path) -> str:
    if path[:1] == ("messages",):
        return "window_days"
    if path[:2] == ("page", "retention"):
        return "pause_months" if path[-1] == "months" else "form"
    names = [part for part in path if isinstance(part, str) and part not in _GROUPS]
    return names[0] if names else "form"


_GROUPS = ("retries", "final_action", "contact", "page")
_RETRIES = ("window_days", "grace_days", "silent_hours", "timing", "ladder_days", "max_attempts", "min_gap_hours")
_CONTACT = ("gap_hours", "max_per_week", "quiet_from", "quiet_until", "pause_months", "smaller_prices")
_READ: dict[str, Callable[[Form], Values]] = {
    "audience": _read_audience,
    "retries": _read_flat(_RETRIES),
    "messages": _read_messages,
    "ending": _read_flat(("kind", "prices", "debt")),
    "contact": _read_flat((*_CONTACT, *OFFER_DEBTS.values()), (*TICKS, "cancel")),
}
_CONTENT: dict[str, Callable[[Values, Mapping[str, Any], dict[str, str]], dict[str, Any]]] = {
    "audience": _audience,
    "retries": _retries,
    "messages": _messages,
    "ending": _ending,
    "contact": _contact,
}
_FIELD: dict[str, Callable[[Path], str]] = {
    "audience": _audience_field,
    "retries": _plain_field,
    "messages": _message_field,
    "ending": _plain_field,
    "contact": _plain_field,
}
