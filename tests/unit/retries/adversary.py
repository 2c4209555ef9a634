"""A world that wants the planner to break a rule: one case that meets everything at once."""

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from app.retries.decisions import AskCustomer, Decision, GiveUp, Hold, LeaveToStripe, RetryAt
from app.retries.declines import CODES
from app.retries.facts import Attempt, Card, CardUse, CaseFacts, DeclineSignals, RetryPolicy
from app.retries.planner import decide
from tests.unit.retries.cases import FAILED_AT
from tests.unit.retries.judge import judge

BRANDS = ("visa", "mastercard", "amex", "discover", "unionpay", None)
WORDS = {
    "network_decline_code": [c for t, c in CODES if t in ("visa", "mastercard", "amex", "discover")] + ["ZZ"],
    "network_advice_code": [c for t, c in CODES if t == "mastercard_advice"],
    "advice_code": ["try_again_later", "do_not_try_again", "confirm_card_data"],
    "outcome_reason": [c for t, c in CODES if t == "stripe_outcome"],
    "decline_code": [c for t, c in CODES if t in ("stripe_decline", "bank_debit")] + ["made_up"],
    "code": ["card_declined", "card_decline_rate_limit_exceeded", "processing_error"],
}
SOFT = [{"decline_code": "insufficient_funds"}, {"decline_code": "do_not_honor"}, {"code": "processing_error"}]


def any_signals(luck: random.Random) -> DeclineSignals:
    """Mostly soft answers, so that cases live long; else any mixture of codes."""
    if luck.random() < 0.6:
        return DeclineSignals(**luck.choice(SOFT))
    spoken = {name: luck.choice(words) for name, words in WORDS.items() if luck.random() < 0.25}
    return DeclineSignals(**spoken, outcome_type=luck.choice([None, "blocked", "issuer_declined"]))


def any_policy(luck: random.Random) -> RetryPolicy:
    """Any settings that a policy accepts, loose ones most of all; two in three climb the ladder, which is quicker."""
    return RetryPolicy(
        timing=luck.choice(["ladder", "ladder", "planned"]),
        mode=luck.choice(["drive", "drive", "observe"]),
        ladder_days=tuple(sorted(luck.sample(range(1, 40), luck.randint(0, 9)))),
        window_days=luck.choice([7, 28, 60]),
        max_attempts=luck.randint(0, 8),
        min_gap_hours=luck.choice([24, 48, 72]),
        per_card_30d=luck.choice([3, 10, 35]),
        visa_30d=luck.choice([4, 15, 20]),
        mastercard_24h=luck.choice([1, 2, 10]),
    )


@dataclass
class Story:
    """One case that meets everything at once; `judge` is asked before each charge."""

    luck: random.Random
    policy: RetryPolicy
    facts: CaseFacts
    now: datetime = FAILED_AT
    cards_given: list[datetime] = field(default_factory=list)
    charges: list[RetryAt] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def run(self, steps: int = 40) -> None:
        """Live through at most so many decisions."""
        for _ in range(steps):
            if self.luck.random() < 0.35:
                self._meet_something()
            decision = decide(self.facts, self.policy, self.now)
            if isinstance(decision, GiveUp):
                return
            self._follow(decision)

    def _follow(self, decision: Decision) -> None:
        match decision:
            case RetryAt():
                self._charge(decision)
            case AskCustomer() | LeaveToStripe():
                if decision.until <= self.now:
                    self.complaints.append(f"asked to wait until a moment that has passed: {decision}")
                self.now = min(decision.until, self.now + timedelta(days=self.luck.random() * 6, seconds=1))
            case Hold():
                self.now = decision.until or self.now + timedelta(days=1)
                self.facts = replace(self.facts, hold_reason=None, attempts=_answered(self.facts.attempts))

    def _charge(self, decision: RetryAt) -> None:
        self.complaints += judge(self.facts, self.policy, self.now, decision)
        self.now = decision.at
        again = decide(self.facts, self.policy, self.now)
        if not isinstance(again, RetryAt) or again.at != self.now or again.reason != decision.reason:
            self.complaints.append(f"{decision} became {again} at its own moment")
        self.charges.append(decision)
        outcome = "declined" if self.luck.random() < 0.9 else self.luck.choice(["unknown", "requires_action"])
        self._add("recoup", self.now, outcome)

    def _add(self, source: str, at: datetime, outcome: str = "declined") -> None:
        card = self.facts.card or Card()
        attempt = Attempt(
            at, source, outcome, any_signals(self.luck), self.luck.random() < 0.9,  # type: ignore[arg-type]
            fingerprint=card.fingerprint, brand=card.brand,
        )  # fmt: skip
        self.facts = replace(self.facts, attempts=(*self.facts.attempts, attempt))

    def _meet_something(self) -> None:
        self.now += timedelta(hours=self.luck.random() * 30)
        event = self.luck.randrange(6)
        if event == 0:
            self._add(self.luck.choice(["stripe", "elsewhere", "customer"]), self.now)
        elif event == 1:
            use = CardUse(self.now, 990, any_signals(self.luck))
            self.facts = replace(self.facts, card_attempts=(*self.facts.card_attempts, use))
        elif event == 2:
            self._give_card()
        elif event == 3:
            self.facts = replace(self.facts, hold_reason="snooze", hold_until=self.now + timedelta(days=2))
        elif event == 4:
            self.facts = replace(self.facts, promised_for=self.now + timedelta(days=8 * self.luck.random()))
        else:
            planned = self.luck.choice([None, None, self.now + timedelta(days=1)])
            self.facts = replace(self.facts, stripe_next_attempt_at=planned)

    def _give_card(self) -> None:
        old = self.facts.card or Card()
        same = self.luck.random() < 0.4
        self.cards_given.append(self.now)
        card = old if same else any_card(self.luck)
        self.facts = replace(
            self.facts,
            card=card,
            new_card_at=self.now,
            new_card_by=self.luck.choice(["payer", "updater"]),
            card_attempts=self.facts.card_attempts if same else (),
        )


def _answered(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    return tuple(replace(a, outcome="declined") if a.outcome == "unknown" else a for a in attempts)


def any_card(luck: random.Random) -> Card:
    """A card of any brand, rarely from India."""
    country = "IN" if luck.random() < 0.05 else "US"
    funding = luck.choice(["credit", "debit", "prepaid"])
    return Card(luck.choice(BRANDS), funding, country, f"fp_{luck.randrange(10**9)}")


def any_story(seed: int) -> Story:
    """The story of this seed, at the moment of its first failure."""
    luck = random.Random(seed)
    card = any_card(luck)
    first = Attempt(FAILED_AT, "stripe", "declined", any_signals(luck), True, None, card.fingerprint, card.brand)
    zone = luck.choice([None, "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
    debit = luck.random() < 0.1
    facts = CaseFacts(
        str(seed), FAILED_AT, 4900, "usd", card=card, attempts=(first,), timezone=zone, is_bank_debit=debit
    )
    return Story(luck, any_policy(luck), facts)
