"""Holding the rows against Stripe's books goes on past what cannot be compared."""

from app.recovery.books import compare
from tests.stage import Stage


def test_an_invoice_that_stripe_has_no_more_is_said_and_the_others_are_compared(stage: Stage) -> None:
    invoices = [stage.fail(stage.customer(name=name)["customer"], "lost_card") for name in ("Ann", "Ben")]
    assert list(compare(stage.context)) == []
    with stage.sandbox.world.transaction() as ledger:
        ledger.store.remove("invoice", invoices[0])
    stage.stripe("POST", f"invoices/{invoices[1]}/pay", payment_method="pm_card_visa")  # nobody has heard of it yet
    said = [offence.detail for offence in compare(stage.context)]
    assert f"Stripe does not have {invoices[0]} any more, the case is needs_customer" in said
    assert f"Stripe has {invoices[1]} as paid, the case is needs_customer" in said
