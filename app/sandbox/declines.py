"""What a declined charge looks like: codes, advice and texts. Pure tables and one value.

Source of the nine codes and of the shape of a decline: Stripe's documentation of retries and recorded 402 answers.
"""

from dataclasses import dataclass
from typing import Any

# After these Stripe keeps counting and scheduling its own retries, but charges nothing until there is another card.
NEVER_EXECUTED = frozenset(
    "incorrect_number lost_card pickup_card stolen_card revocation_of_authorization revocation_of_all_authorizations"
    " authentication_required highest_risk_level transaction_not_allowed".split()
)

# Every decline code of a card that Stripe's documentation names, with the reasons of its own blocks.
CODES = frozenset(
    "approve_with_id authentication_not_handled authentication_required blocklist call_issuer"
    " card_decline_rate_limit_exceeded card_not_supported card_velocity_exceeded currency_not_supported do_not_honor"
    " do_not_try_again duplicate_transaction elevated_risk_level expired_card fraudulent generic_decline"
    " highest_risk_level incorrect_address incorrect_cvc incorrect_number incorrect_pin incorrect_zip"
    " insufficient_funds invalid_account invalid_amount invalid_cvc invalid_expiry_month invalid_expiry_year"
    " invalid_number invalid_pin issuer_not_available lost_card low_probability_of_authorization merchant_blacklist"
    " mobile_device_authentication_required new_account_information_available no_action_taken not_permitted"
    " offline_pin_required online_or_offline_pin_required pickup_card pin_try_exceeded"
    " previously_declined_do_not_retry processing_error reenter_transaction requested_block_on_incorrect_cvc"
    " restricted_card revocation_of_all_authorizations revocation_of_authorization rule security_violation"
    " service_not_allowed stolen_card stop_payment_order testmode_decline transaction_not_allowed try_again_later"
    " withdrawal_count_limit_exceeded".split()
)

# What a script may set by hand.
SIGNALS = frozenset(("decline_code", "advice_code", "network_decline_code", "network_advice_code"))

# Decline codes that are error codes of their own; every other one comes under `card_declined`.
_OWN_CODES = frozenset(
    "expired_card incorrect_cvc incorrect_number incorrect_zip processing_error authentication_required".split()
)

_ADVICE = {
    "do_not_try_again": "lost_card stolen_card pickup_card revocation_of_authorization"
    " revocation_of_all_authorizations stop_payment_order restricted_card card_not_supported do_not_try_again"
    " invalid_account transaction_not_allowed not_permitted currency_not_supported",
    "confirm_card_data": "incorrect_cvc incorrect_number incorrect_zip expired_card invalid_cvc invalid_number"
    " invalid_expiry_month invalid_expiry_year new_account_information_available",
}

_NETWORK_CODES = {
    "insufficient_funds": "51",
    "do_not_honor": "05",
    "generic_decline": "01",
    "lost_card": "41",
    "stolen_card": "43",
    "pickup_card": "04",
    "expired_card": "54",
    "incorrect_number": "14",
    "incorrect_cvc": "82",
    "issuer_not_available": "91",
    "processing_error": "96",
    "card_velocity_exceeded": "65",
    "withdrawal_count_limit_exceeded": "65",
    "transaction_not_allowed": "57",
    "restricted_card": "62",
    "stop_payment_order": "R0",
    "revocation_of_authorization": "R1",
    "revocation_of_all_authorizations": "R3",
    "authentication_required": "1A",
    "invalid_amount": "13",
    "call_issuer": "01",
    "fraudulent": "59",
    "try_again_later": "19",
}

_TEXTS = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "incorrect_number": "Your card number is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "card_velocity_exceeded": "Your card was declined for making repeated attempts too frequently or exceeding its"
    " amount limit.",
}


@dataclass(frozen=True)
class Decline:
    """One refusal by an issuer, a network or Stripe. `blocked` means Stripe itself stopped it before the network."""

    decline_code: str
    advice_code: str | None = None
    network_decline_code: str | None = None
    network_advice_code: str | None = None
    blocked: bool = False

    @property
    def code(self) -> str:
        """The error code under which this decline code is reported."""
        return self.decline_code if self.decline_code in _OWN_CODES else "card_declined"

    @property
    def message(self) -> str:
        """The text that goes with it."""
        return _TEXTS.get(self.decline_code, "Your card was declined.")

    def outcome(self) -> dict[str, Any]:
        """The charge's `outcome`."""
        return {
            "advice_code": self.advice_code,
            "network_advice_code": self.network_advice_code,
            "network_decline_code": self.network_decline_code,
            "network_status": "not_sent_to_network" if self.blocked else "declined_by_network",
            "reason": self.decline_code,
            "risk_level": "highest" if self.decline_code == "highest_risk_level" else "normal",
            "risk_score": 20,
            "seller_message": (
                "Stripe blocked this payment." if self.blocked else "The bank did not complete this payment."
            ),
            "type": "blocked" if self.blocked else "issuer_declined",
        }

    def error(self) -> dict[str, Any]:
        """The fields that the error body and `last_payment_error` share; those without a value are left out."""
        fields = {
            "advice_code": self.advice_code,
            "code": self.code,
            "decline_code": self.decline_code,
            "doc_url": f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}",
            "message": self.message,
            "network_advice_code": self.network_advice_code,
            "network_decline_code": self.network_decline_code,
            "type": "card_error",
        }
        return {name: value for name, value in fields.items() if value is not None}


_BLOCKED = frozenset(("highest_risk_level", "previously_declined_do_not_retry", "rule", "blocklist"))


def decline(entry: str | dict[str, Any]) -> Decline:
    """A decline from a script entry: a decline code, or a mapping with `decline_code` and any signals to set by
    hand."""
    given = {"decline_code": entry} if isinstance(entry, str) else entry
    code = str(given.get("decline_code") or "generic_decline")
    blocked = code in _BLOCKED
    advice = next((advice for advice, codes in _ADVICE.items() if code in codes.split()), "try_again_later")
    return Decline(
        decline_code=code,
        advice_code=given.get("advice_code", advice),
        network_decline_code=given.get("network_decline_code", None if blocked else _NETWORK_CODES.get(code, "05")),
        network_advice_code=given.get("network_advice_code"),
        blocked=blocked,
    )
