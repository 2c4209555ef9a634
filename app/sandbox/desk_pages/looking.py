"""What the pages show, read from the sandbox's memory. Changes nothing."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from app.sandbox import behaving
from app.sandbox.billing.standing import ENDED
from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.people import mailroom
from app.sandbox.store import Doc, Search, Store

PAGE = 25
_WEBHOOKS = {"pending": "on its way", "failed": "given up"}
_NOT_ARRIVED = "id in (select event from deliveries where state in ('pending', 'lost', 'failed'))"


@dataclass(frozen=True)
class Person:
    """A customer as a line of a list: subscriptions (newest first), what they owe, and who stands behind their card."""

    customer: Doc
    subscriptions: tuple[Doc, ...] = ()
    owed: tuple[Doc, ...] = ()
    behaviour: str | None = None

    @property
    def running(self) -> list[Doc]:
        """Subscriptions that have not ended."""
        return [entry for entry in self.subscriptions if entry["status"] not in ENDED]


@dataclass(frozen=True)
class Dossier:
    """All that a customer's page shows."""

    person: Person
    card: Doc | None
    invoices: list[Doc]
    charges: list[Doc]
    disputes: list[Doc]
    events: list[Doc]
    payer: Doc | None = None
    script: list[Any] = field(default_factory=list)
    diary: list[Any] | None = None


def people(ledger: Ledger, after: str | None, *, owing: bool = False) -> tuple[list[Person], str | None]:
    """A page of customers, newest first, and after whom the next page begins; with `owing` those alone who owe."""
    extra = "id in (select customer from objects where kind = 'invoice' and status = 'open')" if owing else ""
    found, more = ledger.store.search("customer", Search(extra=extra, limit=PAGE, after=after))
    shown = [_person(ledger, customer) for customer in found if not customer.get("deleted")]
    return shown, found[-1]["id"] if more else None


def dossier(ledger: Ledger, identifier: str) -> Dossier:
    """Everything about one customer; raises the 404 of an unknown one."""
    customer = ledger.get("customer", identifier)
    method = None
    if not customer.get("deleted"):
        method = ledger.find("payment_method", customer["invoice_settings"]["default_payment_method"])
    script = ledger.find("_script", method["id"]) if method else None
    charges = ledger.linked("charge", "customer", identifier)[::-1]
    return Dossier(
        _person(ledger, customer),
        method and method["card"],
        ledger.linked("invoice", "customer", identifier)[::-1],
        charges,
        [raised for charge in charges if charge["disputed"] for raised in _disputes(ledger, charge)],
        _events_of(ledger.store, identifier),
        _payer(ledger, identifier),
        (script or {}).get("script", []),
        mailroom.diary(ledger, identifier),
    )


@dataclass(frozen=True)
class Announcement:
    """An event with what became of each of its deliveries: (endpoint, state in words, attempts, next due)."""

    event: Doc
    seq: int
    deliveries: list[tuple[str, str, int, int | None]]


def announcements(store: Store, before: int | None, *, undelivered: bool = False) -> tuple[list[Announcement], bool]:
    """A page of events, newest first, and whether there are more."""
    rows = store.fetch(
        "select seq, body from objects where kind = 'event' and (? is null or seq < ?)"  # noqa: S608 - our own words
        f" and {_NOT_ARRIVED if undelivered else 'true'} order by seq desc limit ?",
        before,
        before,
        PAGE + 1,
    )
    found = [announcement(store, seq, orjson.loads(body)) for seq, body in rows[:PAGE]]
    return found, len(rows) > PAGE


def announcement(store: Store, seq: int, event: Doc) -> Announcement:
    """An event with its deliveries."""
    rows = store.fetch(
        "select endpoint, state, attempts, case state when 'pending' then due end from deliveries where event = ?"
        " order by seq",
        event["id"],
    )
    return Announcement(
        event, seq, [(where, _WEBHOOKS.get(state, state), tries, due) for where, state, tries, due in rows]
    )


def endpoints(store: Store) -> list[tuple[Doc, int]]:
    """Every webhook endpoint with how many deliveries wait for it."""
    found, _ = store.search("webhook_endpoint", Search(limit=100))
    counted = dict(store.fetch("select endpoint, count(*) from deliveries where state = 'pending' group by endpoint"))
    return [(endpoint, counted.get(endpoint["id"], 0)) for endpoint in found]


def figures(store: Store) -> dict[str, int]:
    """How many there are: customers, invoices that are open, and webhooks that have not arrived."""
    queries = {
        "customers": "select count(*) from objects where kind = 'customer'",
        "open": "select count(*) from objects where kind = 'invoice' and status = 'open'",
        "waiting": "select count(*) from deliveries where state = 'pending'",
    }
    return {name: int(store.fetch(sql)[0][0]) for name, sql in queries.items()}


def _person(ledger: Ledger, customer: Doc) -> Person:
    subscriptions = ledger.linked("subscription", "customer", customer["id"])[::-1]
    owed = ledger.linked("invoice", "customer", customer["id"], "open")
    behaviour = (behaving.known(ledger, customer["id"]) or {}).get("segment")
    return Person(customer, tuple(subscriptions), tuple(owed), behaviour)


def _disputes(ledger: Ledger, charge: Doc) -> list[Doc]:
    return ledger.linked("dispute", "payment_intent", charge["payment_intent"])


def _payer(ledger: Ledger, identifier: str) -> Doc | None:
    try:
        return behaving.described(ledger, identifier)
    except (StripeRefusal, KeyError):
        return None


def _events_of(store: Store, customer: str) -> list[Doc]:
    rows = store.fetch(
        "select body from (select seq, body from objects where kind = 'event' order by seq desc limit 2000)"
        " where json_extract(body, '$.data.object.customer') = ? or json_extract(body, '$.data.object.id') = ?"
        " order by seq desc limit 15",
        customer,
        customer,
    )
    return [orjson.loads(body) for (body,) in rows]
