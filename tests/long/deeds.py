"""What people do about a failed payment, through the doors that they would use: our page, Stripe's pages, the network,
the operator's dashboard. Knows nothing of what Recoup makes of it.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import requests
from sqlalchemy import select

from app.models import Customer, Invoice, RecoveryCase
from app.vocabulary import OPEN_CASE_STATES
from tests.faults.stories import RENEWED, Telling
from tests.faults.town import SANDBOX_KEY, Town, card_number
from tests.long.people import Person

TRIES = 12  # of a person whose page does not open: Stripe is unwell now and then


class Deeds:
    """Everybody acts once for each failed payment; `done` counts what they did, by habit."""

    def __init__(self, town: Town, people: dict[str, Person]) -> None:
        self._town, self._people = town, people
        self._settled: set[str] = set()
        self.done: Counter[str] = Counter()
        self._doors: dict[str, Callable[[str, str], None]] = {
            "card_at_stripe": self._card_at_stripe,
            "card_on_our_page": self._card_on_our_page,
            "pays_the_invoice": self._pay_the_invoice,
            "cancels": self._cancel,
            "is_renewed_by_the_network": self._renew,
            "operator_voids": lambda _, invoice: self._dashboard("POST", f"invoices/{invoice}/void"),
            "operator_writes_off": lambda _, invoice: self._dashboard("POST", f"invoices/{invoice}/mark_uncollectible"),
            "pays_by_transfer": self._pay_by_transfer,
        }

    def act(self) -> int:
        """Whoever's patience is over does what is their habit; how many did something."""
        before = self.done.total()
        for customer, invoice, failed_at in self._failed():
            person = self._people[customer]
            if self._town.now < failed_at + timedelta(days=person.patience_days):
                continue
            self._settled.add(invoice)
            if person.habit in self._doors:
                self._doors[person.habit](customer, invoice)
                self.done[person.habit] += 1
        return self.done.total() - before

    def _failed(self) -> list[tuple[str, str, datetime]]:
        query = (
            select(Customer.stripe_id, Invoice.stripe_id, RecoveryCase.failed_at)
            .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
            .join(Customer, Customer.id == RecoveryCase.customer_id)
            .where(RecoveryCase.state.in_(OPEN_CASE_STATES))
        )
        with self._town.context.database.system() as session:
            return [(row[0], row[1], row[2]) for row in session.execute(query) if row[1] not in self._settled]

    def _card_at_stripe(self, customer: str, _invoice: str) -> None:
        self._town.control(f"customers/{customer}/new-card", on_subscriptions=True)

    def _renew(self, customer: str, _invoice: str) -> None:
        self._town.control(f"customers/{customer}/new-card", by="updater")

    def _card_on_our_page(self, customer: str, invoice: str) -> None:
        telling = Telling(self._town, RENEWED, customer, invoice)
        self._until_it_works(lambda: self._town.save_card(telling.open_card_page()))

    def _pay_the_invoice(self, _customer: str, invoice: str) -> None:
        page = f"{self._town.sandbox_url}/i/{invoice}"
        self._town.http.post(page, data={"number": card_number()}, timeout=30)

    def _cancel(self, _customer: str, invoice: str) -> None:
        subscription = self._town.books()[invoice]["subscription"]
        self._dashboard("DELETE", f"subscriptions/{subscription}")

    def _pay_by_transfer(self, _customer: str, invoice: str) -> None:
        self._dashboard("POST", f"invoices/{invoice}/pay", paid_out_of_band="true")

    def _dashboard(self, method: str, path: str, **form: str) -> None:
        """Pressed until Stripe answers; a refusal means that somebody else was quicker, or the press before this one.

        Each press is a request of its own: under one key Stripe would answer with its first 500 for ever.
        """
        url = f"{self._town.sandbox_url}/v1/{path}"

        def ask() -> None:
            answer = self._town.http.request(method, url, data=form, auth=(SANDBOX_KEY, ""), timeout=30)
            assert answer.status_code < 429, answer.text

        self._until_it_works(ask)

    @staticmethod
    def _until_it_works(deed: Callable[[], None]) -> None:
        for _ in range(TRIES):
            with suppress(AssertionError, requests.RequestException):
                deed()
                return
        raise AssertionError("Stripe's pages do not open")
