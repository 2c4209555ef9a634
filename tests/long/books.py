"""Two sets of books side by side: what the sandbox knows of every invoice that ever failed, and what Recoup reports.

The sandbox's side is made from its own file alone: events it made, invoices, subscriptions. It knows nothing of cases.
"""

import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from app.models import Invoice, Organization, RecoveryCase
from app.reports.figures import Outcomes, Tally
from app.reports.metrics import overview
from app.reports.views import CASES
from tests.faults.town import Town

FAILED = """
select i.id, i.status, json_extract(i.body, '$.currency'), json_extract(i.body, '$.amount_due'),
    json_extract(i.body, '$.amount_paid'), json_extract(i.body, '$.amount_paid_off_stripe'),
    json_extract(i.body, '$.status_transitions.voided_at'), json_extract(s.body, '$.ended_at')
from objects i left join objects s on s.kind = 'subscription' and s.id = i.subscription
where i.kind = 'invoice' and i.id in (
    select json_extract(e.body, '$.data.object.id') from objects e where e.kind = 'event'
        and e.status in ('invoice.payment_failed', 'invoice.payment_action_required'))
"""
OUTCOMES = tuple(each.name for each in fields(Outcomes))


@dataclass(frozen=True)
class Entry:
    """One failed invoice: what became of it (docs/metrics.md has the words), and how much that is in minor units."""

    outcome: str
    currency: str
    amount: int


def sandbox_books(home: Path) -> dict[str, Entry]:
    """What became of every invoice whose payment failed at least once, by the sandbox."""
    with closing(sqlite3.connect(f"file:{home / 'sandbox.db'}?mode=ro", uri=True)) as memory:
        return {row[0]: _entry(*row[1:]) for row in memory.execute(FAILED)}


def _entry(
    status: str, currency: str, due: int, paid: int, off_stripe: int, voided_at: int | None, ended_at: int | None
) -> Entry:
    if status == "paid":
        return Entry("settled_elsewhere", currency, due) if off_stripe else Entry("recovered", currency, paid)
    if status == "void":
        return Entry("lost" if ended_at and ended_at <= (voided_at or 0) else "withdrawn", currency, due)
    return Entry("lost" if status == "uncollectible" or ended_at else "in_recovery", currency, due)


def recoup_books(town: Town) -> dict[str, Entry]:
    """What became of every case, by the view that all of Recoup's figures come from."""
    view = CASES.c
    query = (
        select(Invoice.stripe_id, view.outcome, view.currency, view.failed_amount, view.recovered_amount)
        .join(RecoveryCase, RecoveryCase.invoice_id == Invoice.id)
        .join(CASES, view.case_id == RecoveryCase.id)
    )
    with town.context.database.organization(_organization(town)) as session:
        return {
            invoice: Entry(outcome, currency, received if outcome == "recovered" else owed)
            for invoice, outcome, currency, owed, received in session.execute(query)
        }


def reported(town: Town) -> dict[str, Outcomes]:
    """The sums by currency, as `recoup report` and the console show them."""
    with town.context.database.organization(_organization(town)) as session:
        return {one.currency: one.outcomes for one in overview(session, now=town.now).currencies}


def sums(books: dict[str, Entry]) -> dict[str, dict[str, Tally]]:
    """Cases and money by currency and outcome."""
    found: dict[str, dict[str, Tally]] = defaultdict(lambda: dict.fromkeys(OUTCOMES, Tally()))
    for entry in books.values():
        found[entry.currency][entry.outcome] += Tally(1, entry.amount)
    return dict(found)


def differences(town: Town) -> list[str]:
    """Every invoice and every sum in which the two differ, a line each."""
    theirs, ours = sandbox_books(town.home), recoup_books(town)
    lines = [
        f"{invoice}: the sandbox has {theirs.get(invoice)}, Recoup {ours.get(invoice)}"
        for invoice in sorted(theirs.keys() | ours.keys())
        if theirs.get(invoice) != ours.get(invoice)
    ]
    reports = reported(town)
    for currency, outcomes in sums(theirs).items():
        report = reports.get(currency, Outcomes())
        lines += [
            f"{currency} {name}: the sandbox has {tally}, Recoup reports {getattr(report, name)}"
            for name, tally in outcomes.items()
            if name != "failed" and tally != getattr(report, name)
        ]
    return lines


def _organization(town: Town) -> UUID:
    with town.context.database.system() as session:
        return session.scalars(select(Organization.id)).one()
