"""When Stripe tries again by itself, and when it only says so."""

from typing import Any

import pytest

from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.shapes.invoice import new_invoice
from app.sandbox.staging import new_card
from tests.unit.sandbox.play import DAY, START, Play


def test_a_card_issued_in_india_is_not_retried_though_the_count_goes_on(play: Play) -> None:
    # "India-issued cards are not retried at all"; "count and schedule still advance".
    made = play.failing("insufficient_funds", "approve", card="pm_card_in")
    play.run_to(START + 6 * DAY)
    invoice = play.invoice(made)
    assert (invoice["status"], invoice["attempt_count"], play.charges("failed")) == ("open", 4, 1)
    play.act(new_card, made["customer"], {"card": "pm_card_visa"})
    play.run_to(START + 8 * DAY)
    assert play.invoice(made)["status"] == "paid"


def test_a_number_renewed_by_the_network_is_tried_although_its_old_one_was_lost(play: Play) -> None:
    made = play.failing("lost_card")
    play.run_to(START + 3 * DAY)
    assert play.charges("failed") == 1
    play.act(new_card, made["customer"], {"by": "updater"})
    play.run_to(START + 5 * DAY)
    assert play.invoice(made)["status"] == "paid"


def test_the_default_schedule_stretches_to_the_window_that_was_chosen(play: Play) -> None:
    # "Windows 1 week, 2 weeks, 3 weeks, 1 month, 2 months".
    play.policy(smart_window_days=30, end_behavior="past_due")
    made = play.failing("insufficient_funds")
    play.run_to(START + 40 * DAY)
    failed = play.events("invoice.payment_failed")
    renewal = [event for event in failed if event["data"]["object"]["id"] == made["invoice"]]
    days = (renewal[-1]["created"] - START) / DAY
    assert (len(renewal), 29 < days < 31) == (9, True)


def test_a_custom_schedule_has_at_most_three_retries(play: Play) -> None:
    with pytest.raises(StripeRefusal, match="retry_days"):
        play.policy(retries="custom:1,2,3,4")


def test_an_older_sandbox_with_more_custom_retries_keeps_the_first_three(play: Play) -> None:
    play.policy(retries="custom:1,2,3")
    kept = play.find("_policy", "account")
    play.act(lambda ledger: ledger.save({**kept, "retry_days": [1, 2, 3, 4, 5]}, "_policy"))
    play.policy(end_behavior="past_due")
    play.failing("insufficient_funds")
    play.run_to(START + 20 * DAY)
    assert [(event["created"] - START) // DAY for event in play.events("invoice.payment_failed")] == [0, 1, 3, 6]


@pytest.mark.parametrize("retried", [True, False])
def test_one_off_invoices_have_a_switch_of_their_own(play: Play, retried: bool) -> None:
    play.policy(retry_one_off=retried)
    made = play.customer(script=["insufficient_funds"])
    one_off = play.act(_one_off, made["customer"])
    play.run_to(START + 2 * 3600)
    assert (play.find("invoice", one_off)["next_payment_attempt"] is not None) == retried


def test_with_billing_automations_the_next_try_is_told_after_the_failure(play: Play) -> None:
    # "for users of Billing automations it is no longer set in `invoice.payment_failed`"
    play.policy(billing_automations=True)
    made = play.failing("insufficient_funds")
    told = play.events("invoice.payment_failed", "invoice.updated")
    failed = next(place for place, event in enumerate(told) if event["type"] == "invoice.payment_failed")
    assert told[failed]["data"]["object"]["next_payment_attempt"] is None
    after = told[failed + 1]["data"]
    assert after["previous_attributes"] == {"next_payment_attempt": None}
    assert after["object"]["next_payment_attempt"] == play.invoice(made)["next_payment_attempt"] > START
    play.run_to(START + 3 * DAY)
    assert play.invoice(made)["attempt_count"] == 2


def test_a_draft_says_that_it_will_be_tried_in_an_hour(play: Play) -> None:
    # Recorded: `invoice.created` of a draft carries `next_payment_attempt` an hour after `created`.
    made = play.customer()
    end = play.subscription(made)["items"]["data"][0]["current_period_end"]
    play.run_to(end)
    created = play.events("invoice.created")[-1]["data"]["object"]
    assert (created["status"], created["next_payment_attempt"]) == ("draft", end + 3600)
    assert created["automatically_finalizes_at"] == end + 3600


def test_paying_any_invoice_ends_delinquency(play: Play) -> None:
    # "Paying or marking uncollectible any customer invoice … will always set this field to `false`."
    made = play.failing("insufficient_funds")
    assert play.find("customer", made["customer"])["delinquent"]
    play.act(new_card, made["customer"], {"card": "pm_card_visa"})
    play.act(_one_off, made["customer"])
    play.run_to(START + 2 * 3600)
    assert (play.find("customer", made["customer"])["delinquent"], play.invoice(made)["status"]) == (False, "open")


def _one_off(ledger: Ledger, customer: str) -> Any:
    invoice = new_invoice(ledger.get("customer", customer), "usd", ledger.now, amount_due=1500, amount_remaining=1500)
    invoice.update(total=1500, subtotal=1500)
    ledger.add(invoice, "invoice.created")
    ledger.set_timer("finalize", invoice["id"], ledger.now + 3600)
    return invoice["id"]
