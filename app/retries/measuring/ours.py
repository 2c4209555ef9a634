"""The planner as a contestant, whole and with one of its eyes shut.

Refuses to know the case beyond its facts: what it plans is what it would plan for a live one.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from app.retries.exploration import draw, tickets
from app.retries.facts import CaseFacts, RetryPolicy
from app.retries.knowledge import SHIPPED, Knowledge
from app.retries.measuring.contest import Ahead, Case, Player
from app.retries.measuring.contestants import is_closed
from app.retries.planning import SEES_ALL, Blindness, Option, make_plan, tries_left

SHORT_WINDOW_DAYS = 14


@dataclass(frozen=True)
class Ours:
    """The planner with this knowledge; `window_days` shortens the policy's window."""

    name: str = "recoup"
    knowledge: Knowledge = SHIPPED
    blind: Blindness = field(default=SEES_ALL)
    window_days: int | None = None

    def player(self, case: Case, policy: RetryPolicy) -> Player:
        """One who plans anew after each answer."""
        own = replace(policy, window_days=self.window_days) if self.window_days else policy

        def next_try(facts: CaseFacts, now: datetime) -> Ahead | None:
            if is_closed(facts) or not tries_left(facts, own):
                return None
            plan = make_plan(facts, own, self.knowledge, self.blind)
            drawn = tickets(plan, own, facts.amount_minor)
            return _ahead(draw(drawn, facts).option) if drawn else None

        return next_try


def _ahead(option: Option) -> Ahead:
    return Ahead(option.at, option.chance)


ABLATIONS = {
    planner.name: planner
    for planner in (
        Ours("recoup-no-floors", blind=Blindness(floors=True)),
        Ours("recoup-no-calendars", blind=Blindness(calendars=True)),
        Ours("recoup-no-updates", blind=Blindness(failures=True)),
        Ours("recoup-short-window", window_days=SHORT_WINDOW_DAYS),
    )
}
