"""`recoup retries explain`: why the planner does what it does about one case, in words or as JSON."""

import json
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli.common import find_organization, for_people, open_context
from app.errors import RecoupError
from app.models import Invoice, RecoveryCase
from app.recovery.weighing import Weighing, find_weighing
from app.vocabulary import OPEN_CASE_STATES


class NoDecision(RecoupError):
    """There is nothing to explain; the text says why."""


@click.command("explain")
@click.argument("case_name", metavar="CASE")
@click.option("--organization", metavar="SLUG", help="Whose case; not needed where there is one organization.")
@click.option("--json", "as_json", is_flag=True, help="Everything that was weighed, for programs.")
@for_people
def explain(case_name: str, organization: str | None, as_json: bool) -> None:
    """Say what is done next about CASE (its id, or its invoice in_…), why, and what else was weighed."""
    context = open_context()
    tenant = find_organization(context, organization)
    with context.database.organization(tenant.id) as session:
        case = _find(session, case_name)
        weighing = find_weighing(session, case) if case else None
    if case is None:
        raise NoDecision(f"{tenant.slug} has no case {case_name}; give the id of a case or of its invoice (in_…)")
    if weighing is None:
        raise NoDecision(f"nothing was decided about {case.id} since decisions are written down")
    click.echo(json.dumps({"case": str(case.id), "state": case.state, **weighing.to_dict()}, indent=2)
               if as_json else "\n".join([*_ended(case), _told(weighing)]))  # fmt: skip


def _find(session: Session, name: str) -> RecoveryCase | None:
    try:
        return session.get(RecoveryCase, UUID(name))
    except ValueError:
        query = select(RecoveryCase).join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        return session.scalar(query.where(Invoice.stripe_id == name))


def _ended(case: RecoveryCase) -> list[str]:
    """How the case ended, before what was thought while it was open; nothing for one that goes on."""
    if case.state in OPEN_CASE_STATES:
        return []
    at = case.recovered_at or case.exhausted_at or case.closed_at
    how = f", by {case.recovered_by.replace('_', ' ')}" if case.recovered_by else ""
    return [
        f"The case has ended: {case.state}{f' on {at:%Y-%m-%d}' if at else ''}{how}. The last decision before that:"
    ]


def _told(weighing: Weighing) -> str:
    zone = ZoneInfo(weighing.zone)
    lines = [weighing.summary]
    lines += [
        f"{'->' if each.is_choice else '  '} {_day(each.at, zone)}  chance {each.chance:.0%}, "
        f"the plan is worth {each.value:.1%}, drawn with {each.probability:.0%}"
        for each in weighing.candidates
    ]
    lines += [f"Closed: {each.count} moments until {_day(each.until, zone)} by {each.rule}" for each in weighing.closed]
    lines += [f"Budget: {budget.words}" for budget in weighing.budgets]
    lines.append(f"Decided {_day(weighing.decided_at, zone)} ({weighing.zone}) with knowledge {weighing.knowledge}")
    return "\n".join(lines)


def _day(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %d %b %H:%M}"
