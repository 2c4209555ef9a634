"""What an issuer says when it declines: the code of the true cause, or one that hides it.

Refuses to know whether a charge is approved.
"""

from dataclasses import dataclass

import numpy as np

from app.retries.facts import DeclineSignals
from app.retries.worlds.parameters import common

ADVICE_HOURS = {"24": 1, "25": 24, "26": 48, "27": 96, "28": 144, "29": 192, "30": 240}
NETWORK_CODES = {"insufficient_funds": "51", "do_not_honor": "05", "expired_card": "54", "lost_card": "41",
                 "stolen_card": "43", "issuer_not_available": "91", "processing_error": "96", "pickup_card": "04",
                 "invalid_account": "14", "transaction_not_allowed": "57", "card_velocity_exceeded": "61"}  # fmt: skip
HIDES = ("do_not_honor", "generic_decline")
SAYS = {
    "suspicion": ("do_not_honor", "do_not_honor", "generic_decline", "generic_decline", "call_issuer"),
    "outage": ("issuer_not_available", "processing_error", "processing_error", "generic_decline"),
    "limit": ("card_velocity_exceeded", "card_velocity_exceeded", "withdrawal_count_limit_exceeded", "do_not_honor"),
    "hard": ("expired_card", "expired_card", "lost_card", "stolen_card", "pickup_card", "incorrect_number",
             "transaction_not_allowed", "invalid_account"),
    "hidden_dead": ("do_not_honor", "generic_decline"),
    "authentication": ("authentication_required",),
}  # fmt: skip


@dataclass(frozen=True)
class Speaker:
    """How the issuer of one case speaks. `hours_to_money` is when the next wages come, None if it has no idea."""

    cause: str
    brand: str
    hours_to_money: float | None

    def say(self, rng: np.random.Generator) -> DeclineSignals:
        """The signals of one decline."""
        code = self._code(rng)
        network = NETWORK_CODES.get(code) if self.brand in ("visa", "mastercard") else None
        return DeclineSignals(
            code="card_declined",
            decline_code=code,
            network_decline_code=network,
            network_advice_code=self._advice(code, rng),
            outcome_type="issuer_declined",
            outcome_reason=code,
            network_status="declined_by_network",
        )

    def _code(self, rng: np.random.Generator) -> str:
        if self.cause == "money":
            hides = rng.random() < common()["nsf_masked"]
            return HIDES[int(rng.integers(2))] if hides else "insufficient_funds"
        words = SAYS[self.cause]
        return words[int(rng.integers(len(words)))]

    def _advice(self, code: str, rng: np.random.Generator) -> str | None:
        if self.brand != "mastercard":
            return None
        if code in ("lost_card", "stolen_card", "pickup_card"):
            return "03"
        if code != "insufficient_funds" or rng.random() > common()["advice_share"]:
            return None
        if self.hours_to_money is None or rng.random() > common()["advice_true"]:
            return str(rng.integers(25, 28))
        return next((each for each, hours in ADVICE_HOURS.items() if hours >= self.hours_to_money), None)
