"""Thirty days of a case over real HTTP, the clock turned by the test: the ways in which money comes back."""

import pytest

from app.accounts.connections import connect
from app.campaigns.definition import MONTHLY, FinalActionSettings
from app.models import Connection, SubscriptionSnapshot
from app.recovery.invariants import find_offences
from app.vocabulary import (
    AttemptSource,
    CaseState,
    ConnectionMode,
    FinalActionKind,
    FinalActionState,
    MessageState,
    RecoveredBy,
)
from tests.stage import LADDER, Stage
from tests.stories.customer import Browser, link_in, newest_mail


@pytest.fixture(autouse=True)
def _everything_is_as_promised(stage: Stage) -> object:
    """At the end of every story, no invariant may be broken."""
    yield
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []


def facts_of(stage: Stage, invoice: str) -> list[str]:
    return [entry.name for entry in stage.timeline(invoice) if entry.kind == "fact"]


def charges_in_books(stage: Stage, invoice: str) -> int:
    """Successful charges of an invoice in the sandbox's own books."""
    books = stage.http.get(f"{stage.sandbox.url}/_sandbox/books", timeout=30).json()
    row = next(row for row in books["invoices"] if row["invoice"] == invoice)
    return int(row["successful_charges"])


def test_a_soft_decline_is_recovered_by_a_retry_without_a_word_to_the_customer(stage: Stage) -> None:
    stage.use_campaign(LADDER)
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "insufficient_funds", "approve")
    assert stage.case(invoice).state is CaseState.WAITING
    stage.advance(days=2)
    case = stage.case(invoice)
    assert (case.state, case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.RETRY)
    assert case.recovered_amount == 4900
    assert stage.messages(invoice) == []
    assert charges_in_books(stage, invoice) == 1


def test_a_later_retry_recovers_and_the_customer_is_thanked_because_they_were_written_to(stage: Stage) -> None:
    stage.use_campaign(LADDER)
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "do_not_honor", "do_not_honor", "do_not_honor", "approve")
    stage.advance(days=9)
    assert stage.case(invoice).recovered_by is RecoveredBy.RETRY
    kinds = [mail.kind for mail in stage.messages(invoice) if mail.accepted_at]
    assert kinds[0] == "payment_failed"
    assert kinds[-1] == "recovered"
    assert [attempt.source for attempt in stage.attempts(invoice)] == [AttemptSource.STRIPE] + 3 * [
        AttemptSource.RECOUP
    ]


def test_a_dead_card_is_replaced_on_the_customers_page_and_the_invoice_paid_at_once(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com", card_on="subscription")
    invoice = stage.fail(robin["customer"], "expired_card")
    assert stage.case(invoice).state is CaseState.NEEDS_CUSTOMER
    mail = newest_mail(stage, invoice, "payment_failed")
    browser = Browser().open(link_in(mail))
    assert "49" in browser.text
    browser.submit("/card")
    browser.submit("", card="pm_card_mastercard")
    stage.settle()
    case = stage.case(invoice)
    assert (case.state, case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.NEW_CARD)
    assert charges_in_books(stage, invoice) == 1
    subscription = stage.stripe("GET", f"subscriptions/{robin['subscription']}")
    customer = stage.stripe("GET", f"customers/{robin['customer']}")
    assert subscription["default_payment_method"] == customer["invoice_settings"]["default_payment_method"]
    assert newest_mail(stage, invoice, "recovered").state is MessageState.DELIVERED


def test_a_payment_that_needs_approval_is_approved_on_the_hosted_page(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "requires_action")
    case = stage.case(invoice)
    assert (case.state, case.customer_reason) == (CaseState.NEEDS_CUSTOMER, "needs_approval")
    browser = Browser().open(link_in(newest_mail(stage, invoice, "action_required")))
    browser.submit("/approve")
    browser.submit("", answer="approve")
    stage.settle()
    case = stage.case(invoice)
    assert (case.state, case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.AUTHENTICATION)


def test_stripes_own_retry_recovers_what_recoup_only_observes(stage: Stage) -> None:
    with stage.context.database.organization(stage.organization_id) as session:
        session.get_one(Connection, stage.connection_id).mode = ConnectionMode.OBSERVE
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "insufficient_funds", "insufficient_funds", "approve")
    stage.advance(days=6)
    case = stage.case(invoice)
    assert (case.state, case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.STRIPE_RETRY)
    assert {attempt.source for attempt in stage.attempts(invoice)} == {AttemptSource.STRIPE}


def test_an_invoice_paid_out_of_band_ends_the_case_and_counts_apart(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "do_not_honor")
    stage.stripe("POST", f"invoices/{invoice}/pay", paid_out_of_band="true")
    stage.advance(days=10)
    case = stage.case(invoice)
    assert (case.state, case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.OUT_OF_BAND)
    assert len(stage.attempts(invoice)) == 1
    assert charges_in_books(stage, invoice) == 0


def test_two_open_invoices_are_both_paid_by_one_new_card_oldest_first(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    older = stage.fail(robin["customer"], "lost_card")
    stage.advance(days=3)
    newer = stage.fail(robin["customer"], "lost_card")
    browser = Browser().open(link_in(newest_mail(stage, older, "payment_failed")))
    browser.submit("/card")
    browser.submit("", card="pm_card_mastercard")
    stage.settle()
    assert [stage.case(one).recovered_by for one in (older, newer)] == 2 * [RecoveredBy.NEW_CARD]
    paid = [stage.attempts(one)[-1].started_at for one in (older, newer)]
    assert paid == sorted(paid)


def test_a_case_that_runs_out_is_downgraded_and_a_late_payment_brings_everything_back(stage: Stage) -> None:
    free = stage.stripe(
        "POST",
        "prices",
        **{
            "product": stage.stripe("POST", "products", name="Free")["id"],
            "currency": "usd",
            "unit_amount": "0",
            "recurring[interval]": "month",
        },
    )["id"]
    action = FinalActionSettings(kind=FinalActionKind.DOWNGRADE, prices={"usd": free})
    stage.use_campaign(MONTHLY.model_copy(update={"final_action": action}))
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "generic_decline")
    stage.advance(days=29)
    case = stage.case(invoice)
    assert case.state is CaseState.EXHAUSTED
    items = stage.stripe("GET", f"subscriptions/{robin['subscription']}")["items"]["data"]
    assert items[0]["price"]["id"] == free
    changed = newest_mail(stage, invoice, "subscription_changed")
    browser = Browser().open(link_in(changed))
    browser.submit("/card")
    browser.submit("", card="pm_card_visa")
    stage.settle()
    stage.advance(hours=1)
    case = stage.case(invoice)
    assert (case.state, case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.NEW_CARD)
    items = stage.stripe("GET", f"subscriptions/{robin['subscription']}")["items"]["data"]
    assert items[0]["price"]["id"] == robin["price"]
    assert [row.state for row in stage.rows(SubscriptionSnapshot)] == [FinalActionState.RESTORED]
    told = newest_mail(stage, invoice, "subscription_changed")
    assert told.id != changed.id
    assert "is back" in (told.subject or "")
    assert "recovered" not in {mail.kind for mail in stage.messages(invoice)}


def test_connecting_again_renews_the_key_and_makes_no_second_endpoint(stage: Stage) -> None:
    stage.control("keys", key="rk_test_another")
    again = connect(
        stage.context,
        stage.organization_id,
        api_key="rk_test_another",
        webhook_secret=None,
        mode=ConnectionMode.DRIVE,
        actor="test",
    )
    assert again.connection_id == stage.connection_id
    assert len(stage.stripe("GET", "webhook_endpoints")["data"]) == 1
