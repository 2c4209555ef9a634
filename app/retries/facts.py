"""Everything the planner may know about one failed payment, as plain frozen values.

Refuses to know where the facts come from: no records, no Stripe objects, no clock. All moments are aware UTC, all
amounts minor units of the case's currency.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.errors import RecoupError

Source = Literal["recoup", "stripe", "elsewhere", "customer"]
Outcome = Literal["approved", "declined", "requires_action", "unknown"]
Mode = Literal["observe", "drive"]
Timing = Literal["ladder", "planned"]
CardGiver = Literal["payer", "updater"]


class NaiveMoment(RecoupError):
    """A moment without a time zone was given to the planner."""


class InvalidPolicy(RecoupError):
    """A retry policy contradicts itself or asks for more than a card network allows."""


def _require_aware(moments: Iterable[datetime | None]) -> None:
    for moment in moments:
        if moment is not None and moment.tzinfo is None:
            raise NaiveMoment(f"{moment.isoformat()} has no time zone; give the planner aware UTC moments")


@dataclass(frozen=True)
class DeclineSignals:
    """What Stripe and the card network said about one decline; each may be missing."""

    code: str | None = None
    decline_code: str | None = None
    advice_code: str | None = None
    network_decline_code: str | None = None
    network_advice_code: str | None = None
    outcome_type: str | None = None
    outcome_reason: str | None = None
    network_status: str | None = None


@dataclass(frozen=True)
class Card:
    """The card in Stripe's words: brand `visa`, funding `debit`, country the issuer's as ISO 3166 alpha-2."""

    brand: str | None = None
    funding: str | None = None
    country: str | None = None
    fingerprint: str | None = None


@dataclass(frozen=True)
class Attempt:
    """One charge asked of Stripe for this invoice, whoever asked.

    `reached_network` is false only when Stripe says `not_sent_to_network`. `unknown` means that the answer has not
    come yet. `payment_method_id`, `fingerprint` and `brand` say which card was charged, None when not recorded.
    """

    at: datetime
    source: Source
    outcome: Outcome
    signals: DeclineSignals
    reached_network: bool
    payment_method_id: str | None = None
    fingerprint: str | None = None
    brand: str | None = None

    def __post_init__(self) -> None:
        _require_aware((self.at,))


@dataclass(frozen=True)
class CardUse:
    """One try of a card that reached the network, for whichever invoice.

    When it was approved `signals` are empty, or their `outcome_type` is `authorized`.
    """

    at: datetime
    amount_minor: int
    signals: DeclineSignals = DeclineSignals()

    def __post_init__(self) -> None:
        _require_aware((self.at,))


@dataclass(frozen=True)
class CaseFacts:
    """One unpaid invoice as the planner sees it.

    `seed` is a stable name of the case (its id); it alone decides the spread of its tries. `failed_at` is the first
    failure and `attempts` every try of this invoice in any order, the first failure included.
    `card_attempts` are the tries of the present card's fingerprint that reached the network in the last 30 days, over
    all invoices, this one included with the same moments: the budgets of the networks count them. `card` and
    `payment_method_id` are what a try would charge now. `new_card_at` is when that card was put in place or last
    updated (new card, account updater, changed expiry), None if it is the one that first failed; leave it standing
    after the card was tried, the planner sees that for itself. `new_card_by` tells the payer's own act from an
    updater's. `stripe_next_attempt_at` is the invoice's `next_payment_attempt`; `stripe_gave_up` says that Stripe has
    ended its own retries with an end action (subscription canceled or unpaid). A hold is in force while `hold_reason`
    is set and `hold_until` is None or still ahead. `timezone` is an IANA name. `promised_for` is when the payer said
    they can pay, `tenure_days` how long they have been a customer, and `known_paydays` what earlier cases of theirs
    taught about their pay calendar: names of `paydays.CALENDARS` with weights.
    """

    seed: str
    failed_at: datetime
    amount_minor: int
    currency: str
    card: Card | None = None
    payment_method_id: str | None = None
    attempts: tuple[Attempt, ...] = ()
    card_attempts: tuple[CardUse, ...] = ()
    new_card_at: datetime | None = None
    new_card_by: CardGiver = "payer"
    stripe_next_attempt_at: datetime | None = None
    stripe_gave_up: bool = False
    hold_until: datetime | None = None
    hold_reason: str | None = None
    is_bank_debit: bool = False
    timezone: str | None = None
    promised_for: datetime | None = None
    tenure_days: int | None = None
    known_paydays: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        moments = (self.failed_at, self.new_card_at, self.stripe_next_attempt_at, self.hold_until, self.promised_for)
        _require_aware(moments)


@dataclass(frozen=True)
class RetryPolicy:
    """The operator's settings; every limit may be tightened, none loosened beyond what a network charges for.

    `timing` says who chooses the moments: the fixed ladder, or the plan of `planning`.
    `ladder_days` are days after the first failure, `window_days` the days after it in which tries are planned.
    Caps count tries: `max_attempts` for one invoice after its first failure, `per_card_30d` for one card over all
    invoices, `visa_30d` and `mastercard_24h` as the networks count. `debit_no_funds_attempts` is the cap for a debit
    card without money, because each refusal may cost its holder a bank fee. `open_hour` to `close_hour` is the local
    time of day for tries when the payer's zone is known. `technical_gap_hours` stand in for the minimum gap after the
    first, second and third technical refusal in a row: a bank that was out of reach gives no verdict to respect.
    `exploration_loss` is the share of a plan's value that trying another slot may cost on average (0 never explores);
    amounts above `exploration_max_minor` are never explored with.

    Raises InvalidPolicy. Legal ceilings: Visa Core Rules 18 April 2026 table 7-2 (20 in 30 days), Mastercard
    Excessive Authorization Attempts (10 in 24 hours, 35 of one amount in 30 days). Stripe advises at most 8 retries.
    """

    mode: Mode = "drive"
    timing: Timing = "ladder"
    ladder_days: tuple[float, ...] = (1, 3, 5, 7, 14, 21)
    window_days: int = 28
    max_attempts: int = 6
    min_gap_hours: float = 48
    technical_gap_hours: tuple[float, ...] = (1, 6, 24)
    per_card_30d: int = 10
    visa_30d: int = 15
    mastercard_24h: int = 10
    debit_no_funds_attempts: int = 4
    bank_debit_attempts: int = 2
    jitter_minutes: int = 45
    open_hour: int = 6
    close_hour: int = 22
    exploration_loss: float = 0.01
    exploration_max_minor: int | None = None

    def __post_init__(self) -> None:
        for allowed, advice in self._conditions():
            if not allowed:
                raise InvalidPolicy(advice)

    def _conditions(self) -> tuple[tuple[bool, str], ...]:
        ladder = self.ladder_days
        return (
            (all(day >= 0.5 for day in ladder), "ladder_days are days after the failure: give 0.5 or more"),
            (list(ladder) == sorted(set(ladder)), "ladder_days must rise; remove repeated or unordered days"),
            (self.window_days > 0, "window_days must be at least 1"),
            (0 <= self.max_attempts <= 8, "max_attempts must be 0 to 8; Stripe advises at most 8 retries"),
            (self.min_gap_hours >= 24, "min_gap_hours must be at least 24; denser tries get the card blocked"),
            (all(1 <= gap <= 48 for gap in self.technical_gap_hours), "technical_gap_hours must each be 1 to 48"),
            (len(self.technical_gap_hours) <= 3, "technical_gap_hours may name three gaps at most"),
            (0 < self.per_card_30d <= 35, "per_card_30d must be 1 to 35, Mastercard's ceiling for one amount"),
            (0 < self.visa_30d <= 20, "visa_30d must be 1 to 20, the ceiling of Visa's rules"),
            (0 < self.mastercard_24h <= 10, "mastercard_24h must be 1 to 10, the ceiling of Mastercard's rules"),
            (0 <= self.debit_no_funds_attempts <= 8, "debit_no_funds_attempts must be 0 to 8"),
            (0 <= self.bank_debit_attempts <= 2, "bank_debit_attempts must be 0 to 2: Nacha re-presents at most twice"),
            (0 <= self.jitter_minutes <= 180, "jitter_minutes must be 0 to 180"),
            (
                0 <= self.exploration_loss <= 0.01,
                "exploration_loss must be 0 to 0.01: at most 1% of what a plan is worth",
            ),
            (0 <= self.open_hour < self.close_hour <= 24, "open_hour must lie before close_hour, both 0 to 24"),
        )
