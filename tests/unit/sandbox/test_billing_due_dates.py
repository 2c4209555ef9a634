"""Invoices that are sent: what happens around their due date."""

import pytest

from app.sandbox.billing import cycles
from app.sandbox.ledger import Ledger
from app.sandbox.store import Doc
from tests.unit.sandbox.play import DAY, HOUR, Play, pay


def sent(play: Play, days: int = 14) -> tuple[Doc, Doc]:
    """A subscription whose renewals are sent, and its first open one; the clock stands at its finalization."""
    made = play.customer()

    def send(ledger: Ledger) -> None:
        doc = ledger.get("subscription", made["subscription"])
        ledger.save({**doc, "collection_method": "send_invoice", "days_until_due": days})

    play.act(send)
    end = cycles.period_of(play.subscription(made))[1]
    play.run_to(end + HOUR)
    return made, play.find("invoice", play.subscription(made)["latest_invoice"])


def test_an_invoice_that_is_sent_becomes_past_due_when_its_date_passes(play: Play) -> None:
    # "it becomes `past_due` when its invoice is not paid by the due date"
    made, invoice = sent(play)
    assert (invoice["status"], invoice["next_payment_attempt"]) == ("open", None)
    assert invoice["due_date"] == invoice["created"] + 14 * DAY
    play.run_to(invoice["due_date"] - 1)
    assert play.subscription(made)["status"] == "active"
    play.run_to(invoice["due_date"])
    assert play.subscription(made)["status"] == "past_due"
    assert play.find("customer", made["customer"])["delinquent"]
    assert play.find("invoice", invoice["id"])["attempt_count"] == 0
    play.act(pay, invoice["id"], made["payment_method"])
    assert play.subscription(made)["status"] == "active"


@pytest.mark.parametrize("automated", [True, False])
def test_due_dates_are_announced_only_by_a_billing_automation(play: Play, automated: bool) -> None:
    # "only emitted when the account has a Billing automation for them"
    play.policy(billing_automations=automated)
    _, invoice = sent(play)
    play.run_to(invoice["due_date"] + HOUR)
    told = play.events("invoice.will_be_due", "invoice.overdue")
    expected = [("invoice.will_be_due", invoice["due_date"] - 3 * DAY), ("invoice.overdue", invoice["due_date"])]
    assert [(event["type"], event["created"]) for event in told] == (expected if automated else [])


@pytest.mark.parametrize(("after", "status"), [("cancel", "canceled"), ("unpaid", "unpaid"), ("past_due", "past_due")])
def test_an_additional_deadline_ends_it_as_the_settings_say(play: Play, after: str, status: str) -> None:
    # "and `canceled` or `unpaid` if it is still not paid by an additional deadline after that"
    play.policy(overdue_end=after, overdue_end_days=10)
    made, invoice = sent(play)
    play.run_to(invoice["due_date"] + 9 * DAY)
    assert play.subscription(made)["status"] == "past_due"
    play.run_to(invoice["due_date"] + 10 * DAY)
    assert play.subscription(made)["status"] == status


def test_an_invoice_that_was_paid_in_time_has_no_due_date_left(play: Play) -> None:
    play.policy(billing_automations=True)
    made, invoice = sent(play)
    play.act(pay, invoice["id"], made["payment_method"])
    play.run_to(invoice["due_date"] + DAY)
    assert play.events("invoice.will_be_due", "invoice.overdue") == []
    assert play.subscription(made)["status"] == "active"


def test_a_renewal_is_announced_a_week_before_with_an_invoice_that_has_no_id(play: Play) -> None:
    # "N days before renewal (setting); object has no id"
    made = play.customer(amount=4900)
    end = cycles.period_of(play.subscription(made))[1]
    play.run_to(end - 7 * DAY - 1)
    assert play.events("invoice.upcoming") == []
    play.run_to(end - 7 * DAY)
    announced = play.events("invoice.upcoming")[0]["data"]["object"]
    assert "id" not in announced
    assert (announced["billing_reason"], announced["amount_due"], announced["status"]) == ("upcoming", 4900, "draft")
    assert (announced["created"], announced["next_payment_attempt"]) == (end, end + HOUR)
    assert announced["lines"]["data"][0]["period"]["start"] == end
    play.run_to(end)
    assert play.find("invoice", play.subscription(made)["latest_invoice"])["total"] == announced["total"]


@pytest.mark.parametrize(
    "change",
    [{"pause_collection": {"behavior": "void", "resumes_at": None}}, {"cancel_at_period_end": True}],
)
def test_a_renewal_that_will_not_be_charged_is_not_announced(play: Play, change: Doc) -> None:
    # "no upcoming-invoice events" while collection is paused
    made = play.customer()
    play.act(lambda ledger: ledger.save({**ledger.get("subscription", made["subscription"]), **change}))
    play.run_to(cycles.period_of(play.subscription(made))[1])
    assert play.events("invoice.upcoming") == []
