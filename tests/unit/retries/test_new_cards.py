"""A card that was put in place after the failure: tried at once, once, and not against a rule."""

from datetime import UTC, datetime

from app.retries.decisions import AskCustomer, Reason, RetryAt
from app.retries.facts import DeclineSignals
from app.retries.network_rules import window_end
from app.retries.planner import decide
from tests.unit.retries.cases import (
    DRIVE,
    END,
    FAILED_AT,
    MASTERCARD,
    OBSERVE,
    VISA,
    after,
    case,
    declined,
    retry,
)

LOST = DeclineSignals(decline_code="lost_card")
EXPIRED = DeclineSignals(decline_code="expired_card")
CANCELLED_AT_BANK = DeclineSignals(network_decline_code="51", network_advice_code="21")


def test_a_new_card_is_tried_at_once_and_exactly_once() -> None:
    facts = case(LOST, new_card_at=after(4), card=MASTERCARD)
    assert retry(facts, now=after(4)) == RetryAt(after(4), Reason.NEW_CARD, ("new_card",))
    tried = case(LOST, new_card_at=after(4), card=MASTERCARD, retries=(declined(after(4, 0.1)),))
    assert retry(tried, now=after(4, 1)).reason == Reason.LADDER


def test_a_new_card_is_tried_in_observe_mode_in_the_night_and_after_the_window_too() -> None:
    midnight = datetime(2026, 12, 8, 0, 0, tzinfo=UTC)
    facts = case(new_card_at=midnight, timezone="UTC")
    assert midnight > window_end(facts, OBSERVE)
    assert retry(facts, OBSERVE, midnight).at == midnight


def test_the_same_digits_entered_anew_do_not_revive_a_lost_card() -> None:
    attempts = (declined(FAILED_AT, LOST, fingerprint="fp_visa", payment_method_id="pm_old"),)
    facts = case(attempts=attempts, card=VISA, payment_method_id="pm_new", new_card_at=after(2))
    assert decide(facts, DRIVE, after(2)) == AskCustomer(Reason.CARD_REFUSED, "new_card", END)


def test_the_same_digits_with_a_new_expiry_are_tried() -> None:
    attempts = (declined(FAILED_AT, EXPIRED, fingerprint="fp_visa"),)
    assert retry(case(attempts=attempts, new_card_at=after(2)), now=after(2)).reason == Reason.NEW_CARD


def test_an_updaters_card_is_not_charged_after_the_cardholder_cancelled_at_the_bank() -> None:
    attempts = (declined(FAILED_AT, CANCELLED_AT_BANK, fingerprint="fp_old", brand="mastercard"),)
    updated = case(attempts=attempts, card=MASTERCARD, new_card_at=after(2), new_card_by="updater")
    given = case(attempts=attempts, card=MASTERCARD, new_card_at=after(2), new_card_by="payer")
    assert decide(updated, DRIVE, after(2)) == AskCustomer(Reason.CONSENT_WITHDRAWN, "new_card", END)
    assert retry(given, now=after(2)).reason == Reason.NEW_CARD


def test_an_earlier_cards_code_is_read_in_the_words_of_its_own_network() -> None:
    stop_order_at_visa = DeclineSignals(network_decline_code="R1")
    attempts = (declined(FAILED_AT, stop_order_at_visa, fingerprint="fp_old", brand="visa"),)
    facts = case(attempts=attempts, card=MASTERCARD, new_card_at=after(1), new_card_by="updater")
    assert isinstance(decide(facts, DRIVE, after(1)), AskCustomer)
