"""From a plan to a decision: the promised day, the drawn slot, or why no try is made.

A plan is made as of the last news, so its answer stands until something happens; one whose moment has passed is
carried out at the next open hour. Refuses to know the rules that close a card: they have been asked before.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from app.retries.calendars import into_open_hours
from app.retries.decisions import AskCustomer, Decision, Reason, RetryAt
from app.retries.exploration import Ticket, draw, tickets
from app.retries.facts import CaseFacts, RetryPolicy
from app.retries.knowledge import Knowledge
from app.retries.ladder import fraction
from app.retries.moments import zone_for
from app.retries.network_rules import card_floors, invoice_floors, window_end
from app.retries.planning import Plan, last_news, make_plan, tries_left
from app.retries.records import Record, make_record


@dataclass(frozen=True)
class Considered:
    """A decision, and the record of the plan behind it where one was made."""

    decision: Decision
    record: Record | None = None
    plan: Plan | None = None


def follow_plan(facts: CaseFacts, policy: RetryPolicy, now: datetime, knowledge: Knowledge) -> Considered:
    """The planned try of a card that may be tried, or why there is none."""
    end = window_end(facts, policy)
    if not tries_left(facts, policy):
        return Considered(AskCustomer(Reason.OUT_OF_TRIES, "new_card", end))
    promised = promised_try(facts, policy, now)
    if promised and promised < end:
        return Considered(RetryAt(promised, Reason.PROMISED, ("promised",)))
    plan, drawn_from = _drawn_plan(facts, policy, knowledge)
    if plan.next is None:
        reason = Reason.NOT_WORTH_A_TRY if plan.slots.open else Reason.NO_SLOT_LEFT
        return Considered(AskCustomer(reason, "new_card", end), plan=plan)
    drawn = draw(drawn_from, facts)
    at, moved = _not_in_the_past(drawn.option.at, facts, policy, now)
    if at >= end:
        return Considered(AskCustomer(Reason.NO_SLOT_LEFT, "new_card", end), plan=plan)
    rules = ("plan", *_explored(drawn, plan), *(closed.rule for closed in plan.slots.closed), *moved)
    record = make_record(facts, policy, now, knowledge.version, plan, drawn_from, drawn)
    return Considered(RetryAt(at, Reason.PLANNED, tuple(dict.fromkeys(rules))), record, plan)


@lru_cache(maxsize=512)
def _drawn_plan(facts: CaseFacts, policy: RetryPolicy, knowledge: Knowledge) -> tuple[Plan, tuple[Ticket, ...]]:
    """The plan as of the last news, and the draw for its next try; kept, because a case is asked about again and again
    with no news between."""
    plan = make_plan(facts, policy, knowledge)
    return plan, tickets(plan, policy, facts.amount_minor)


def promised_try(facts: CaseFacts, policy: RetryPolicy, now: datetime) -> datetime | None:
    """When the payer said that they can pay, within the rules; None without a promise, or after a try has tested it."""
    if facts.promised_for is None or facts.promised_for <= last_news(facts):
        return None
    floors = [floor.at for floor in (*card_floors(facts, policy), *invoice_floors(facts, policy))]
    return _opened(max([facts.promised_for, now, *floors]), facts, policy)


def _not_in_the_past(
    at: datetime, facts: CaseFacts, policy: RetryPolicy, now: datetime
) -> tuple[datetime, tuple[str, ...]]:
    if at >= now:
        return at, ()
    opened = _opened(now, facts, policy)
    return opened, ("overdue",) if opened == now else ("overdue", "local_hours")


def _opened(at: datetime, facts: CaseFacts, policy: RetryPolicy) -> datetime:
    spread = timedelta(minutes=policy.jitter_minutes) * fraction(facts.seed, len(facts.attempts))
    return into_open_hours(at, zone_for(facts), (policy.open_hour, policy.close_hour), spread)


def _explored(drawn: Ticket, plan: Plan) -> tuple[str, ...]:
    return () if drawn.option == plan.next else ("explored",)
