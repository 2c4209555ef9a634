"""The people of the big proof: subscriptions that renew within its days, cards that answer by scripts, and what each
person does about a payment that failed.

They move into the sandbox by its own back door and in silence, because their past is nobody's news.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.clock import SandboxClock
from app.sandbox import issuer
from app.sandbox.billing import timers
from app.sandbox.cards import APPROVE
from app.sandbox.issuer import Entry
from app.sandbox.ledger import Ledger
from app.sandbox.periods import later
from app.sandbox.policy import DAY, HOUR
from app.sandbox.seed import WAYS
from app.sandbox.staging import subscribed_customer
from app.sandbox.world import World

FAILING_SHARE = 0.15  # of renewals; higher than in most businesses, so that there is something to count
RENEWALS = 15  # more than any subscription has in 90 days

# Country, time zone, language, currency (one without decimals, one with three) and minor units of a "dollar".
PLACES = (
    ("US", "America/New_York", "en-US", "usd", 100),
    ("US", "America/Los_Angeles", "en-US", "usd", 100),
    ("GB", "Europe/London", "en-GB", "gbp", 80),
    ("DE", "Europe/Berlin", "de", "eur", 90),
    ("FR", "Europe/Paris", "fr", "eur", 90),
    ("JP", "Asia/Tokyo", "ja", "jpy", 150),
    ("KW", "Asia/Kuwait", "en", "kwd", 310),
)
PLANS = (("Starter", 19), ("Team", 49), ("Business", 199))
INTERVALS = (("month", 75, 1, 30), ("year", 17, 10, 90), ("week", 8, 0.25, 7))  # weight, price, days until renewal
CARDS = ("pm_card_visa", "pm_card_visa_debit", "pm_card_mastercard", "pm_card_mastercard_debit", "pm_card_amex")

# What people do about a failed payment, and how many of a hundred.
HABITS = {
    "nothing": 52,
    "card_at_stripe": 12,
    "card_on_our_page": 12,
    "pays_the_invoice": 9,
    "cancels": 4,
    "is_renewed_by_the_network": 3,
    "operator_voids": 3,
    "operator_writes_off": 3,
    "pays_by_transfer": 2,
}


@dataclass(frozen=True)
class Person:
    """A customer, and what they do (a word of `HABITS`) so many days after a payment of theirs failed."""

    customer: str
    habit: str
    patience_days: float


def move_in(home: Path, base_url: str, count: int, seed: int, say: Callable[[int], None]) -> dict[str, Person]:
    """Put `count` people into the sandbox of `home`; they are found by their customer id. `say` hears how many came."""
    world = World(home, SandboxClock(home / "clock.json"), base_url)
    try:
        people = {}
        for number, person in enumerate(_people(world, count, random.Random(seed)), 1):
            people[person.customer] = person
            say(number)
        return people
    finally:
        world.store.close()


def _people(world: World, count: int, dice: random.Random) -> Iterator[Person]:
    for number in range(count):
        with world.transaction() as ledger:
            ledger.silent = True
            customer = _subscribe(ledger, number, dice)
        habit = dice.choices(tuple(HABITS), tuple(HABITS.values()))[0]
        yield Person(customer, habit, dice.uniform(0.5, 20))


def _subscribe(ledger: Ledger, number: int, dice: random.Random) -> str:
    """A subscription that began one period before its next renewal."""
    interval, _, price, within_days = dice.choices(INTERVALS, [entry[1] for entry in INTERVALS])[0]
    now, renews_at = ledger.now, ledger.now + dice.randrange(2 * HOUR, within_days * DAY)
    ledger.now = later(renews_at, interval, -1)
    made = subscribed_customer(ledger, _wanted(number, interval, price, dice))
    while (due := ledger.store.fetch("select min(due) from timers where due <= ?", now)[0][0]) is not None:
        ledger.now = due
        timers.ring(ledger)
    ledger.now = now
    issuer.set_script(ledger, made["payment_method"], script(dice))
    return str(made["customer"])


def _wanted(number: int, interval: str, price: float, dice: random.Random) -> dict[str, Any]:
    country, zone, language, currency, unit = dice.choice(PLACES)
    plan, dollars = dice.choice(PLANS)
    minor = round(dollars * price * unit)
    return {
        "name": f"Person {number}",
        "email": f"person.{number}@example.com",
        "plan": plan,
        "amount": minor - minor % 10 if currency == "kwd" else minor,  # Stripe wants the last digit of three to be 0
        "currency": currency,
        "interval": interval,
        "card": dice.choice(CARDS),
        "card_on": dice.choice(("customer", "subscription")),
        "country": country,
        "timezone": zone,
        "locale": language,
    }


def script(dice: random.Random) -> list[Entry]:
    """What a card answers from now on: most renewals work, the others fail in one of the sandbox's ways."""
    answers: list[Entry] = []
    for _ in range(RENEWALS):
        if dice.random() >= FAILING_SHARE:
            answers.append(APPROVE)
            continue
        way = dice.choice(WAYS)
        answers += way.script
        if way.script[-1] != APPROVE:
            return answers  # for ever
    return answers
