"""What the planner weighed for its newest answer about a case, as people and programs read it. For operators only: it
may say what the bank said. Only reads what was written down when it was decided; nothing is thought anew.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from json import loads
from typing import Any

from sqlalchemy.orm import Session

from app.models import RecoveryCase, RetryDecision
from app.recovery.deciding import newest_decision
from app.retries.facts import Card, CaseFacts
from app.retries.moments import zone_for

BUDGETS = {
    "card_30d": "tries on this card in 30 days",
    "visa_30d": "tries in 30 days that Visa counts",
    "mastercard_24h": "tries in 24 hours that Mastercard counts",
}


@dataclass(frozen=True)
class Weighed:
    """One moment that could have been chosen: its chance, the worth of the plan with it, and its share in the lot."""

    at: datetime
    chance: float
    value: float
    probability: float
    is_choice: bool


@dataclass(frozen=True)
class Closed:
    """Moments that a rule closed: how many, and until when."""

    rule: str
    until: datetime
    count: int


@dataclass(frozen=True)
class Budget:
    """How many tries of a limit were used before the chosen moment."""

    name: str
    used: int
    cap: int

    @property
    def words(self) -> str:
        """For example "3 of 10 tries on this card in 30 days"."""
        return f"{self.used} of {self.cap} {BUDGETS.get(self.name, self.name)}"


@dataclass(frozen=True)
class Weighing:
    """The newest answer about a case; `candidates` is empty where no plan was made. `zone` names the payer's zone."""

    id: int
    decided_at: datetime
    kind: str
    reason: str
    at: datetime | None
    zone: str
    summary: str
    rules: tuple[str, ...]
    chance: float | None
    propensity: float | None
    candidates: tuple[Weighed, ...]
    closed: tuple[Closed, ...]
    budgets: tuple[Budget, ...]
    stories: tuple[tuple[str, float], ...]
    knowledge: str
    version: str
    seed: str | None
    asked_by: str | None

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def find_weighing(session: Session, case: RecoveryCase) -> Weighing | None:
    """What was weighed for the newest answer about `case`; None for a case from before answers were kept."""
    row = newest_decision(session, case.id)
    return _read(row) if row else None


def _zone(row: RetryDecision, facts: Mapping[str, Any]) -> str:
    card = Card(country=facts["card"]["country"]) if facts["card"] else None
    zone = zone_for(CaseFacts("", row.news_at, 1, "usd", card, timezone=facts["timezone"]))
    return zone.key if zone else "UTC"


def _read(row: RetryDecision) -> Weighing:
    content: Mapping[str, Any] = loads(row.record)
    candidates = [
        Weighed(datetime.fromisoformat(each["at"]), each["chance"], each["value"], each["probability"], place == chosen)
        for chosen in (content.get("choice"),)
        for place, each in enumerate(content.get("candidates", ()))
    ]
    return Weighing(
        id=row.id,
        decided_at=row.decided_at,
        kind=row.kind,
        reason=row.reason,
        at=row.at,
        zone=_zone(row, content["facts"]),
        summary=row.summary,
        rules=tuple(row.rules),
        chance=row.chance,
        propensity=row.propensity,
        candidates=tuple(candidates),
        closed=tuple(
            Closed(rule, datetime.fromisoformat(end), count) for rule, end, count in content.get("closed", ())
        ),
        budgets=tuple(Budget(*each) for each in content.get("budget", ())),
        stories=tuple((name, weight) for name, weight in content.get("stories", ())),
        knowledge=row.knowledge,
        version=content["version"],
        seed=content.get("seed"),
        asked_by=row.asked_by,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
