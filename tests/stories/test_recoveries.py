"""Thirty days of a case, told through real HTTP with the clock turned by the test."""

from app.vocabulary import CaseState, RecoveredBy
from tests.stage import Stage


def test_a_soft_decline_is_recovered_by_a_retry_without_a_word_to_the_customer(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "insufficient_funds", "approve")
    assert stage.case(invoice).state is CaseState.WAITING
    stage.advance(days=2)
    case = stage.case(invoice)
    assert case.state is CaseState.RECOVERED
    assert case.recovered_by is RecoveredBy.RETRY
    assert stage.messages(invoice) == []
