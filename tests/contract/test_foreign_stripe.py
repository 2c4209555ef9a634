"""Recoup against a Stripe that is neither Stripe nor our sandbox: old shapes, half the API, three kinds of manners."""

from collections.abc import Iterator

import pytest

from app.accounts.connections import ConnectionRefused, connect
from app.models import Connection, InboxEvent
from app.recovery.invariants import find_offences
from app.settings import Settings
from app.vocabulary import (
    AttemptState,
    CaseState,
    ConnectionMode,
    ConnectionStatus,
    InboxState,
    RecoveredBy,
    StopReason,
)
from tests.contract.foreign_stage import KEY, ForeignStage, open_foreign_stage
from tests.house import House

ALL_MANNERS = pytest.mark.parametrize("foreign", ["refuses", "breaks", "ignores"], indirect=True)
REFUSES = pytest.mark.parametrize("foreign", ["refuses"], indirect=True)
BREAKS = pytest.mark.parametrize("foreign", ["breaks"], indirect=True)
IGNORES = pytest.mark.parametrize("foreign", ["ignores"], indirect=True)


@pytest.fixture
def foreign(house: House, settings: Settings, request: pytest.FixtureRequest) -> Iterator[ForeignStage]:
    """A stage, and at its end: no promise broken, and every event come to an end."""
    with open_foreign_stage(house, settings, request.param) as stage:
        yield stage
        with stage.context.database.system() as session:
            assert find_offences(session, stage.now) == []
        assert {(event.type, event.problem) for event in stage.rows(InboxEvent, unfinished())} == set()


def unfinished() -> object:
    return InboxEvent.state != InboxState.HANDLED


def renewal_fails(stage: ForeignStage, *answers: str | None) -> tuple[str, str]:
    """A customer whose renewal is declined now; their id and the invoice's."""
    customer = stage.double.subscribe(*answers)
    invoice = stage.double.renew(customer)
    stage.settle()
    return customer, invoice


@BREAKS
@pytest.mark.long
def test_an_account_without_a_name_is_one_connection_however_often_it_is_connected(foreign: ForeignStage) -> None:
    again = connect(
        foreign.context,
        foreign.organization_id,
        api_key=KEY,
        webhook_secret="whsec_rolled",
        mode=ConnectionMode.DRIVE,
        actor="test",
    )
    assert again.connection_id == foreign.connection_id
    assert [row.status for row in foreign.rows(Connection)] == [ConnectionStatus.ACTIVE]


@REFUSES
@pytest.mark.long
def test_where_no_endpoint_can_be_made_a_person_is_told_to_make_one(foreign: ForeignStage) -> None:
    with pytest.raises(ConnectionRefused, match="--webhook-secret"):
        connect(
            foreign.context,
            foreign.organization_id,
            api_key=KEY,
            webhook_secret=None,
            mode=ConnectionMode.DRIVE,
            actor="test",
        )


@ALL_MANNERS
def test_a_failure_becomes_a_case_and_a_retry_brings_the_money(foreign: ForeignStage) -> None:
    _, invoice = renewal_fails(foreign, "insufficient_funds", "insufficient_funds", None)
    case = foreign.case(invoice)
    assert (case.state, case.decline_class, case.amount_due) == (CaseState.WAITING, "soft_timed", 4900)
    foreign.advance(days=14)
    case = foreign.case(invoice)
    assert (case.state, case.recovered_by, case.recovered_amount) == (CaseState.RECOVERED, RecoveredBy.RETRY, 4900)
    assert [attempt.state for attempt in foreign.attempts(invoice)] == [
        AttemptState.DECLINED,
        AttemptState.DECLINED,
        AttemptState.SUCCEEDED,
    ]
    assert [paid for paid, _ in foreign.double.charged] == [invoice]


@REFUSES
@pytest.mark.long
def test_a_decline_that_no_list_shows_is_known_from_its_intent(foreign: ForeignStage) -> None:
    _, invoice = renewal_fails(foreign, "stolen_card")
    (attempt,) = foreign.attempts(invoice)
    assert attempt.signals["decline_code"] == "stolen_card"
    assert (attempt.charge_id, attempt.brand) == ("ch_1", "visa")
    assert foreign.case(invoice).state is CaseState.NEEDS_CUSTOMER


@ALL_MANNERS
def test_a_new_card_is_charged_at_once_and_once(foreign: ForeignStage) -> None:
    customer, invoice = renewal_fails(foreign, "stolen_card")
    card = foreign.double.give_card(customer, None)
    foreign.settle()
    case = foreign.case(invoice)
    assert (case.state, case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.NEW_CARD)
    assert foreign.double.charged == [(invoice, card)]


@BREAKS
@pytest.mark.long
def test_a_new_card_that_is_declined_too_leaves_the_case_open_for_the_next(foreign: ForeignStage) -> None:
    customer, invoice = renewal_fails(foreign, "stolen_card")
    foreign.double.give_card(customer, "lost_card")
    foreign.settle()
    assert foreign.case(invoice).state is CaseState.NEEDS_CUSTOMER
    foreign.double.give_card(customer, None)
    foreign.settle()
    assert foreign.case(invoice).recovered_by is RecoveredBy.NEW_CARD


@REFUSES
@pytest.mark.long
def test_a_voided_invoice_closes_its_case(foreign: ForeignStage) -> None:
    _, invoice = renewal_fails(foreign, "do_not_honor")
    foreign.double.void(invoice)
    foreign.settle()
    case = foreign.case(invoice)
    assert (case.state, case.stop_reason) == (CaseState.CLOSED, StopReason.VOIDED)


@IGNORES
@pytest.mark.long
def test_a_customer_who_leaves_is_left_alone(foreign: ForeignStage) -> None:
    customer, invoice = renewal_fails(foreign, "do_not_honor")
    foreign.double.cancel(customer)
    foreign.settle()
    foreign.advance(days=30)
    assert foreign.case(invoice).stop_reason is StopReason.CANCELLED
    assert foreign.double.charged == []


@IGNORES
@pytest.mark.long
def test_one_customers_failure_touches_nobody_else(foreign: ForeignStage) -> None:
    other, others_invoice = renewal_fails(foreign, "do_not_honor")
    customer, invoice = renewal_fails(foreign, "stolen_card")
    foreign.double.give_card(customer, None)
    foreign.settle()
    assert foreign.case(invoice).state is CaseState.RECOVERED
    assert foreign.case(others_invoice).state is CaseState.WAITING
    assert [paid for paid, _ in foreign.double.charged] == [invoice]
    assert foreign.double.objects[other]["invoice_settings"]["default_payment_method"] in foreign.double.cards
