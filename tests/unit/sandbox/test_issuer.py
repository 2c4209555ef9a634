"""What issuers answer, and what a decline says."""

import pytest

from app.sandbox.cards import BY_NUMBER, passes_luhn
from app.sandbox.declines import Decline, decline
from app.sandbox.issuer import Approved, NeedsAuthentication, answer


def test_a_script_is_used_up_and_its_last_answer_stays() -> None:
    script = ["insufficient_funds", "do_not_honor", "approve"]
    answers = [answer(list(script), used, expired=False, outage=False) for used in range(5)]
    codes = [entry.decline_code if isinstance(entry, Decline) else entry for entry in answers]
    assert codes == ["insufficient_funds", "do_not_honor", Approved(), Approved(), Approved()]


def test_a_card_past_its_month_is_declined_as_expired() -> None:
    verdict = answer(["approve"], 0, expired=True, outage=False)
    assert isinstance(verdict, Decline)
    assert (verdict.code, verdict.decline_code) == ("expired_card", "expired_card")


def test_an_outage_hides_every_script() -> None:
    verdict = answer(["approve"], 0, expired=False, outage=True)
    assert isinstance(verdict, Decline)
    assert verdict.decline_code == "issuer_not_available"


def test_authentication_is_asked_for() -> None:
    assert answer(["requires_action"], 3, expired=False, outage=False) == NeedsAuthentication()


def test_signals_can_be_set_by_hand() -> None:
    made = decline({"decline_code": "do_not_honor", "network_advice_code": "03", "advice_code": "do_not_try_again"})
    outcome = made.outcome()
    assert (outcome["network_advice_code"], outcome["advice_code"]) == ("03", "do_not_try_again")
    assert (outcome["type"], outcome["network_status"]) == ("issuer_declined", "declined_by_network")
    assert made.error()["code"] == "card_declined"


def test_stripes_own_blocks_never_reach_the_network() -> None:
    outcome = decline("previously_declined_do_not_retry").outcome()
    assert (outcome["type"], outcome["network_status"]) == ("blocked", "not_sent_to_network")
    assert outcome["network_decline_code"] is None


@pytest.mark.parametrize(
    ("code", "error_code"),
    [
        ("insufficient_funds", "card_declined"),
        ("expired_card", "expired_card"),
        ("processing_error", "processing_error"),
    ],
)
def test_some_decline_codes_are_error_codes_of_their_own(code: str, error_code: str) -> None:
    assert decline(code).code == error_code


def test_every_test_card_has_a_number_that_could_be_one() -> None:
    assert all(passes_luhn(number) for number in BY_NUMBER)
