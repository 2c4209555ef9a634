"""What the smaller plan of a downgrade is called: asked once a case, before the first mail that may name it."""

from sqlalchemy import select

from app.db import get_row
from app.messages.facts import PLAN_NAMED
from app.models import CaseEntry, RecoveryCase
from app.recovery import cases
from app.recovery.foreseeing import find_price_to_fall_to
from app.recovery.running_step import RunningStep
from app.vocabulary import EntryKind


def learn(running: RunningStep) -> None:
    """Write the plan's name on the timeline, where a downgrade is what the case would end with.

    Stripe is asked outside any transaction; if it cannot say, the mail speaks of a smaller plan, and the next one asks
    again.
    """
    price_id = _price_without_a_name(running)
    name = running.gateway.find_plan_name(price_id) if price_id else None
    if name is None:
        return
    now = running.context.clock.now()
    with running.context.database.organization(running.organization_id) as session:
        case = get_row(session, RecoveryCase, running.case_id)
        summary = f"If nothing helps, the subscription moves to {name}."
        data = {"price": price_id, "name": name}
        cases.append(session, case, EntryKind.NOTE, PLAN_NAMED, PLAN_NAMED, now, now, summary, data)


def _price_without_a_name(running: RunningStep) -> str | None:
    with running.context.database.organization(running.organization_id) as session:
        case = get_row(session, RecoveryCase, running.case_id)
        price_id = find_price_to_fall_to(session, case)
        named = select(CaseEntry.id).where(CaseEntry.case_id == case.id, CaseEntry.key == PLAN_NAMED)
        return price_id if price_id and session.scalar(named) is None else None
