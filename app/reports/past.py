"""How payments that failed before Recoup ended, by currency: the baseline. Never mixed with Recoup's own figures."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import PastFailure, RecoveryCase
from app.reports.figures import Share, Tally, share
from app.vocabulary import PastOutcome


@dataclass(frozen=True)
class PastLine:
    """Past failures of one currency; `paid.amount` is the money that came, the other amounts are the debts."""

    currency: str
    failed: Tally
    paid: Tally
    open: Tally
    written_off: Tally
    voided: Tally

    @property
    def paid_share(self) -> Share:
        """Paid of what was owed, voided invoices left out; open ones may still be paid."""
        return share(self.paid, self.failed - self.voided)


def past_lines(session: Session) -> list[PastLine]:
    """One line for each currency, in alphabetical order. Invoices that have become cases since are not in it."""
    has_case = select(RecoveryCase.id).where(RecoveryCase.invoice_id == PastFailure.invoice_id).exists()
    query = (
        select(
            PastFailure.currency,
            PastFailure.outcome,
            func.count(),
            func.sum(PastFailure.amount_due),
            func.sum(PastFailure.paid_amount),
        )
        .where(~has_case)
        .group_by(PastFailure.currency, PastFailure.outcome)
    )
    found: dict[str, dict[PastOutcome, tuple[int, int, int]]] = {}
    for currency, outcome, cases, owed, paid in session.execute(query):
        found.setdefault(currency, {})[outcome] = (cases, int(owed), int(paid))
    return [_line(currency, found[currency]) for currency in sorted(found)]


def _line(currency: str, by_outcome: dict[PastOutcome, tuple[int, int, int]]) -> PastLine:
    debts = {outcome: Tally(row[0], row[1]) for outcome, row in by_outcome.items()}
    paid = by_outcome.get(PastOutcome.PAID, (0, 0, 0))
    return PastLine(
        currency=currency,
        failed=sum(debts.values(), Tally()),
        paid=Tally(paid[0], paid[2]),
        open=debts.get(PastOutcome.OPEN, Tally()),
        written_off=debts.get(PastOutcome.WRITTEN_OFF, Tally()),
        voided=debts.get(PastOutcome.VOIDED, Tally()),
    )
