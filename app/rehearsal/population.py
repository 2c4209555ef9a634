"""Who is in a rehearsal: people invented after the failures an organization really had, else after assumed shares.

From real cases come the decline, the card's kind, country, zone, language, currency, amount and plan, always together
as they were found; never a name, an address or an id.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import ChargeAttempt, Customer, PaymentMethod, RecoveryCase, Subscription
from app.rehearsal.orders import Person
from app.rehearsal.payers import Drawn, Lot, Wanted, class_of, segment_of
from app.sandbox.issuers.payers import Payer
from app.vocabulary import AttemptState

LEAST = 30  # real failures; fewer say too little of a mix
MOST = 2000
KNOWN_FOR = timedelta(days=365)
SPREAD_DAYS = 7.0  # all renewals fail within this much of the beginning
_SHARE_OF_DAYS = 4

_FIRST = "Ada Bao Chiara Dario Elif Farid Greta Hana Ivo Juno Kaito Lena Mara Noor Omar Paula Rosa Sami Tove Yara"
_LAST = "Albers Bianchi Castro Dubois Eriksen Haddad Ito Jansen Kowalski Moreau Okafor Petrov Rossi Tanaka Weber Xu"

# Whose payments fail where no failures are known, by the sandbox's segments: assumed.
_SEGMENTS = {"us_consumer": 0.45, "uk_eu": 0.40, "business_credit": 0.15}
# Language and currency of a segment's countries. Plans: name, minor units a month, weight: assumed.
_PLACES = {
    "US": ("en-US", "usd"),
    "GB": ("en-GB", "gbp"),
    "CA": ("en-CA", "cad"),
    "DE": ("de-DE", "eur"),
    "FR": ("fr-FR", "eur"),
    "ES": ("es-ES", "eur"),
    "NL": ("nl-NL", "eur"),
}
_ZONES = {
    "US": "America/New_York",
    "GB": "Europe/London",
    "CA": "America/Toronto",
    "DE": "Europe/Berlin",
    "FR": "Europe/Paris",
    "ES": "Europe/Madrid",
    "NL": "Europe/Amsterdam",
}
_PLANS = {("Starter", 1900): 5, ("Team", 4900): 4, ("Business", 19900): 2}
_USUAL = ("month", "year")  # what subscriptions are billed by, where nothing else is known
_MONTHS_A_YEAR = 10  # what an annual plan costs, in months


Failure = tuple[RecoveryCase, Customer, Subscription]


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
    decline: Wanted | None = None


def real_mix(session: Session, is_theirs: Callable[[Failure], bool], now: datetime) -> list[Trait]:
    """The traits of the failures of the last twelve months, newest first, that `is_theirs` says are wanted."""
    found = (
        select(RecoveryCase, Customer, Subscription)
        .join(Customer, Customer.id == RecoveryCase.customer_id)
        .join(Subscription, Subscription.id == RecoveryCase.subscription_id)
        .where(RecoveryCase.failed_at > now - KNOWN_FOR)
        .order_by(RecoveryCase.failed_at.desc())
        .limit(MOST)
    )
    rows = [row for row in session.execute(found) if is_theirs((row[0], row[1], row[2]))]
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
    signals = {"decline_code": code} | ({"network_advice_code": advice} if advice else {})
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
        decline=Wanted(segment_of(country), case.decline_class or class_of(signals, card.brand), signals),
    )


def draw_people(
    traits: Sequence[Trait], intervals: Sequence[str], begins: datetime, count: int, days: int, seed: int
) -> tuple[Person, ...]:
    """`count` people whose payments fail soon after `begins` (aware UTC, whole seconds).

    Each is like one of `traits`, drawn with replacement; where there are none, people of assumed segments are drawn.
    """
    dice = Random(seed)  # noqa: S311 - the same people each time, not a secret
    lot = Lot(begins, timedelta(days=min(SPREAD_DAYS, days / _SHARE_OF_DAYS)), dice)
    if traits:
        chosen = dice.choices(traits, k=count)
        drawn = lot.like([trait.decline for trait in chosen if trait.decline])
    else:
        segments = dice.choices(list(_SEGMENTS), list(_SEGMENTS.values()), k=count)
        drawn = [lot.one(segment) for segment in segments]
        chosen = [_invented(one.payer, intervals, dice) for one in drawn]
    return tuple(
        _person(number, trait, one, dice) for number, (trait, one) in enumerate(zip(chosen, drawn, strict=True), 1)
    )


def _invented(payer: Payer, intervals: Sequence[str], dice: Random) -> Trait:
    """The payer as they are, with a plan by assumed shares."""
    holder = payer.holder
    locale, currency = _PLACES.get(holder.country, _PLACES["US"])
    plan, cents = dice.choices(list(_PLANS), list(_PLANS.values()))[0]
    interval = next((usual for usual in _USUAL if usual in intervals), intervals[0])
    return Trait(
        country=holder.country,
        timezone=holder.timezone,
        locale=locale,
        currency=currency,
        amount=cents * (_MONTHS_A_YEAR if interval == "year" else 1),
        interval=interval,
        plan=plan,
        brand=holder.brand,
        funding=holder.funding,
        card_country=holder.country,
    )


def _person(number: int, trait: Trait, drawn: Drawn, dice: Random) -> Person:
    first, last = dice.choice(_FIRST.split()), dice.choice(_LAST.split())
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
        segment=drawn.payer.segment,
        seed=drawn.payer.seed,
        fails_after_seconds=int(drawn.after.total_seconds()),
        script=drawn.script,
    )


def _zone_of(country: str) -> str:
    return _ZONES.get(country, "UTC")
