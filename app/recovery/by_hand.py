"""A try that a person asked for: the plan's day does not bind it, the rules of networks and holds do."""

from datetime import datetime

from sqlalchemy.orm import Session

from app.models import Connection, Invoice, RecoveryCase, Step
from app.recovery import deciding, planning, promise_rows
from app.recovery.facts import find_hold, gather, policy_for
from app.retries.decisions import Decision, Reason, RetryAt
from app.retries.network_rules import card_floors, closing_refusal, is_issued_in_india, spent_cap_of_number
from app.vocabulary import CaseState, HoldKind


def decide_for(session: Session, case: RecoveryCase, step: Step, now: datetime) -> Decision:
    """The planner's answer, or the person's where nothing but the calendar stands against it."""
    if "by" in step.plan and _is_as_asked(session, case, step):
        is_customers = "shown" in step.plan
        if obstacle(session, case, now, minds_promise=not is_customers) is None:
            decision = RetryAt(now, Reason.LADDER, (f"asked for by {step.plan['by']}",))
            deciding.write_asked(session, case, decision, step.plan["by"], now)
            return decision
    if _is_promised_day(session, case, now):
        decision = RetryAt(now, Reason.PROMISED, ("promised",))
        deciding.write_asked(session, case, decision, "the customer's promise", now)
        return decision
    return deciding.decide_now(session, case, now)


def _is_promised_day(session: Session, case: RecoveryCase, now: datetime) -> bool:
    """Whether a promised try is due that no plan makes: Stripe's calendar and fixed ladders know no promise."""
    if promise_rows.find_due(session, case, now) is None:
        return False
    connection, definition = session.get_one(Connection, case.connection_id), planning.definition_of(session, case)
    policy = policy_for(connection, definition, case.currency)
    is_planned = policy.mode == "drive" and policy.timing == "planned"
    return not is_planned and obstacle(session, case, now, minds_promise=False) is None


def _is_as_asked(session: Session, case: RecoveryCase, step: Step) -> bool:
    """A customer asked for the amount they saw; an operator asks for whatever is open."""
    return step.plan.get("shown") in (None, session.get_one(Invoice, case.invoice_id).amount_remaining)


def obstacle(session: Session, case: RecoveryCase, now: datetime, *, minds_promise: bool = True) -> str | None:
    """What stands against charging the card now because a person asked for it; None when nothing does.

    Whoever made a promise may pay before its day; that is what `minds_promise` is for.
    """
    if case.state is not CaseState.WAITING:
        return f"The case is {case.state.replace('_', ' ')}; only one that waits can be tried."
    hold = find_hold(session, case, now, but=None if minds_promise else HoldKind.PROMISE)
    if hold:
        return f"The case is on hold ({hold.kind}): {hold.reason}."
    facts = gather(session, case, now)
    closing = closing_refusal(facts)
    if closing:
        return f"This card must not be charged again ({closing.deciding_signal}); a new card is needed."
    if is_issued_in_india(facts):
        return "Cards issued in India cannot be charged without their holder."
    spent = spent_cap_of_number(facts)
    if spent:
        return f"The card has no tries left ({spent})."
    connection, definition = session.get_one(Connection, case.connection_id), planning.definition_of(session, case)
    policy = policy_for(connection, definition, case.currency)
    waits = [floor for floor in card_floors(facts, policy) if floor.at > now]
    return f"The card may not be charged before {waits[0].at:%Y-%m-%d %H:%M} UTC ({waits[0].rule})." if waits else None
