"""Invented customers moved into the pretend Stripe: with a card, a plan that has been paid so far, and a bank.

Works inside the sandbox, as its seed does, because all this is history: nobody was there to hear of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.rehearsal.orders import Order, Person
from app.rehearsal.payers import Entry, Payer
from app.rehearsal.stage import Stage
from app.sandbox import issuer, policy
from app.sandbox.ledger import Ledger
from app.sandbox.shapes.customer import new_price, new_product
from app.sandbox.staging import subscribed_customer
from app.vocabulary import ConnectionMode

_PERIOD = {"day": 1, "week": 7, "month": 30, "year": 365}  # days; about, for the age of a subscription
_TOKEN = "pm_card_visa"  # noqa: S105 - its face is changed to the person's afterwards


@dataclass
class Resident:
    """Somebody in the sandbox. `said` is what their bank was last told to answer."""

    person: Person
    customer: str
    method: str
    fails_at: datetime
    payer: Payer
    has_failed: bool = False
    said: Entry | None = None


def move_in(stage: Stage, order: Order) -> list[Resident]:
    """Put the order's people into the sandbox, in the order in which their renewals will fail."""
    with stage.world.transaction() as ledger:
        retries = "off" if order.connection_mode is ConnectionMode.DRIVE else "smart"
        policy.change(ledger, retries=retries, end_behavior="past_due", business_name=order.organization["name"])
        for price_id, price in order.prices.items():
            _add_price(ledger, price_id, price)
    return sorted((_one(stage, order, person) for person in order.people), key=lambda one: one.fails_at)


def _one(stage: Stage, order: Order, person: Person) -> Resident:
    fails_at = order.begins + timedelta(hours=person.fails_after_hours)
    with stage.world.transaction() as ledger:
        now, ledger.silent = ledger.now, True
        # A period that has all but run out when it is renewed: the next one comes a period later.
        ledger.now = int((fails_at - timedelta(days=_PERIOD[person.interval] - 1)).timestamp())
        ledger.now = min(ledger.now, now)
        made = subscribed_customer(ledger, _wanted(person))
        _show(ledger, made["payment_method"], person)
        ledger.now, ledger.silent = now, False
    return Resident(person, made["customer"], made["payment_method"], fails_at, Payer(person, fails_at))


def _wanted(person: Person) -> dict[str, Any]:
    return {
        "name": person.name,
        "email": person.email,
        "plan": person.plan,
        "amount": person.amount,
        "currency": person.currency,
        "interval": person.interval,
        "card": _TOKEN,
        "country": person.country,
        "timezone": person.timezone,
        "locale": person.locale,
    }


def _show(ledger: Ledger, method_id: str, person: Person) -> None:
    """Give the card the person's brand, funding and country."""
    method = ledger.get("payment_method", method_id)
    with ledger.changing(method):
        method["card"].update(brand=person.brand, funding=person.funding, country=person.card_country)


def _add_price(ledger: Ledger, price_id: str, price: dict[str, Any]) -> None:
    """The price that a downgrade leads to, under its own id."""
    product = ledger.add(new_product(price["name"], ledger.now))
    recurring = (price["interval"], 1)
    made = new_price(product["id"], price["currency"], price["amount"], recurring, ledger.now, nickname=price["name"])
    ledger.save({**made, "id": price_id})


def instruct_banks(stage: Stage, residents: list[Resident]) -> None:
    """Tell the bank of everybody who has failed what to answer from now on, where that has changed."""
    now = stage.clock.now()
    news = [(one, one.payer.answer(now)) for one in residents if one.has_failed]
    changed = [(one, entry) for one, entry in news if entry != one.said]
    if not changed:
        return
    with stage.world.transaction() as ledger:
        for one, entry in changed:
            issuer.set_script(ledger, one.method, [entry])
            one.said = entry
