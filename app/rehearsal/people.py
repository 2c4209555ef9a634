"""Invented customers moved into the pretend Stripe: with a card, a plan that has been paid so far, a bank, and a
letter box that they look into.

Works inside the sandbox, as its seed does, because all this is history: nobody was there to hear of it.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.rehearsal.orders import Order, Person
from app.rehearsal.stage import Stage
from app.sandbox import behaving, policy
from app.sandbox.cards import APPROVE
from app.sandbox.errors import StripeRefusal
from app.sandbox.failing import fail_now
from app.sandbox.issuers.payers import PAID_BEFORE, Payer
from app.sandbox.ledger import Ledger
from app.sandbox.people import mailroom
from app.sandbox.shapes.customer import new_price, new_product
from app.sandbox.staging import subscribed_customer
from app.vocabulary import ConnectionMode

_PERIOD = {"day": 1, "week": 7, "month": 30, "year": 365}  # days; about, for the age of a subscription
_TOKEN = "pm_card_visa"  # noqa: S105 - its face is changed to the person's afterwards


@dataclass
class Resident:
    """Somebody in the sandbox whose renewal is to fail."""

    customer: str
    fails_at: datetime
    script: tuple[Any, ...]
    has_failed: bool = False


def move_in(stage: Stage, order: Order) -> list[Resident]:
    """Put the order's people into the sandbox, in the order in which their renewals will fail."""
    with stage.world.transaction() as ledger:
        retries = "off" if order.connection_mode is ConnectionMode.DRIVE else "smart"
        policy.change(ledger, retries=retries, end_behavior="past_due", business_name=order.organization["name"])
        for price_id, price in order.prices.items():
            _add_price(ledger, price_id, price)
    return sorted((_one(stage, order, person) for person in order.people), key=lambda one: one.fails_at)


def _one(stage: Stage, order: Order, person: Person) -> Resident:
    fails_at = order.begins + timedelta(seconds=person.fails_after_seconds)
    payer = Payer.drawn(person.seed, person.segment, fails_at - PAID_BEFORE)
    with stage.world.transaction() as ledger:
        now, ledger.silent = ledger.now, True
        # A period that has all but run out when it is renewed: the next one comes a period later.
        ledger.now = int((fails_at - timedelta(days=_PERIOD[person.interval] - 1)).timestamp())
        ledger.now = min(ledger.now, now)
        made = subscribed_customer(ledger, _wanted(person))
        _show(ledger, made["payment_method"], person, payer)
        behaving.give(ledger, made["customer"], made["payment_method"], payer)
        ledger.now = now
        behaving.catch_up(ledger, made["customer"])
        mailroom.begin_reading(ledger, made["customer"], person.seed)
        ledger.silent = False
    return Resident(made["customer"], fails_at, person.script)


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


def _show(ledger: Ledger, method_id: str, person: Person, payer: Payer) -> None:
    """Give the card the person's brand, funding and country, and the date that is printed on the payer's."""
    method = ledger.get("payment_method", method_id)
    with ledger.changing(method):
        method["card"].update(behaving.face_of(payer))
        method["card"].update(brand=person.brand, funding=person.funding, country=person.card_country)


def _add_price(ledger: Ledger, price_id: str, price: dict[str, Any]) -> None:
    """The price that a downgrade leads to, under its own id."""
    product = ledger.add(new_product(price["name"], ledger.now))
    recurring = (price["interval"], 1)
    made = new_price(product["id"], price["currency"], price["amount"], recurring, ledger.now, nickname=price["name"])
    ledger.save({**made, "id": price_id})


def fail_due(stage: Stage, residents: list[Resident], now: datetime) -> None:
    """Renew everybody whose hour has come, at that very moment: their banks decline, or the renewal is theirs to keep.

    `residents` are in the order of their hours.
    """
    for one in residents:
        if one.fails_at > now:
            return
        if not one.has_failed:
            one.has_failed = True
            # A refusal means that it did not fail; then there is no case, and the report counts one less.
            with suppress(StripeRefusal), stage.world.transaction(now=int(one.fails_at.timestamp())) as ledger:
                fail_now(ledger, one.customer, list(one.script) or [APPROVE])
