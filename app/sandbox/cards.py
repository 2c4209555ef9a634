"""Stripe's test cards: what is printed on each and how its issuer behaves. Pure tables.

No real card number exists here.
"""

from dataclasses import dataclass
from typing import Any

APPROVE, AUTHENTICATE = "approve", "requires_action"


@dataclass(frozen=True)
class TestCard:
    """One test card. `script` is what its issuer answers, attempt by attempt; the last answer stays.

    `at_setup` is what it answers to being saved, `once_saved` its script after that, `after` what follows a payment.
    """

    token: str
    number: str
    script: tuple[str, ...] = (APPROVE,)
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    at_setup: str = APPROVE
    once_saved: tuple[str, ...] = ()
    after: str | None = None
    __test__ = False  # pytest would take the name for a test class

    @property
    def last4(self) -> str:
        return self.number[-4:]


def _declining(token: str, number: str, code: str) -> TestCard:
    """Declined when it is saved as well as when it is charged."""
    return TestCard(token, number, (code,), at_setup=code)


_CARDS = (
    TestCard("pm_card_visa", "4242424242424242"),
    TestCard("pm_card_visa_debit", "4000056655665556", funding="debit"),
    TestCard("pm_card_mastercard", "5555555555554444", brand="mastercard"),
    TestCard("pm_card_mastercard_debit", "5200828282828210", brand="mastercard", funding="debit"),
    TestCard("pm_card_mastercard_prepaid", "5105105105105100", brand="mastercard", funding="prepaid"),
    TestCard("pm_card_amex", "378282246310005", brand="amex"),
    TestCard("pm_card_discover", "6011111111111117", brand="discover"),
    TestCard("pm_card_jcb", "3566002020360505", brand="jcb", country="JP"),
    TestCard("pm_card_unionpay", "6200000000000005", brand="unionpay", country="CN"),
    TestCard("pm_card_gb", "4000008260000000", country="GB"),
    TestCard("pm_card_gb_debit", "4000058260000005", funding="debit", country="GB"),
    TestCard("pm_card_de", "4000002760000016", country="DE"),
    TestCard("pm_card_fr", "4000002500000003", country="FR"),
    TestCard("pm_card_jp", "4000003920000003", country="JP"),
    TestCard("pm_card_in", "4000003560000008", country="IN"),
    TestCard("pm_card_br", "4000000760000002", country="BR"),
    TestCard("pm_card_ca", "4000001240000000", country="CA"),
    TestCard(
        "pm_card_authenticationRequired", "4000002760003184", (AUTHENTICATE,), country="DE", at_setup=AUTHENTICATE
    ),
    TestCard("pm_card_threeDSecure2Required", "4000000000003220", (AUTHENTICATE,), at_setup=AUTHENTICATE),
    TestCard(
        "pm_card_authenticationRequiredOnSetup",
        "4000002500003155",
        (AUTHENTICATE,),
        country="FR",
        at_setup=AUTHENTICATE,
        once_saved=(APPROVE,),
    ),
    TestCard(
        "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        (AUTHENTICATE, "insufficient_funds"),
        country="GB",
        at_setup=AUTHENTICATE,
        once_saved=("insufficient_funds",),
    ),
    TestCard("pm_card_createDispute", "4000000000000259", after="fraudulent"),
    TestCard("pm_card_createDisputeProductNotReceived", "4000000000002685", after="product_not_received"),
    TestCard("pm_card_createDisputeInquiry", "4000000000001976", after="inquiry"),
    TestCard("pm_card_createIssuerFraudRecord", "4000000000005423", after="warning"),
    TestCard("pm_card_chargeCustomerFail", "4000000000000341", ("generic_decline",)),
    _declining("pm_card_chargeDeclined", "4000000000000002", "generic_decline"),
    _declining("pm_card_chargeDeclinedInsufficientFunds", "4000000000009995", "insufficient_funds"),
    _declining("pm_card_chargeDeclinedLostCard", "4000000000009987", "lost_card"),
    _declining("pm_card_chargeDeclinedStolenCard", "4000000000009979", "stolen_card"),
    _declining("pm_card_chargeDeclinedExpiredCard", "4000000000000069", "expired_card"),
    _declining("pm_card_chargeDeclinedIncorrectCvc", "4000000000000127", "incorrect_cvc"),
    _declining("pm_card_chargeDeclinedProcessingError", "4000000000000119", "processing_error"),
    _declining("pm_card_chargeDeclinedVelocityLimitExceeded", "4000000000006975", "card_velocity_exceeded"),
    _declining("pm_card_chargeDeclinedFraudulent", "4100000000000019", "highest_risk_level"),
)

BY_TOKEN = {card.token: card for card in _CARDS}
BY_NUMBER = {card.number: card for card in _CARDS}
# The older tokens name the same cards: `tok_visa`, `tok_chargeDeclined`.
BY_TOKEN.update({"tok_" + card.token.removeprefix("pm_card_"): card for card in _CARDS})


def face(card: TestCard, exp_month: int, exp_year: int) -> dict[str, Any]:
    """The `card` part of a payment method. Its fingerprint comes with the number (`fingerprints.issue`)."""
    return {
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "display_brand": card.brand,
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": None,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def passes_luhn(number: str) -> bool:
    """Whether a card number's check digit is right."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
