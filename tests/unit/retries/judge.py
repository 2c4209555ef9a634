"""A judge of charges that knows the rules by itself: its own short lists of codes, none of the planner's tables."""

from datetime import datetime, timedelta

from app.retries.decisions import Reason, RetryAt
from app.retries.facts import Attempt, Card, CaseFacts, DeclineSignals, RetryPolicy
from tests.unit.retries.cases import FAILED_AT

NEVER_NETWORK = {
    "visa": set("04 07 12 14 15 41 43 46 57 R0 R1 R3".split()),
    "mastercard": {"04", "41", "43"},
    "amex": {"200"},
    "discover": {"04", "41", "43"},
}
NEVER_STRIPE = set(
    "incorrect_number lost_card pickup_card stolen_card revocation_of_authorization stop_payment_order "
    "revocation_of_all_authorizations transaction_not_allowed".split()
)
CONSENT_STRIPE = set(
    "revocation_of_authorization revocation_of_all_authorizations stop_payment_order debit_not_authorized "
    "refer_to_customer invalid_authorization".split()
)
NO_VERDICT = set("issuer_not_available processing_error reenter_transaction lock_timeout rate_limit".split())
NO_VERDICT_NETWORK = {
    "visa": {"19", "91", "96"},
    "mastercard": {"91", "92", "96"},
    "amex": {"909", "911", "912"},
    "discover": {"91", "96"},
}
MAC_HOURS = {"24": 1, "25": 24, "26": 48, "27": 96, "28": 144, "29": 192, "30": 240, "02": 72}


def judge(facts: CaseFacts, policy: RetryPolicy, now: datetime, decision: RetryAt) -> list[str]:
    """The rules that a charge at `decision.at` would break; empty when it breaks none."""
    card = facts.card or Card()
    is_new = decision.reason == Reason.NEW_CARD
    answers = [(a.at, a.signals, a.brand) for a in facts.attempts if a.fingerprint == card.fingerprint]
    answers += [(use.at, use.signals, card.brand) for use in facts.card_attempts]
    broken = {
        "before now": decision.at < now,
        "issued in India": card.country == "IN",
        "absolute": any(_is_never(signals, brand) for _, signals, brand in answers),
        "floor": any(decision.at < at + _floor(signals, brand) for at, signals, brand in answers),
        "consent": any(_withdrew(a) and not _given_anew(facts, a) for a in facts.attempts),
        "new card twice": is_new and any(facts.new_card_at and a.at >= facts.new_card_at for a in facts.attempts),
        **_counts_broken(facts, policy, decision),
        **({} if is_new else _ladder_rules_broken(facts, policy, decision)),
    }
    return [f"{rule}: {decision} {facts}" for rule, is_broken in broken.items() if is_broken]


def _counts_broken(facts: CaseFacts, policy: RetryPolicy, decision: RetryAt) -> dict[str, bool]:
    card = facts.card or Card()
    used = {a.at for a in facts.attempts if a.reached_network and a.fingerprint == card.fingerprint}
    used |= {use.at for use in facts.card_attempts}
    month = sum(1 for at in used if decision.at - at < timedelta(days=30))
    day = sum(1 for at in used if decision.at - at < timedelta(hours=24))
    return {
        "card budget": month >= policy.per_card_30d,
        "Visa budget": card.brand == "visa" and month >= policy.visa_30d,
        "Mastercard budget": card.brand == "mastercard" and day >= policy.mastercard_24h,
    }


def _ladder_rules_broken(facts: CaseFacts, policy: RetryPolicy, decision: RetryAt) -> dict[str, bool]:
    retries = sorted(facts.attempts, key=lambda attempt: attempt.at)[1:]
    automatic = [attempt for attempt in retries if attempt.source != "customer"]
    gap = decision.at - retries[-1].at if retries else timedelta.max
    least = timedelta(hours=1 if retries and _has_no_verdict(retries[-1]) else policy.min_gap_hours)
    return {
        "observing": policy.mode == "observe",
        "window": decision.at >= FAILED_AT + timedelta(days=policy.window_days),
        "gap": gap < least,
        "invoice cap": len(automatic) >= policy.max_attempts,
        "bank debit": facts.is_bank_debit and len(automatic) >= 2,
        "two drivers": facts.stripe_next_attempt_at is not None,
    }


def _has_no_verdict(attempt: Attempt) -> bool:
    signals = attempt.signals
    at_network = signals.network_decline_code in NO_VERDICT_NETWORK.get(attempt.brand or "", set())
    return at_network or bool(NO_VERDICT & {signals.code, signals.decline_code, signals.outcome_reason})


def _is_never(signals: DeclineSignals, brand: str | None) -> bool:
    return (
        signals.advice_code == "do_not_try_again"
        or signals.decline_code in NEVER_STRIPE
        or signals.outcome_reason == "highest_risk_level"
        or signals.network_decline_code in NEVER_NETWORK.get(brand or "", set())
        or (brand == "mastercard" and signals.network_advice_code in ("03", "21"))
    )


def _floor(signals: DeclineSignals, brand: str | None) -> timedelta:
    mac = MAC_HOURS.get(signals.network_advice_code or "", 0) if brand == "mastercard" else 0
    blocked = 72 if signals.outcome_reason == "previously_declined_do_not_retry" else 0
    limited = 24 if signals.code == "card_decline_rate_limit_exceeded" else 0
    return timedelta(hours=max(mac, blocked, limited))


def _withdrew(attempt: Attempt) -> bool:
    signals, brand = attempt.signals, attempt.brand
    at_visa = brand == "visa" and signals.network_decline_code in ("R0", "R1", "R3")
    at_mastercard = brand == "mastercard" and signals.network_advice_code == "21"
    return at_visa or at_mastercard or signals.decline_code in CONSENT_STRIPE


def _given_anew(facts: CaseFacts, attempt: Attempt) -> bool:
    return facts.new_card_by == "payer" and facts.new_card_at is not None and facts.new_card_at > attempt.at
