"""Mending what a reconciliation found about invoices: each is read again and applied, as a webhook's handler does.

A finding is committed before it is mended, and says afterwards what came of it; so a crash in between loses neither.
"""

from sqlalchemy import select, update

from app.errors import RecoupError
from app.failpoints import failpoint
from app.inbox.errands.walk import Walk
from app.models import Finding, RecoveryCase
from app.recovery.observing import observe_invoice
from app.recovery.projections import StaleReading
from app.stripe_gateway.errors import ConnectionBroken, NotFound, RetryLater
from app.vocabulary import FindingKind


def repair_pending(walk: Walk) -> None:
    """Mend every finding of this errand about which nothing was done yet; raises what means "ask again later"."""
    if walk.is_rehearsal:
        return
    with walk.context.database.organization(walk.organization_id) as session:
        query = select(Finding.id, Finding.subject).where(
            Finding.errand_id == walk.errand_id, Finding.outcome.is_(None)
        )
        pending = [(row[0], row[1]) for row in session.execute(query.order_by(Finding.id))]
    for finding_id, invoice_id in pending:
        failpoint("errand.before_repair")
        kind, outcome = _repair(walk, invoice_id)
        failpoint("errand.after_repair")
        with walk.context.database.organization(walk.organization_id) as session:
            values = {"outcome": outcome} | ({"kind": kind} if kind else {})
            session.execute(update(Finding).where(Finding.id == finding_id).values(**values))
        walk.count("for a person" if kind is FindingKind.INVOICE_GONE else "repaired")
        walk.commit()


def _repair(walk: Walk, invoice_id: str) -> tuple[FindingKind | None, str]:
    try:
        case_id = observe_invoice(walk.context, walk.gateway, walk.connection, invoice_id)
    except NotFound:
        return FindingKind.INVOICE_GONE, "Stripe does not have it any more; stop its case by hand if that is right"
    except StaleReading:
        return None, "others were reading it at the same moment, so what they found was applied"
    except (RetryLater, ConnectionBroken):
        raise
    except RecoupError as problem:
        return None, f"read again, but not applied: {problem}"
    if case_id is None:
        return None, "read again; it needs no case"
    with walk.context.database.organization(walk.organization_id) as session:
        state = session.get_one(RecoveryCase, case_id).state
    return None, f"read again; its case is now {state.replace('_', ' ')}"
