"""Charges, intents, methods and decline signals come out in one shape."""

from dataclasses import fields

import pytest

from app.stripe_gateway.readers import (
    merge_signals,
    read_card,
    read_charge,
    read_error_signals,
    read_latest_charge,
    read_payment_intent,
    read_payment_method,
)
from app.stripe_gateway.snapshots import Signals

CARD = {
    "brand": "mastercard",
    "funding": "debit",
    "country": "DE",
    "fingerprint": "fp",
    "last4": "4444",
    "exp_month": 4,
    "exp_year": 2029,
}
FAILED = {
    "id": "ch_1",
    "amount": 900,
    "currency": "eur",
    "status": "failed",
    "failure_code": "card_declined",
    "payment_intent": "pi_1",
    "payment_method": "pm_1",
    "payment_method_details": {"type": "card", "card": CARD},
    "outcome": {
        "type": "issuer_declined",
        "reason": "insufficient_funds",
        "network_status": "declined_by_network",
        "advice_code": "try_again_later",
        "network_decline_code": "51",
        "network_advice_code": "24",
    },
}


def test_a_failed_charge_carries_all_eight_signals() -> None:
    signals = read_charge(FAILED).signals
    assert all(getattr(signals, part.name) for part in fields(Signals))
    assert signals.decline_code == "insufficient_funds"


def test_a_block_by_stripe_is_no_decline_code_of_the_issuer() -> None:
    outcome = {"type": "blocked", "reason": "previously_declined_do_not_retry", "network_status": "not_sent_to_network"}
    signals = read_charge({**FAILED, "outcome": outcome}).signals
    assert signals.decline_code is None
    assert (signals.outcome_type, signals.outcome_reason) == ("blocked", "previously_declined_do_not_retry")


def test_a_charge_from_the_sources_era_has_its_card_in_the_source() -> None:
    source = {"id": "card_1", "object": "card", "brand": "American Express", "last4": "0005", "funding": "credit"}
    charge = read_charge({"id": "ch_1", "paid": True, "source": source})
    assert charge.card is not None
    assert (charge.card.brand, charge.payment_method_id, charge.status) == ("amex", "card_1", "succeeded")


@pytest.mark.parametrize("dispute", [{"disputed": True}, {"dispute": "dp_1"}, {"dispute": {"id": "dp_1"}}])
def test_a_dispute_is_seen_in_old_and_new_charges(dispute: dict[str, object]) -> None:
    assert read_charge({**FAILED, **dispute}).disputed
    assert not read_charge(FAILED).disputed


def test_the_intent_joins_its_last_error_with_the_charge_it_lists() -> None:
    error = {
        "code": "card_declined",
        "decline_code": "do_not_honor",
        "charge": "ch_1",
        "payment_method": {"id": "pm_1", "card": CARD},
    }
    old = {
        "id": "pi_1",
        "status": "requires_payment_method",
        "last_payment_error": error,
        "charges": {"data": [FAILED]},
    }
    intent = read_payment_intent(old)
    assert (intent.latest_charge_id, intent.payment_method_id) == ("ch_1", "pm_1")
    assert (intent.signals.decline_code, intent.signals.network_decline_code) == ("do_not_honor", "51")
    assert intent.card is not None
    assert intent.card.last4 == "4444"


def test_the_newest_of_listed_charges_is_the_latest() -> None:
    listed = {"charges": {"data": [{"id": "ch_2", "created": 20}, {"id": "ch_1", "created": 10}]}}
    assert (read_latest_charge(listed) or {})["id"] == "ch_2"
    assert read_latest_charge({"latest_charge": "ch_1"}) is None


def test_an_intent_says_what_the_payer_has_to_do() -> None:
    intent = read_payment_intent({"id": "pi_1", "status": "requires_action", "next_action": {"type": "use_stripe_sdk"}})
    assert intent.next_action_type == "use_stripe_sdk"


def test_signals_are_completed_and_never_overwritten() -> None:
    first = read_error_signals({"code": "card_declined", "decline_code": "generic_decline"})
    merged = merge_signals(first, Signals(code="other", network_decline_code="05"))
    assert merged == Signals(code="card_declined", decline_code="generic_decline", network_decline_code="05")


def test_a_payment_method_is_read_with_its_card_and_billing_country() -> None:
    method = read_payment_method(
        {
            "id": "pm_1",
            "type": "card",
            "customer": "cus_1",
            "card": CARD,
            "billing_details": {"address": {"country": "AT"}},
        }
    )
    assert (method.type, method.billing_country, method.customer_id) == ("card", "AT", "cus_1")
    assert method.card == read_card(CARD)


def test_what_is_no_card_has_none() -> None:
    method = read_payment_method({"id": "pm_2", "type": "sepa_debit", "sepa_debit": {"last4": "3000"}})
    assert (method.type, method.card) == ("sepa_debit", None)


def test_legacy_cards_and_sources_are_payment_methods_too() -> None:
    card = read_payment_method(
        {"id": "card_1", "object": "card", "customer": "cus_1", "brand": "Visa", "address_country": "FR"}
    )
    source = read_payment_method(
        {"id": "src_1", "object": "source", "type": "card", "card": CARD, "owner": {"address": {"country": "FR"}}}
    )
    assert card.card is not None
    assert (card.type, card.card.brand, card.billing_country) == ("card", "visa", "FR")
    assert (source.type, source.billing_country) == ("card", "FR")
