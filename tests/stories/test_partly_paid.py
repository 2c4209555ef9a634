"""An invoice of which a part had been paid before its payment failed: only the rest is owed, charged and recovered."""

import pytest

from app.models import Message
from app.recovery.invariants import find_offences
from app.reports.metrics import overview
from app.stripe_gateway.readers import read_invoice
from app.stripe_gateway.snapshots import InvoiceSnapshot, Json
from app.vocabulary import CaseState
from tests.stage import LADDER, Stage

BEFORE = 1000


def test_what_was_paid_before_the_failure_is_no_recovery(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_with_a_part_paid(row: Json) -> InvoiceSnapshot:
        is_open = row.get("status") == "open"
        changed = {"amount_remaining": row["amount_remaining"] - BEFORE, "amount_paid": BEFORE} if is_open else {}
        return read_invoice({**row, **changed})

    for module in ("invoices", "bills", "paying"):
        monkeypatch.setattr(f"app.stripe_gateway.{module}.read_invoice", read_with_a_part_paid)
    stage.use_campaign(LADDER)
    invoice = stage.fail(stage.customer(amount=4900)["customer"], "insufficient_funds", "insufficient_funds", "approve")
    assert stage.case(invoice).amount_due == 3900
    stage.advance(days=12)
    case = stage.case(invoice)
    assert (case.state, case.amount_due, case.recovered_amount) == (CaseState.RECOVERED, 3900, 3900)
    with stage.context.database.organization(stage.organization_id) as session:
        (sums,) = overview(session, now=stage.now).currencies
    assert (sums.outcomes.failed.amount, sums.outcomes.recovered.amount) == (3900, 3900)
    bodies = [message.text_body for message in stage.rows(Message) if message.text_body]
    assert bodies
    assert all("$39.00" in body and "$49.00" not in body for body in bodies)
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []
