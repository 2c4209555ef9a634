"""Billing as time passes, over a real store and without HTTP."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.sandbox import issuer
from app.sandbox.billing import cycles, invoicing, payments, standing
from app.sandbox.errors import StripeRefusal
from app.sandbox.failing import fail_now
from app.sandbox.ledger import Ledger
from app.sandbox.staging import new_card, subscribed_customer
from app.sandbox.store import Doc
from tests.unit.sandbox.play import DAY, HOUR, START, Play, pay

TIMELINE = Path(__file__).parents[3].parent / "shared" / "stripe" / "derived" / "smart_retries_timeline.json"


def test_a_renewal_is_drafted_at_the_boundary_and_charged_an_hour_later(play: Play) -> None:
    made = play.customer()
    boundary = play.subscription(made)["items"]["data"][0]["current_period_end"]
    assert datetime.fromtimestamp(boundary, UTC) == datetime(2027, 2, 28, 9, tzinfo=UTC)
    play.run_to(boundary)
    invoice = play.find("invoice", play.subscription(made)["latest_invoice"])
    assert (invoice["status"], invoice["billing_reason"]) == ("draft", "subscription_cycle")
    assert (invoice["created"], invoice["automatically_finalizes_at"]) == (boundary, boundary + HOUR)
    assert (invoice["period_start"], invoice["period_end"]) == (START, boundary)
    play.run_to(boundary + HOUR)
    paid = play.find("invoice", invoice["id"])
    assert (paid["status"], paid["auto_advance"], paid["amount_remaining"]) == ("paid", False, 0)
    assert paid["status_transitions"]["paid_at"] == boundary + HOUR


def test_a_subscription_begun_on_the_last_of_january_comes_back_to_the_last(play: Play) -> None:
    made = play.customer()
    ends = []
    for _ in range(3):
        end = play.subscription(made)["items"]["data"][0]["current_period_end"]
        ends.append(datetime.fromtimestamp(end, UTC).strftime("%m-%d"))
        play.run_to(end + 2 * HOUR)
    assert ends == ["02-28", "03-31", "04-30"]


def test_past_due_is_told_before_the_failure(play: Play) -> None:
    play.failing("insufficient_funds")
    told = [event["type"] for event in play.events()]
    failed = told.index("invoice.payment_failed")
    past_due = [
        place
        for place, event in enumerate(play.events())
        if event["type"] == "customer.subscription.updated" and event["data"]["object"]["status"] == "past_due"
    ]
    assert past_due[0] < failed


@pytest.mark.skipif(not TIMELINE.exists(), reason="the recorded timeline is not beside the project")
def test_stripes_default_retries_run_as_they_were_recorded(play: Play) -> None:
    recorded = [step for step in json.loads(TIMELINE.read_text())["steps"] if step["type"] == "invoice.payment_failed"]
    made = play.failing("insufficient_funds")
    play.run_to(START + 30 * DAY)
    seen = play.events("invoice.payment_failed")
    first = _minutes(recorded[0]["t"])
    assert [event["data"]["object"]["attempt_count"] for event in seen] == [step["attempt_count"] for step in recorded]
    assert [(event["created"] - START) // 60 for event in seen] == [_minutes(step["t"]) - first for step in recorded]
    following = [event["data"]["object"]["next_payment_attempt"] for event in seen]
    assert [moment and (moment - START) // 60 for moment in following] == [
        step["next_payment_attempt"] and _minutes(step["next_payment_attempt"]) - first for step in recorded
    ]
    ended = play.events("customer.subscription.deleted")[0]
    assert ended["created"] == seen[-1]["created"]
    assert ended["data"]["object"]["cancellation_details"]["reason"] == "payment_failed"
    assert (play.invoice(made)["status"], play.invoice(made)["auto_advance"]) == ("open", False)


def _minutes(text: str) -> int:
    """`14d21h47m`, and shorter, in minutes."""
    total, number = 0, ""
    for sign in text:
        if sign.isdigit():
            number += sign
        else:
            total += int(number) * {"d": 1440, "h": 60, "m": 1}[sign]
            number = ""
    return total


def test_paying_by_hand_neither_counts_nor_moves_the_schedule(play: Play) -> None:
    made = play.failing("insufficient_funds")
    before = play.invoice(made)
    play.now += HOUR
    for _ in range(3):
        play.act(pay, made["invoice"], made["payment_method"])
    after = play.invoice(made)
    assert (after["attempt_count"], after["next_payment_attempt"]) == (1, before["next_payment_attempt"])
    assert play.charges("failed") == 4


@pytest.mark.parametrize("code", ["lost_card", "stolen_card", "incorrect_number", "authentication_required"])
def test_after_a_never_code_the_count_goes_on_without_a_charge_until_another_card(play: Play, code: str) -> None:
    made = play.failing(code)
    play.run_to(START + 6 * DAY)
    assert play.invoice(made)["attempt_count"] == 4
    assert play.charges("failed") == 1
    play.act(new_card, made["customer"], {"card": "pm_card_mastercard"})
    play.run_to(START + 8 * DAY)
    assert play.invoice(made)["status"] == "paid"


def test_an_expired_card_is_retried_all_the_same(play: Play) -> None:
    play.failing("expired_card")
    play.run_to(START + 6 * DAY)
    assert play.charges("failed") == 4


def test_without_any_card_the_count_rises_and_nothing_is_charged(play: Play) -> None:
    made = play.customer()
    charged = play.charges("succeeded")

    def forget(ledger: Ledger) -> None:
        ledger.get("customer", made["customer"])["invoice_settings"]["default_payment_method"] = None
        ledger.save(ledger.get("customer", made["customer"]))

    play.act(forget)
    boundary = play.subscription(made)["items"]["data"][0]["current_period_end"]
    play.run_to(boundary + 3 * DAY)
    invoice = play.find("invoice", play.subscription(made)["latest_invoice"])
    assert (invoice["attempt_count"], invoice["status"]) == (2, "open")
    assert (play.charges("failed"), play.charges("succeeded")) == (0, charged)


def test_retries_can_be_off_and_then_the_subscription_waits(play: Play) -> None:
    play.policy(retries="off")
    made = play.failing("insufficient_funds")
    assert play.invoice(made)["next_payment_attempt"] is None
    play.run_to(START + 20 * DAY)
    assert (play.charges("failed"), play.subscription(made)["status"]) == (1, "past_due")


def test_custom_retries_come_on_their_days(play: Play) -> None:
    play.policy(retries="custom", retry_days=[3, 5, 7], end_behavior="past_due")
    made = play.failing("insufficient_funds")
    play.run_to(START + 20 * DAY)
    days = [(event["created"] - START) // DAY for event in play.events("invoice.payment_failed")]
    assert days == [0, 3, 8, 15]
    assert play.subscription(made)["status"] == "past_due"


def test_unpaid_keeps_later_invoices_as_drafts_and_paying_the_latest_reactivates(play: Play) -> None:
    play.policy(end_behavior="unpaid")
    made = play.failing("insufficient_funds")
    play.run_to(START + 50 * DAY)
    subscription = play.subscription(made)
    latest = play.find("invoice", subscription["latest_invoice"])
    assert (subscription["status"], latest["status"], latest["auto_advance"]) == ("unpaid", "draft", False)
    method = play.act(new_card, made["customer"], {"card": "pm_card_visa"})["payment_method"]
    play.act(pay, made["invoice"], method)
    assert play.subscription(made)["status"] == "unpaid"
    play.act(lambda ledger: invoicing.finalize(ledger, ledger.get("invoice", latest["id"])))
    play.act(pay, latest["id"], method)
    assert play.subscription(made)["status"] == "active"


def test_auto_advance_off_stops_stripes_own_retries(play: Play) -> None:
    made = play.failing("insufficient_funds")

    def stop(ledger: Ledger) -> None:
        standing.stop_collecting(ledger, ledger.get("invoice", made["invoice"]))

    play.act(stop)
    play.run_to(START + 20 * DAY)
    invoice = play.invoice(made)
    assert (invoice["attempt_count"], invoice["next_payment_attempt"], invoice["status"]) == (1, None, "open")
    assert play.subscription(made)["status"] == "past_due"


def test_a_payment_that_wants_authentication_leaves_the_count_at_nought(play: Play) -> None:
    made = play.failing("requires_action")
    invoice = play.invoice(made)
    assert (invoice["attempted"], invoice["attempt_count"]) == (True, 0)
    assert [event["type"] for event in play.events("invoice.payment_action_required", "invoice.payment_failed")] == [
        "invoice.payment_action_required"
    ]
    play.act(pay, made["invoice"], made["payment_method"], authenticated=True)
    assert play.invoice(made)["status"] == "paid"


def test_every_attempt_is_a_new_charge_on_the_same_intent(play: Play) -> None:
    made = play.failing("insufficient_funds", "do_not_honor", "approve")
    play.run_to(START + 5 * DAY)
    intents = {
        json.loads(body)["payment_intent"]
        for (body,) in play.world.store.fetch("select body from objects where kind = 'charge' and status = 'failed'")
    }
    assert len(intents) == 1
    assert (play.charges("failed"), play.invoice(made)["status"]) == (2, "paid")


def test_the_subscriptions_own_card_goes_before_the_customers(play: Play) -> None:
    made = play.failing("lost_card", card_on="subscription")
    play.act(new_card, made["customer"], {"card": "pm_card_visa"})
    method = play.act(lambda ledger: payments.method_for(ledger, ledger.get("invoice", made["invoice"])))
    assert method["id"] == made["payment_method"]


@pytest.mark.parametrize(
    ("behavior", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")]
)
def test_a_pause_decides_what_becomes_of_new_invoices(play: Play, behavior: str, status: str) -> None:
    made = play.customer()
    end = play.subscription(made)["items"]["data"][0]["current_period_end"]

    def pause(ledger: Ledger) -> None:
        doc = ledger.get("subscription", made["subscription"])
        doc["pause_collection"] = {"behavior": behavior, "resumes_at": end + DAY}
        ledger.save(doc)
        ledger.set_timer("resume", doc["id"], end + DAY)

    play.act(pause)
    play.run_to(end + 2 * HOUR)
    assert play.find("invoice", play.subscription(made)["latest_invoice"])["status"] == status
    assert play.subscription(made)["status"] == "active"
    play.run_to(end + DAY)
    assert play.subscription(made)["pause_collection"] is None


def test_an_outage_declines_everything_and_uses_up_no_script(play: Play) -> None:
    made = play.customer(script=["approve"])
    play.act(issuer.begin_outage, START + 2 * HOUR)
    failed = play.act(fail_now, made["customer"], ["approve"])
    charge = play.find("charge", failed["charge"])
    assert charge["outcome"]["reason"] == "issuer_not_available"
    play.run_to(START + 3 * DAY)
    assert play.find("invoice", failed["invoice"])["status"] == "paid"


def test_credit_pays_first_and_debts_too_small_wait_on_the_balance(play: Play) -> None:
    made = play.customer(amount=4900)

    def credit(ledger: Ledger) -> None:
        doc = ledger.get("customer", made["customer"])
        doc["balance"] = -4880
        ledger.save(doc)

    play.act(credit)
    end = play.subscription(made)["items"]["data"][0]["current_period_end"]
    charged = play.charges("succeeded")
    play.run_to(end + 2 * HOUR)
    invoice = play.find("invoice", play.subscription(made)["latest_invoice"])
    assert (invoice["amount_due"], invoice["status"], invoice["ending_balance"]) == (0, "paid", 20)
    assert play.find("customer", made["customer"])["balance"] == 20
    assert play.charges("succeeded") == charged


def test_a_first_payment_that_never_comes_expires_after_a_day(play: Play) -> None:
    def incomplete(ledger: Ledger) -> Doc:
        made = subscribed_customer(ledger, {"card": "pm_card_visa"})
        subscription = ledger.get("subscription", made["subscription"])
        subscription["status"] = "incomplete"
        issuer.set_script(ledger, made["payment_method"], ["do_not_honor"])
        cycles.begin(ledger, subscription)
        return made

    made = play.act(incomplete)
    assert play.subscription(made)["status"] == "incomplete"
    play.run_to(START + DAY)
    assert play.subscription(made)["status"] == "incomplete_expired"
    assert play.find("invoice", play.subscription(made)["latest_invoice"])["status"] == "void"


def test_a_refusal_inside_an_attempt_undoes_what_it_did(play: Play) -> None:
    def half_done(ledger: Ledger) -> None:
        with ledger.attempt():
            subscribed_customer(ledger, {})
            raise StripeRefusal(400, "no")

    with pytest.raises(StripeRefusal):
        play.act(half_done)
    assert play.events() == []


def test_what_happens_late_is_stamped_with_its_own_moment(play: Play) -> None:
    made = play.customer()
    boundary = play.subscription(made)["items"]["data"][0]["current_period_end"]
    play.run_to(boundary + int(timedelta(days=10).total_seconds()))
    invoice = play.find("invoice", play.subscription(made)["latest_invoice"])
    assert invoice["created"] == boundary
    assert invoice["status_transitions"]["paid_at"] == boundary + HOUR


def test_a_card_renewed_by_its_network_keeps_its_id_and_pays_at_the_next_retry(play: Play) -> None:
    made = play.failing("expired_card")
    renewed = play.act(new_card, made["customer"], {"by": "updater"})
    assert renewed["payment_method"] == made["payment_method"]
    told = play.events("payment_method.automatically_updated")[0]["data"]
    assert told["previous_attributes"]["card"]["last4"] == "4242"
    play.run_to(START + 3 * DAY)
    assert play.invoice(made)["status"] == "paid"


def test_a_planned_end_comes_with_the_period(play: Play) -> None:
    made = play.customer()
    end = play.subscription(made)["items"]["data"][0]["current_period_end"]

    def plan(ledger: Ledger) -> None:
        doc = ledger.get("subscription", made["subscription"])
        doc["cancel_at_period_end"] = True
        ledger.save(doc)

    play.act(plan)
    play.run_to(end)
    subscription = play.subscription(made)
    assert (subscription["status"], subscription["ended_at"]) == ("canceled", end)
    assert subscription["latest_invoice"] == made["invoice"]


def test_one_object_that_cannot_go_on_does_not_hold_up_the_others(play: Play) -> None:
    made = play.customer()
    end = play.subscription(made)["items"]["data"][0]["current_period_end"]
    play.act(lambda ledger: ledger.store.remove("customer", made["customer"]))
    other = play.customer()
    play.run_to(end + 2 * HOUR)
    assert play.find("invoice", play.subscription(other)["latest_invoice"])["billing_reason"] == "subscription_cycle"
