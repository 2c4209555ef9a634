"""Making decisions again: the same one from its record, or what another policy would have made of the same history.

Refuses to know where records are kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.errors import RecoupError
from app.retries.budgets import budgets
from app.retries.exploration import Ticket, tickets
from app.retries.facts import CaseFacts, RetryPolicy
from app.retries.history import uses_of_number
from app.retries.knowledge import SHIPPED, Knowledge
from app.retries.off_policy import Estimate, LoggedCase, LoggedStep, estimate
from app.retries.planner import consider
from app.retries.planning import make_plan
from app.retries.records import Record, UnreadableRecord, read_record


class OtherKnowledge(RecoupError):
    """A decision was made with other knowledge than the one given to replay it with."""


def replay(text: str, knowledge: Knowledge = SHIPPED) -> Record:
    """The record of the same decision made again from the JSON of the first; equal to it, bit for bit.

    Raises UnreadableRecord, and OtherKnowledge when `knowledge` is not the version that was used.
    """
    facts, policy, now, content = read_record(text)
    if content["knowledge"] != knowledge.version:
        raise OtherKnowledge(f"the decision was made with knowledge {content['knowledge']}, not {knowledge.version}")
    again = consider(facts, policy, now, knowledge).record
    if again is None:
        raise UnreadableRecord("from these facts no plan is made; was the record altered?")
    return again


@dataclass(frozen=True)
class Tried:
    """One planned try of a case: what was known, the slot drawn and how likely it was, and whether it was approved."""

    facts: CaseFacts
    at: datetime
    propensity: float
    approved: bool


@dataclass(frozen=True)
class Rehearsal:
    """What a draft policy would have done: its estimated recovery, and how often it would have chosen as was chosen.

    `card_uses` is how many tries in 30 days the cards had behind them, on average and at most, when the draft would
    have tried them, everybody's tries counted; `card_cap` is what the draft allows.
    """

    estimate: Estimate
    planned_tries: int
    same_choices: int
    card_uses: tuple[float, int]
    card_cap: int


def rehearse(cases: Iterable[Sequence[Tried]], draft: RetryPolicy, knowledge: Knowledge = SHIPPED) -> Rehearsal:
    """Run `draft` over logged cases (the tries of each in order). Raises TooLittleData from `off_policy`."""
    logged: list[LoggedCase] = []
    uses: list[int] = []
    for tried in cases:
        draws = [_draw_of(each.facts, draft, knowledge) for each in tried]
        logged.append(LoggedCase(tuple(_step(each, of) for each, of in zip(tried, draws, strict=True))))
        uses += [_card_uses(each.facts, draft, of) for each, of in zip(tried, draws, strict=True) if of]
    steps = [step for case in logged for step in case.steps]
    return Rehearsal(
        estimate=estimate(logged),
        planned_tries=len(steps),
        same_choices=sum(1 for step in steps if step.target_probability > 0.5),
        card_uses=(sum(uses) / len(uses) if uses else 0.0, max(uses, default=0)),
        card_cap=draft.per_card_30d,
    )


def _draw_of(facts: CaseFacts, draft: RetryPolicy, knowledge: Knowledge) -> tuple[Ticket, ...]:
    return tickets(make_plan(facts, draft, knowledge), draft, facts.amount_minor)


def _card_uses(facts: CaseFacts, draft: RetryPolicy, of: Sequence[Ticket]) -> int:
    """How many tries of the card count when the draft's best slot comes."""
    ours, *_ = budgets(facts.card, uses_of_number(facts), draft)
    return ours.used(of[0].option.at)


def _step(tried: Tried, of: Sequence[Ticket]) -> LoggedStep:
    before = sum(ticket.probability * ticket.option.value for ticket in of)
    chosen = _ticket_at(of, tried.at)
    value = chosen.option.value if chosen else before
    probability = chosen.probability if chosen else 0.0
    return LoggedStep(tried.propensity, probability, before, value, float(tried.approved))


def _ticket_at(of: Sequence[Ticket], at: datetime) -> Ticket | None:
    return next((ticket for ticket in of if ticket.option.at == at), None)
