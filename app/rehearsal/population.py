"""Who is in a rehearsal: people invented after the failures an organization really had, else after assumed shares.

From real cases come the decline, the card's kind, country, zone, language, currency, amount and plan, always together
as they were found; never a name, an address or an id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import ChargeAttempt, Customer, PaymentMethod, RecoveryCase, Subscription
from app.rehearsal.orders import Person
from app.rehearsal.payers import world_of
from app.retries.worlds.parameters import common, pick, world
from app.vocabulary import AttemptState

LEAST = 30  # real failures; fewer say too little of a mix
MOST = 2000
KNOWN_FOR = timedelta(days=365)
SPREAD_DAYS = 7.0  # all renewals fail within this much of the beginning
_SHARE_OF_DAYS = 4

_FIRST = "Ada Bao Chiara Dario Elif Farid Greta Hana Ivo Juno Kaito Lena Mara Noor Omar Paula Rosa Sami Tove Yara"
_LAST = "Albers Bianchi Castro Dubois Eriksen Haddad Ito Jansen Kowalski Moreau Okafor Petrov Rossi Tanaka Weber Xu"

# Country, zone, language, currency, weight: assumed. Plans: name, minor units a month, weight: assumed.
_PLACES = (
    ("US", "America/New_York", "en-US", "usd", 5),
    ("US", "America/Los_Angeles", "en-US", "usd", 3),
    ("GB", "Europe/London", "en-GB", "gbp", 3),
    ("DE", "Europe/Berlin", "de", "eur", 3),
    ("FR", "Europe/Paris", "fr", "eur", 2),
    ("ES", "Europe/Madrid", "es", "eur", 1),
)
_PLANS = (("Starter", 1900, 5), ("Team", 4900, 4), ("Business", 19900, 2))
_USUAL = ("month", "year")  # what subscriptions are billed by, where nothing else is known
_MONTHS_A_YEAR = 10  # what an annual plan costs, in months

# What an issuer says, by the hidden cause.
_SAYS: dict[str, tuple[str, ...]] = {
    "money": ("insufficient_funds",),
    "suspicion": ("do_not_honor", "do_not_honor", "generic_decline", "generic_decline", "call_issuer"),
    "outage": ("issuer_not_available", "processing_error"),
    "limit": ("card_velocity_exceeded", "withdrawal_count_limit_exceeded"),
    "hard": ("expired_card", "expired_card", "lost_card", "stolen_card", "incorrect_number"),
    "hidden_dead": ("do_not_honor", "generic_decline"),
    "authentication": ("authentication_required",),
}
# The hidden cause behind what a real issuer said. Opaque codes by the shares of the facts on declines: no money .33 to
# .38, a wary bank .38 to .40, a dead card that hides .14 to .18, a disturbance .04 to .10.
_OPAQUE = {"money": 0.36, "suspicion": 0.39, "hidden_dead": 0.16, "outage": 0.06, "limit": 0.03}
_CAUSE_OF_CLASS = {
    "soft_timed": "money",
    "soft_fast": "outage",
    "authentication": "authentication",
    "network_never": "hard",
    "hard": "hard",
    "customer_action": "hard",
    "fraud": "hard",
}


@dataclass(frozen=True)
class Trait:
    """What is taken over from one real failure."""

    country: str
    timezone: str
    locale: str
    currency: str
    amount: int
    interval: str
    plan: str
    brand: str
    funding: str
    card_country: str
    decline_class: str | None
    signals: dict[str, str]


def real_mix(session: Session, intervals: Sequence[str], now: datetime) -> list[Trait]:
    """The traits of the failures of the last twelve months, newest first, of plans billed by one of `intervals`."""
    found = (
        select(RecoveryCase, Customer, Subscription)
        .join(Customer, Customer.id == RecoveryCase.customer_id)
        .join(Subscription, Subscription.id == RecoveryCase.subscription_id)
        .where(RecoveryCase.failed_at > now - KNOWN_FOR, Subscription.interval.in_(intervals))
        .order_by(RecoveryCase.failed_at.desc())
        .limit(MOST)
    )
    rows = session.execute(found).all()
    first = _first_declines(session, [case for case, _, _ in rows])
    cards = _cards(session, list(first.values()))
    traits = []
    for case, customer, subscription in rows:
        attempt = first.get(case.id)
        card = cards.get((attempt.connection_id, attempt.payment_method_id)) if attempt else None
        if attempt is not None and card is not None:
            traits.append(_trait(case, customer, subscription, attempt, card))
    return traits


def _first_declines(session: Session, cases: list[RecoveryCase]) -> dict[Any, ChargeAttempt]:
    query = (
        select(ChargeAttempt)
        .where(
            ChargeAttempt.case_id.in_([case.id for case in cases]),
            ChargeAttempt.state.in_((AttemptState.DECLINED, AttemptState.REQUIRES_ACTION)),
        )
        .order_by(ChargeAttempt.started_at.desc())
    )
    return {attempt.case_id: attempt for attempt in session.scalars(query)}


def _cards(session: Session, attempts: list[ChargeAttempt]) -> dict[Any, PaymentMethod]:
    ids = {attempt.payment_method_id for attempt in attempts if attempt.payment_method_id}
    rows = session.scalars(select(PaymentMethod).where(PaymentMethod.stripe_id.in_(ids), PaymentMethod.type == "card"))
    return {(row.connection_id, row.stripe_id): row for row in rows}


def _trait(
    case: RecoveryCase, customer: Customer, subscription: Subscription, attempt: ChargeAttempt, card: PaymentMethod
) -> Trait:
    country = customer.country or card.country or "US"
    zone = customer.timezone if customer.timezone in available_timezones() else _zone_of(country)
    code = attempt.signals.get("decline_code") or attempt.signals.get("code") or "generic_decline"
    advice = attempt.signals.get("network_advice_code")
    return Trait(
        country=country,
        timezone=zone,
        locale=str(next(iter(customer.locales), "")),
        currency=case.currency,
        amount=case.amount_due,
        interval=subscription.interval or "month",
        plan=subscription.plan_name or "Plan",
        brand=card.brand or "visa",
        funding=card.funding or "credit",
        card_country=card.country or country,
        decline_class=case.decline_class,
        signals={"decline_code": code} | ({"network_advice_code": advice} if advice else {}),
    )


def invented_mix(intervals: Sequence[str], count: int, rng: np.random.Generator) -> list[tuple[Trait, str]]:
    """That many traits by assumed shares, each with its hidden cause."""
    return [_invented(intervals, rng) for _ in range(count)]


def _invented(intervals: Sequence[str], rng: np.random.Generator) -> tuple[Trait, str]:
    country, zone, locale, currency, _ = _PLACES[_weighted([place[-1] for place in _PLACES], rng)]
    plan, cents, _ = _PLANS[_weighted([entry[-1] for entry in _PLANS], rng)]
    interval = next((usual for usual in _USUAL if usual in intervals), intervals[0])
    shares = world(world_of(country))
    cause = pick(shares["causes"], rng)
    code = _SAYS[cause][int(rng.integers(len(_SAYS[cause])))]
    if cause == "money" and rng.random() < common()["nsf_masked"]:
        code = _SAYS["hidden_dead"][int(rng.integers(2))]
    trait = Trait(
        country=country,
        timezone=zone,
        locale=locale,
        currency=currency,
        amount=cents * (_MONTHS_A_YEAR if interval == "year" else 1),
        interval=interval,
        plan=plan,
        brand=pick(shares["brands"], rng),
        funding=pick(shares["funding"], rng),
        card_country=country,
        decline_class=None,
        signals={"decline_code": code},
    )
    return trait, cause


def draw_people(
    traits: Sequence[Trait], intervals: Sequence[str], count: int, days: int, seed: int
) -> tuple[Person, ...]:
    """`count` people: after `traits`, drawn with replacement, or after assumed shares where there are none."""
    rng = np.random.default_rng(seed)
    if traits:
        drawn = [traits[int(place)] for place in rng.integers(len(traits), size=count)]
        pairs = [(trait, _cause_behind(trait, rng)) for trait in drawn]
    else:
        pairs = invented_mix(intervals, count, rng)
    return tuple(_person(number, *pair, days, rng) for number, pair in enumerate(pairs, start=1))


def _person(number: int, trait: Trait, cause: str, days: int, rng: np.random.Generator) -> Person:
    first, last = (words.split()[int(rng.integers(len(words.split())))] for words in (_FIRST, _LAST))
    return Person(
        name=f"{first} {last}",
        email=f"{first}.{last}.{number}@example.com".lower(),
        country=trait.country,
        timezone=trait.timezone,
        locale=trait.locale,
        currency=trait.currency,
        amount=trait.amount,
        interval=trait.interval,
        plan=trait.plan,
        brand=trait.brand,
        funding=trait.funding,
        card_country=trait.card_country,
        cause=cause,
        signals=trait.signals,
        fails_after_hours=float(rng.uniform(0.5, 24 * min(SPREAD_DAYS, days / _SHARE_OF_DAYS))),
        seed=int(rng.integers(2**62)),
    )


def _cause_behind(trait: Trait, rng: np.random.Generator) -> str:
    if trait.signals["decline_code"] in ("card_velocity_exceeded", "withdrawal_count_limit_exceeded"):
        return "limit"
    known = _CAUSE_OF_CLASS.get(trait.decline_class or "")
    return known or pick(_OPAQUE, rng)


def _weighted(weights: Sequence[float], rng: np.random.Generator) -> int:
    shares = np.array(weights, dtype=float)
    return int(rng.choice(len(shares), p=shares / shares.sum()))


def _zone_of(country: str) -> str:
    return next((zone for code, zone, *_ in _PLACES if code == country), "UTC")
