"""What was missed is found, mended by the same ways as a webhook, and said; what was not missed is left alone."""

from app.inbox.errands.running import rehearse
from app.models import Connection, Finding, InboxEvent, RecoveryCase
from app.recovery.invariants import find_offences
from app.vocabulary import CaseState, ErrandKind, EventOrigin, FindingKind, InboxState
from tests.integration.errands.conftest import reconcile
from tests.stage import Stage


def kinds(findings: list[Finding]) -> set[FindingKind]:
    return {finding.kind for finding in findings}


def fail_unheard(stage: Stage, *script: str) -> str:
    """A renewal fails, and every webhook of the next minutes is lost; the invoice."""
    customer = stage.customer()["customer"]
    stage.settle()
    stage.control("faults", kind="lost_webhook")
    invoice = stage.control("fail", customer=customer, script=list(script) or ["insufficient_funds"])["invoice"]
    stage.settle()
    stage.http.delete(f"{stage.sandbox.url}/_sandbox/faults", timeout=10)
    assert stage.rows(RecoveryCase) == []
    stage.advance(minutes=5)
    return str(invoice)


def test_a_failure_whose_webhooks_were_lost_becomes_a_case(stage: Stage) -> None:
    invoice = fail_unheard(stage)
    findings = reconcile(stage)
    assert kinds(findings) == {FindingKind.MISSED_EVENT}
    assert any("invoice.payment_failed" in finding.why for finding in findings)
    assert all(finding.outcome for finding in findings)
    stage.settle()
    assert stage.case(invoice).state is CaseState.WAITING
    fetched = stage.rows(InboxEvent, InboxEvent.origin == EventOrigin.RECONCILE)
    assert {event.state for event in fetched} == {InboxState.HANDLED}
    assert len(fetched) == len(findings)


def test_what_was_found_once_is_not_found_again(stage: Stage) -> None:
    fail_unheard(stage)
    assert reconcile(stage)
    stage.settle()
    stage.advance(hours=1)
    assert reconcile(stage) == []


def test_where_nothing_was_missed_nothing_is_found(stage: Stage) -> None:
    invoice = stage.fail(stage.customer()["customer"])
    stage.advance(minutes=10)
    assert reconcile(stage) == []
    assert stage.case(invoice).state is CaseState.WAITING


def test_events_that_are_on_their_way_are_not_called_missed(stage: Stage) -> None:
    stage.customer()
    stage.settle()
    stage.control("faults", kind="lost_webhook")
    stage.customer()
    stage.settle()
    stage.http.delete(f"{stage.sandbox.url}/_sandbox/faults", timeout=10)
    assert reconcile(stage) == []
    stage.advance(minutes=3)
    assert kinds(reconcile(stage)) == {FindingKind.MISSED_EVENT}


def test_a_look_without_change_finds_the_same_and_writes_nothing(stage: Stage) -> None:
    fail_unheard(stage)
    (connection,) = stage.rows(Connection)
    walk = rehearse(stage.context, connection, ErrandKind.RECONCILE, lambda _walk: None, lambda: None)
    assert FindingKind.MISSED_EVENT in {found.kind for found in walk.rehearsed}
    assert stage.rows(Finding) == [] == stage.rows(RecoveryCase)
    assert len(reconcile(stage)) == len([one for one in walk.rehearsed if one.kind is FindingKind.MISSED_EVENT])


def test_nothing_promised_is_broken_by_it(stage: Stage) -> None:
    fail_unheard(stage)
    reconcile(stage)
    stage.advance(days=3)
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []
