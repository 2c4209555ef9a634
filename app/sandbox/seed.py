"""Sample customers with half a year of history, and among them one for each way in which a renewal can fail.

The history is played through the same billing rules as everything else, only silently and in one transaction.
"""

import random
from dataclasses import dataclass

from app.sandbox import issuer
from app.sandbox.billing import timers
from app.sandbox.failing import fail_now
from app.sandbox.issuer import Entry
from app.sandbox.ledger import Ledger
from app.sandbox.names import full_name
from app.sandbox.periods import later, moment
from app.sandbox.policy import DAY, HOUR
from app.sandbox.staging import subscribed_customer
from app.sandbox.store import Doc

# Country, time zone, locale, currency, and a weight.
_PLACES = (
    ("US", "America/New_York", "en-US", "usd", 5),
    ("US", "America/Los_Angeles", "en-US", "usd", 3),
    ("GB", "Europe/London", "en-GB", "gbp", 2),
    ("DE", "Europe/Berlin", "de", "eur", 3),
    ("FR", "Europe/Paris", "fr", "eur", 2),
    ("ES", "Europe/Madrid", "es", "eur", 1),
    ("JP", "Asia/Tokyo", "ja", "jpy", 2),
)
_PLANS = (("Free", 0, 1), ("Starter", 1900, 5), ("Team", 4900, 4), ("Business", 19900, 2))
_YEN_PER_CENT = 1.5
_CARDS = ("pm_card_visa", "pm_card_visa_debit", "pm_card_mastercard", "pm_card_mastercard_debit", "pm_card_amex")
_ANNUAL_SHARE = 0.2
_ROUGH_HISTORY_SHARE = 0.15


@dataclass(frozen=True)
class Way:
    """One way to fail: a name for people, a card, and its issuer's answers from the next renewal on."""

    name: str
    card: str
    script: list[Entry]


WAYS = (
    Way(
        "insufficient funds, works at the third try",
        "pm_card_visa_debit",
        ["insufficient_funds", "insufficient_funds", "approve"],
    ),
    Way(
        "do not honor, works at the fourth try",
        "pm_card_visa",
        ["do_not_honor", "do_not_honor", "do_not_honor", "approve"],
    ),
    Way("bank wants 3-D Secure", "pm_card_mastercard", ["requires_action"]),
    Way("expired card", "pm_card_visa", ["expired_card"]),
    Way("lost card", "pm_card_visa", ["lost_card"]),
    Way("stolen card", "pm_card_mastercard", ["stolen_card"]),
    Way("processing error once", "pm_card_visa", ["processing_error", "approve"]),
    Way("issuer away once", "pm_card_amex", ["issuer_not_available", "approve"]),
    Way("too many tries today", "pm_card_visa", ["card_velocity_exceeded", "card_velocity_exceeded", "approve"]),
    Way("generic decline, never works", "pm_card_visa", ["generic_decline"]),
    Way("insufficient funds, never works", "pm_card_mastercard_debit", ["insufficient_funds"]),
    Way(
        "Mastercard says never again",
        "pm_card_mastercard",
        [{"decline_code": "do_not_honor", "advice_code": "do_not_try_again", "network_advice_code": "03"}],
    ),
    Way(
        "Mastercard says after ten days",
        "pm_card_mastercard",
        [{"decline_code": "insufficient_funds", "network_advice_code": "30"}, "approve"],
    ),
    Way("payments stopped by the cardholder", "pm_card_visa", ["stop_payment_order"]),
)


def seed(ledger: Ledger, *, customers: int = 60, months: int = 6, number: int = 7, fail_at_once: bool = False) -> Doc:
    """Make `customers` that always pay and one for each of `WAYS`, all with `months` of history.

    The same `number` makes the same people and plans. With `fail_at_once` the renewals of `WAYS` happen now and are
    announced; else they come within the next days. A second call changes nothing and answers with what is there.
    """
    known = ledger.find("_seed", "sample")
    if known is not None:
        return {key: value for key, value in known.items() if key != "id"}
    dice = random.Random(number)  # noqa: S311 - the same sample each time, not a secret
    now = ledger.now
    ledger.silent = True
    paying = [_with_history(ledger, dice, now, months, now + dice.randrange(DAY, 29 * DAY)) for _ in range(customers)]
    failing = [_failing(ledger, dice, now, months, place, way) for place, way in enumerate(WAYS)]
    ledger.now, ledger.silent = now, False
    if fail_at_once:
        for entry, way in zip(failing, WAYS, strict=True):
            entry["invoice"] = fail_now(ledger, entry["customer"], way.script)["invoice"]
    made = {"customers": [entry["customer"] for entry in paying], "failing": failing}
    ledger.save({"id": "sample", **made}, "_seed")
    return made


def _failing(ledger: Ledger, dice: random.Random, now: int, months: int, place: int, way: Way) -> Doc:
    renews_at = now + HOUR // 2 + place * 7 * HOUR
    made = _with_history(ledger, dice, now, months, renews_at, way)
    issuer.set_script(ledger, made["payment_method"], way.script)
    return {"customer": made["customer"], "way": way.name, "renews_at": moment(renews_at).isoformat()}


def _with_history(
    ledger: Ledger, dice: random.Random, now: int, months: int, renews_at: int, way: Way | None = None
) -> Doc:
    """A customer whose subscription began long enough ago to renew next at `renews_at`; `ledger.now` ends at `now`."""
    annual = way is None and dice.random() < _ANNUAL_SHARE
    start = later(renews_at, "year", -1) if annual else later(renews_at, "month", -months)
    ledger.now = start
    wanted = _person(dice, annual, way)
    made = subscribed_customer(ledger, wanted)
    while True:
        rows = ledger.store.fetch("select min(due) from timers where clock is null and due <= ?", now)
        if rows[0][0] is None:
            break
        ledger.now = rows[0][0]
        if dice.random() < _ROUGH_HISTORY_SHARE:
            issuer.set_script(ledger, made["payment_method"], ["insufficient_funds", "approve"])
        timers.ring(ledger)
    ledger.now = now
    issuer.set_script(ledger, made["payment_method"], ["approve"])
    return made


def _person(dice: random.Random, annual: bool, way: Way | None) -> Doc:
    country, zone, locale, currency, _ = dice.choices(_PLACES, weights=[place[-1] for place in _PLACES])[0]
    plans = _PLANS if way is None else _PLANS[1:]
    plan, cents, _ = dice.choices(plans, weights=[entry[-1] for entry in plans])[0]
    amount = int(cents * _YEN_PER_CENT) if currency == "jpy" else cents
    name = full_name(dice)
    return {
        "name": name,
        "email": f"{name.replace(' ', '.')}.{dice.randrange(1000):03d}@example.com".lower(),
        "plan": plan,
        "amount": amount * 10 if annual else amount,
        "currency": currency,
        "interval": "year" if annual else "month",
        "card": way.card if way else dice.choice(_CARDS),
        "card_on": dice.choice(("customer", "subscription")),
        "country": country,
        "timezone": zone,
        "locale": locale,
    }
