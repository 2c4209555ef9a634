"""A population that pays, fails and recovers by itself: customers with payers behind their cards.

The same number makes the same people with the same money and the same banks, to the day on which they are paid.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from app.sandbox import behaving, policy
from app.sandbox.billing import cycles
from app.sandbox.issuers.luck import luck, pick
from app.sandbox.issuers.payers import Payer
from app.sandbox.ledger import Ledger
from app.sandbox.names import full_name
from app.sandbox.periods import later, moment
from app.sandbox.policy import DAY, HOUR
from app.sandbox.staging import subscribed_customer
from app.sandbox.store import Doc

_PLANS = {("Starter", 1900): 5.0, ("Team", 4900): 4.0, ("Business", 19900): 2.0}
_CURRENCIES = {"GB": "gbp", "CA": "cad", "DE": "eur", "FR": "eur", "ES": "eur", "NL": "eur"}
_LANGUAGES = {"US": "en-US", "GB": "en-GB", "CA": "en-CA", "DE": "de-DE", "FR": "fr-FR", "ES": "es-ES", "NL": "nl-NL"}


@dataclass(frozen=True)
class Crowd:
    """How many, of which segments (with weights), whose renewals come within so many days; whether they read mail."""

    customers: int
    behaviours: Mapping[str, float]
    number: int = 7
    within_days: int = 28
    read_mail: bool = False


def settle(ledger: Ledger, crowd: Crowd, places: range) -> Iterator[Doc]:
    """Make those of the crowd whose places are asked for; their last renewal was paid, and nobody hears of the past."""
    now = ledger.now
    for place in places:
        ledger.silent = True
        yield _one(ledger, crowd, place, now)
        ledger.now, ledger.silent = now, False


def _one(ledger: Ledger, crowd: Crowd, place: int, now: int) -> Doc:
    seed = int(luck(crowd.number, "payer", place) * (1 << 62))
    dice = random.Random(seed)  # noqa: S311 - the same people each time, not a secret
    renews_at = now + dice.randrange(HOUR, crowd.within_days * DAY)
    ledger.now = min(later(renews_at, "month", -1), now)
    payer = Payer.drawn(seed, pick(crowd.behaviours, crowd.number, "segment", place), moment(ledger.now))
    person = _person(payer, dice, f"{crowd.number}-{place:04d}")
    made = subscribed_customer(ledger, {**person, "reads_mail": crowd.read_mail})
    _, renews_at = cycles.period_of(ledger.get("subscription", made["subscription"]))
    if renews_at - policy.load(ledger).upcoming_days * DAY <= now:
        ledger.set_timer("upcoming", made["subscription"], None)  # it was announced in the past
    ledger.now = now
    behaving.catch_up(ledger, made["customer"])
    return {"customer": made["customer"], "behaviour": payer.segment, "renews_at": moment(renews_at).isoformat()}


def _person(payer: Payer, dice: random.Random, tag: str) -> Doc:
    name, country = full_name(dice), payer.holder.country
    plan, amount = dice.choices(list(_PLANS), weights=list(_PLANS.values()))[0]
    return {
        "name": name,
        "email": f"{name.replace(' ', '.').lower()}.{tag}@example.com",
        "plan": plan,
        "amount": amount,
        "currency": _CURRENCIES.get(country, "usd"),
        "locale": _LANGUAGES.get(country, "en"),
        "behaviour": payer.segment,
        "payer_seed": payer.seed,
        "metadata": {"behaviour": payer.segment},
    }
