"""A failure that Recoup hears of when its campaign should nearly be over."""

from datetime import timedelta

from app.accounts.connections import gateway_for
from app.models import Connection
from app.recovery.card_change import look_for_changes
from app.vocabulary import CaseOrigin, CaseState
from tests.stage import Stage


def hear_of(stage: Stage, customer: str) -> None:
    """As the customer's page does when it is opened: look at everything this person owes."""
    with stage.context.database.organization(stage.organization_id) as session:
        connection = session.get_one(Connection, stage.connection_id)
    look_for_changes(stage.context, gateway_for(stage.context, connection), connection, customer)


def test_a_debt_heard_of_after_its_window_begins_today_and_ends_nothing(stage: Stage) -> None:
    customer = stage.customer()["customer"]
    stage.control("faults", kind="lost_webhook", count=500)
    invoice = stage.control("fail", customer=customer, script=["insufficient_funds"])["invoice"]
    stage.advance(days=40)
    hear_of(stage, customer)
    case = stage.case(invoice)
    assert (case.origin, case.state) == (CaseOrigin.OLD_DEBT, CaseState.WAITING)
    assert case.failed_at == case.opened_at
    assert case.window_ends_at > stage.now + timedelta(days=20)
