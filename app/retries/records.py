"""What is written down about a decision, complete enough to make it again, bit for bit.

A record is plain values: what was known, by which versions it was judged, what could have been chosen and how likely
each was, what was chosen. No personal data beyond the facts themselves. Refuses to know where it is kept.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from json import dumps, loads
from typing import Any

from app.errors import RecoupError
from app.retries.budgets import budgets
from app.retries.exploration import DRAWS, Ticket
from app.retries.facts import Attempt, Card, CardUse, CaseFacts, DeclineSignals, RetryPolicy
from app.retries.history import uses_of_number
from app.retries.planning import Plan
from app.retries.release import planner_release

RECORD_VERSION = "1"


class UnreadableRecord(RecoupError):
    """A record of a decision is not in the form in which they are written."""


@dataclass(frozen=True)
class Candidate:
    """A slot that could have been chosen; `probability` is its share in the draw, `value` that of the whole plan."""

    at: str
    model_chance: float
    chance: float
    value: float
    probability: float


@dataclass(frozen=True)
class Record:
    """One planned try: inputs, versions, what was weighed, and the choice (an index into `candidates`).

    `version` is that of the form of records, `planner` the release that made this one, `knowledge` the counts it used.
    """

    version: str
    planner: str
    knowledge: str
    now: str
    facts: Mapping[str, Any]
    policy: Mapping[str, Any]
    seed: str
    group: str
    stories: tuple[tuple[str, float], ...]
    plan: tuple[str, ...]
    value: float
    candidates: tuple[Candidate, ...]
    choice: int
    closed: tuple[tuple[str, str, int], ...]
    budget: tuple[tuple[str, int, int], ...]

    def to_json(self) -> str:
        """The record as JSON that is the same for the same record."""
        return dumps(asdict(self), sort_keys=True)

    @property
    def propensity(self) -> float:
        """How likely the chosen slot was to be chosen."""
        return self.candidates[self.choice].probability


def make_record(
    facts: CaseFacts, policy: RetryPolicy, now: datetime, knowledge_version: str, plan: Plan, of: tuple[Ticket, ...],
    drawn: Ticket,
) -> Record:  # fmt: skip
    """The record of a plan and its draw."""
    at = drawn.option.at
    return Record(
        version=RECORD_VERSION,
        planner=planner_release(),
        knowledge=knowledge_version,
        now=now.isoformat(),
        facts=_plain(asdict(facts)),
        policy=_plain(asdict(policy)),
        seed=f"{facts.seed}:{DRAWS + len(facts.attempts)}",
        group=plan.group,
        stories=plan.stories,
        plan=tuple(each.isoformat() for each in plan.tries),
        value=plan.value,
        candidates=tuple(
            Candidate(t.option.at.isoformat(), t.option.model_chance, t.option.chance, t.option.value, t.probability)
            for t in of
        ),
        choice=of.index(drawn),
        closed=tuple((each.rule, each.until.isoformat(), each.count) for each in plan.slots.closed),
        budget=tuple((b.name, b.used(at), b.cap) for b in budgets(facts.card, uses_of_number(facts), policy)),
    )


def read_record(text: str) -> tuple[CaseFacts, RetryPolicy, datetime, Mapping[str, Any]]:
    """What a decision was made from, and the whole record as read from JSON. Raises UnreadableRecord."""
    try:
        content = loads(text)
        policy: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in content["policy"].items()}
        return _read_facts(content["facts"]), RetryPolicy(**policy), datetime.fromisoformat(content["now"]), content
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableRecord(f"this is no record of a decision: {error!r}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _read_facts(plain: Mapping[str, Any]) -> CaseFacts:
    given = _with_moments(CaseFacts, plain)
    given["card"] = Card(**plain["card"]) if plain["card"] else None
    given["attempts"] = tuple(_read_part(Attempt, each) for each in plain["attempts"])
    given["card_attempts"] = tuple(_read_part(CardUse, each) for each in plain["card_attempts"])
    given["known_paydays"] = tuple((name, weight) for name, weight in plain["known_paydays"])
    return CaseFacts(**given)


def _read_part(kind: Any, plain: Mapping[str, Any]) -> Any:
    return kind(**{**_with_moments(kind, plain), "signals": DeclineSignals(**plain["signals"])})


def _with_moments(kind: Any, plain: Mapping[str, Any]) -> dict[str, Any]:
    """The values with their moments read; every field that can hold one says so in its type."""
    has_moment = {field.name for field in fields(kind) if "datetime" in str(field.type)}
    return {name: datetime.fromisoformat(v) if v and name in has_moment else v for name, v in plain.items()}
