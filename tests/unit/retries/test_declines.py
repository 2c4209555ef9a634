"""What a decline means: every row of the tables, and what happens when signals disagree."""

import csv
import re
from datetime import timedelta
from pathlib import Path

import pytest

from app.retries.declines import CODES, UNKNOWN, Stance, classify
from app.retries.facts import DeclineSignals
from app.retries.meanings import CustomerReason, DeclineClass, Fix

FACTS = Path(__file__).parents[3].parent / "shared" / "facts" / "decline_codes.csv"
TABLE_OF_SOURCE = {
    "stripe": "stripe_decline",
    "stripe_outcome_reason": "stripe_outcome",
    "stripe_error_code": "stripe_error",
    "stripe_advice_code": "stripe_advice",
    "stripe_lpm": "bank_debit",
    "mastercard_mac": "mastercard_advice",
}
FIELD_OF_TABLE = {
    "stripe_decline": "decline_code",
    "bank_debit": "decline_code",
    "stripe_outcome": "outcome_reason",
    "stripe_error": "code",
    "stripe_advice": "advice_code",
    "mastercard_advice": "network_advice_code",
}
VISA_NEVER = {"04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3"}
STRIPE_STOPS = {
    "incorrect_number",
    "lost_card",
    "pickup_card",
    "stolen_card",
    "revocation_of_authorization",
    "revocation_of_all_authorizations",
    "authentication_required",
    "transaction_not_allowed",
}


def signals_of(table: str, code: str) -> tuple[DeclineSignals, str]:
    field = FIELD_OF_TABLE.get(table, "network_decline_code")
    brand = "mastercard" if table == "mastercard_advice" else table
    return DeclineSignals(**{field: code}), brand


@pytest.mark.parametrize(("table", "code"), sorted(CODES))
def test_every_row_of_the_tables_resolves_to_itself(table: str, code: str) -> None:
    meaning = classify(*signals_of(table, code))
    row = CODES[table, code].meaning
    if (table, code) in {("bank_debit", "insufficient_funds")}:
        assert meaning.decline_class == row.decline_class
    else:
        assert meaning == row


@pytest.mark.parametrize(("table", "code"), sorted(CODES))
def test_every_row_is_consistent_and_says_where_it_comes_from(table: str, code: str) -> None:
    row = CODES[table, code]
    meaning = row.meaning
    assert meaning.may_retry == (meaning.fix is Fix.NOTHING)
    assert meaning.may_retry or (meaning.earliest_after is None and meaning.max_more is None)
    assert not (meaning.is_absolute and meaning.may_retry)
    assert meaning.decline_class is not DeclineClass.NETWORK_NEVER or meaning.is_absolute
    assert (meaning.decline_class is DeclineClass.AUTHENTICATION) == (meaning.fix is Fix.APPROVAL)
    assert meaning.description
    assert row.origin
    assert re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", row.as_of)


def test_the_customer_never_reads_of_loss_theft_or_fraud() -> None:
    hidden = [
        row.meaning
        for row in CODES.values()
        if row.meaning.decline_class is DeclineClass.FRAUD
        or re.search(r"lost|stolen|withdrawn|fraud|block list", row.meaning.description, re.IGNORECASE)
    ]
    shown = {meaning.customer_reason for meaning in hidden if meaning.fix is not Fix.NEW_CONSENT}
    assert len(hidden) > 20
    assert shown == {CustomerReason.BANK_DECLINED}


def test_visa_category_one_is_exactly_what_may_never_be_tried_again() -> None:
    absolute = {code for (table, code), row in CODES.items() if table == "visa" and row.meaning.is_absolute}
    assert absolute == VISA_NEVER


def test_the_codes_that_stripe_does_not_charge_again_are_absolute() -> None:
    assert all(CODES["stripe_decline", code].meaning.is_absolute for code in STRIPE_STOPS)
    assert CODES["stripe_outcome", "highest_risk_level"].meaning.is_absolute


@pytest.mark.parametrize(
    ("code", "hours"), [("24", 1), ("25", 24), ("26", 48), ("27", 96), ("28", 144), ("29", 192), ("30", 240)]
)
def test_mastercard_says_how_long_to_wait(code: str, hours: int) -> None:
    meaning = classify(DeclineSignals(network_decline_code="51", network_advice_code=code), "mastercard")
    assert meaning.earliest_after == timedelta(hours=hours)
    assert meaning.customer_reason is CustomerReason.NO_FUNDS


@pytest.mark.skipif(not FACTS.exists(), reason="the collected facts are not beside this checkout")
def test_no_code_of_the_collected_facts_is_missing() -> None:
    with FACTS.open(newline="") as file:
        known = {(TABLE_OF_SOURCE.get(row["source"], row["source"]), row["code"]) for row in csv.DictReader(file)}
    assert known == set(CODES)


@pytest.mark.parametrize("signals", [DeclineSignals(), DeclineSignals(code="card_declined", decline_code="brand_new")])
def test_an_unknown_code_is_soft_and_opaque_and_allows_two_more_tries(signals: DeclineSignals) -> None:
    meaning = classify(signals, "visa")
    assert meaning == UNKNOWN
    assert (meaning.decline_class, meaning.max_more) == (DeclineClass.SOFT_OPAQUE, 2)


@pytest.mark.parametrize(
    ("signals", "brand", "decided_by"),
    [
        (DeclineSignals(network_advice_code="03", network_decline_code="51"), "mastercard", "mastercard_advice:03"),
        (DeclineSignals(network_decline_code="54", advice_code="try_again_later"), "visa", "visa:54"),
        (DeclineSignals(advice_code="confirm_card_data", code="rate_limit"), None, "stripe_advice:confirm_card_data"),
        (DeclineSignals(outcome_reason="rule", decline_code="generic_decline"), "visa", "stripe_outcome:rule"),
        (DeclineSignals(outcome_reason="expired_card", decline_code="rule"), None, "stripe_decline:expired_card"),
        (DeclineSignals(decline_code="do_not_honor", code="expired_card"), "visa", "stripe_decline:do_not_honor"),
        (DeclineSignals(code="expired_card"), "visa", "stripe_decline:expired_card"),
        (DeclineSignals(decline_code="account_closed"), None, "bank_debit:account_closed"),
        (DeclineSignals(network_decline_code="5"), "visa", "visa:05"),
        (DeclineSignals(network_decline_code=" r1 "), "Visa", "visa:R1"),
        (DeclineSignals(network_decline_code="51", network_advice_code="03"), "visa", "visa:51"),
        (DeclineSignals(network_decline_code="14", decline_code="do_not_honor"), None, "stripe_decline:do_not_honor"),
        (DeclineSignals(network_decline_code="51"), "diners", "discover:51"),
    ],
)  # fmt: skip
def test_the_stronger_signal_decides(signals: DeclineSignals, brand: str | None, decided_by: str) -> None:
    assert classify(signals, brand).deciding_signal == decided_by


def test_permission_to_try_again_leaves_the_cause_to_a_soft_code_below() -> None:
    meaning = classify(DeclineSignals(advice_code="try_again_later", decline_code="insufficient_funds"), "visa")
    assert meaning.decline_class is DeclineClass.SOFT_TIMED


def test_permission_to_try_again_outranks_a_code_that_asks_for_new_details() -> None:
    meaning = classify(DeclineSignals(advice_code="try_again_later", decline_code="expired_card"), "visa")
    assert meaning.may_retry


@pytest.mark.parametrize("code", sorted(STRIPE_STOPS))
def test_no_stronger_signal_reopens_an_absolute_code(code: str) -> None:
    soft = DeclineSignals(network_decline_code="51", advice_code="try_again_later", decline_code=code)
    assert not classify(soft, "visa").may_retry


def test_withdrawn_consent_does_not_hide_behind_another_refusal_for_good() -> None:
    meaning = classify(
        DeclineSignals(advice_code="do_not_try_again", decline_code="revocation_of_authorization"), "visa"
    )
    assert meaning.fix is Fix.NEW_CONSENT


def test_the_longest_wait_and_the_smallest_cap_of_all_signals_hold() -> None:
    signals = DeclineSignals(
        network_decline_code="Z5",
        outcome_type="blocked",
        outcome_reason="low_probability_of_authorization",
        code="card_decline_rate_limit_exceeded",
    )
    meaning = classify(signals, "visa")
    assert (meaning.earliest_after, meaning.max_more) == (timedelta(hours=72), 1)


def test_a_wait_stands_beside_a_refusal_for_the_day_when_the_details_are_put_right() -> None:
    signals = DeclineSignals(advice_code="confirm_card_data", outcome_reason="previously_declined_do_not_retry")
    meaning = classify(signals, "visa")
    assert (meaning.fix, meaning.earliest_after) == (Fix.DETAILS, timedelta(hours=72))


def test_a_charge_that_stripe_blocked_waits_three_days_whatever_the_reason() -> None:
    signals = DeclineSignals(outcome_type="blocked", decline_code="generic_decline")
    assert classify(signals, "visa").earliest_after == timedelta(hours=72)


def test_a_remark_about_the_card_leaves_the_meaning_to_the_other_signals() -> None:
    assert CODES["mastercard_advice", "40"].stance is Stance.INFORMS
    meaning = classify(DeclineSignals(network_advice_code="40", network_decline_code="54"), "mastercard")
    assert meaning.deciding_signal == "mastercard:54"
