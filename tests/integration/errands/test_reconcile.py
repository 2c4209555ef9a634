"""What was missed is found, mended by the same ways as a webhook, and said; what was not missed is left alone."""

from datetime import timedelta

import pytest

from app.inbox.errands.running import rehearse
from app.inbox.errands.walk import BY_HAND
from app.models import Connection, Errand, Finding, InboxEvent, RecoveryCase
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


@pytest.mark.long
def test_what_was_found_once_is_not_found_again(stage: Stage) -> None:
    fail_unheard(stage)
    assert reconcile(stage)
    stage.settle()
    stage.advance(hours=1)
    assert reconcile(stage) == []


@pytest.mark.long
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


def test_an_event_that_stripe_has_forgotten_is_not_looked_for_for_ever(stage: Stage) -> None:
    stage.fail(stage.customer()["customer"])
    stage.advance(minutes=5)
    reconcile(stage)
    with stage.context.database.organization(stage.organization_id) as session:
        (before,) = session.query(Errand).filter_by(kind=ErrandKind.RECONCILE)
        groups = before.position["events"]["newest"]
        forgotten = dict.fromkeys(groups, "evt_of_last_year")
        before.position = {**before.position, "events": {**before.position["events"], "newest": forgotten}}
    assert reconcile(stage) == []
    newest = max(stage.rows(Errand, Errand.kind == ErrandKind.RECONCILE), key=lambda errand: errand.started_at)
    assert newest.position["events"]["newest"] == groups


def test_a_person_who_asks_gets_what_is_on_its_way_too(stage: Stage) -> None:
    customer = stage.customer()["customer"]
    stage.settle()
    stage.control("faults", kind="lost_webhook")
    invoice = stage.control("fail", customer=customer, script=["insufficient_funds"])["invoice"]
    stage.settle()
    stage.http.delete(f"{stage.sandbox.url}/_sandbox/faults", timeout=10)
    findings = reconcile(stage, {BY_HAND: True})
    assert any("may be on its way" in finding.why for finding in findings)
    stage.settle()
    assert stage.case(invoice).state is CaseState.WAITING


@pytest.mark.long
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


def forget_events(stage: Stage) -> None:
    """Stripe keeps no event of what has happened so far, as of everything that is older than thirty days."""
    stage.sandbox.world.store.execute("delete from objects where kind = 'event'")


def test_a_failure_that_no_event_tells_of_is_found_among_the_open_invoices(stage: Stage) -> None:
    invoice = fail_unheard(stage, "do_not_honor")
    forget_events(stage)
    (finding,) = reconcile(stage)
    assert (finding.kind, finding.subject) == (FindingKind.FAILURE_WITHOUT_CASE, invoice)
    assert finding.outcome == "read again; its case is now waiting"
    assert stage.case(invoice).decline_class == "soft_opaque"


def test_an_invoice_that_was_paid_or_voided_unheard_ends_its_case(stage: Stage) -> None:
    paid, voided = (stage.fail(stage.customer()["customer"]) for _ in range(2))
    stage.control("faults", kind="lost_webhook")
    stage.stripe("POST", f"invoices/{paid}/pay", paid_out_of_band="true")
    stage.stripe("POST", f"invoices/{voided}/void")
    stage.settle()
    forget_events(stage)
    stage.advance(minutes=5)
    findings = reconcile(stage)
    assert {(one.kind, one.subject) for one in findings} == {
        (FindingKind.INVOICE_ENDED, paid),
        (FindingKind.INVOICE_ENDED, voided),
    }
    assert stage.case(paid).state is CaseState.RECOVERED
    assert stage.case(voided).state is CaseState.CLOSED


@pytest.mark.long
def test_an_invoice_that_changed_unheard_is_read_again(stage: Stage) -> None:
    invoice = stage.fail(stage.customer()["customer"])
    stage.advance(minutes=5)
    stage.control("faults", kind="lost_webhook")
    stage.stripe("POST", f"invoices/{invoice}", auto_advance="true")
    stage.settle()
    forget_events(stage)
    stage.advance(minutes=5)
    (finding,) = reconcile(stage)
    assert finding.kind is FindingKind.INVOICE_CHANGED
    assert "auto_advance" in finding.why


def test_an_invoice_that_stripe_has_lost_is_told_of_once_and_is_for_a_person(stage: Stage) -> None:
    invoice = stage.fail(stage.customer()["customer"])
    stage.advance(minutes=5)
    stage.sandbox.world.store.execute("delete from objects where kind = 'invoice' and id = ?", invoice)
    forget_events(stage)
    (finding,) = reconcile(stage)
    assert (finding.kind, finding.subject) == (FindingKind.INVOICE_GONE, invoice)
    assert finding.outcome == "Stripe does not have it any more; stop its case by hand if that is right"
    (errand,) = stage.rows(Errand, Errand.kind == ErrandKind.RECONCILE, Errand.id == finding.errand_id)
    assert (errand.counts["for a person"], errand.counts.get("repaired")) == (1, None)
    assert stage.case(invoice).state is CaseState.WAITING  # nobody but a person ends it
    for _ in range(2):
        stage.advance(hours=1)
        assert reconcile(stage) == []


@pytest.mark.long
def test_of_an_event_that_was_lost_is_said_what_stripe_knows_of_it(stage: Stage) -> None:
    fail_unheard(stage)
    lost = next(finding for finding in reconcile(stage) if "invoice.payment_failed" in finding.why)
    assert "never arrived here. Stripe counts it as delivered: something on the way took it and lost it" in lost.why
    assert lost.outcome == "put into the inbox, and handled there like a webhook"


@pytest.mark.long
def test_of_an_event_that_stripe_could_not_deliver_is_said_that_it_could_not(stage: Stage) -> None:
    customer = stage.customer()["customer"]
    stage.settle()
    (endpoint,) = stage.stripe("GET", "webhook_endpoints")["data"]
    stage.stripe("POST", f"webhook_endpoints/{endpoint['id']}", url="http://127.0.0.1:9/nobody")
    stage.control("fail", customer=customer, script=["insufficient_funds"])
    stage.control("clock", to=(stage.now + timedelta(minutes=5)).isoformat())
    told = [finding.why for finding in reconcile(stage) if "invoice.payment_failed" in finding.why]
    assert told
    assert all(why.endswith("Stripe says that it could not be delivered.") for why in told)


@pytest.mark.long
def test_a_debt_from_before_the_connection_is_no_news(stage: Stage) -> None:
    fail_unheard(stage)
    forget_events(stage)
    with stage.context.database.organization(stage.organization_id) as session:
        session.get_one(Connection, stage.connection_id).created_at = stage.now
    assert reconcile(stage) == []
    assert stage.rows(RecoveryCase) == []


def test_an_endpoint_that_is_switched_off_or_gone_is_said(stage: Stage) -> None:
    (endpoint,) = stage.stripe("GET", "webhook_endpoints")["data"]
    stage.stripe("POST", f"webhook_endpoints/{endpoint['id']}", disabled="true")
    (off,) = reconcile(stage)
    assert "disabled" in off.why
    stage.stripe("DELETE", f"webhook_endpoints/{endpoint['id']}")
    (gone,) = reconcile(stage)
    assert (gone.kind, "no webhook endpoint" in gone.why) == (FindingKind.ENDPOINT, True)
    assert "recoup connect" in str(gone.outcome)
