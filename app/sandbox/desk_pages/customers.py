"""The list of customers, the page of one, and what can be pressed there."""

from typing import Any

from flask import request

from app.sandbox.desk_pages import looking
from app.sandbox.desk_pages.pressing import FAILURES, PRESSES, fail
from app.sandbox.desk_pages.rendering import Pages, Route, go
from app.sandbox.desk_pages.turner import SPANS
from app.sandbox.errors import missing


class Customers:
    """Its routes and what they do."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._desk = pages.desk

    def routes(self) -> list[Route]:
        """Method, rule, name and action of each."""
        return [
            ("GET", "/customers", "customers", self.show_all),
            ("GET", "/customers/<customer>", "customer", self.show),
            ("POST", "/customers/<customer>/fail", "fails", self.fail),
            ("POST", "/customers/<customer>/<deed>", "press", self.press),
        ]

    def show_all(self) -> Any:
        """A page of them."""
        owing = "owing" in request.args
        with self._desk.ledger() as ledger:
            found, after = looking.people(ledger, request.args.get("after"), owing=owing)
        return self._pages.show("customers", people=found, after=after, owing=owing)

    def show(self, customer: str) -> Any:
        """One of them."""
        with self._desk.ledger(customer) as ledger:
            found = looking.dossier(ledger, customer)
        return self._pages.show("customer", found=found, presses=PRESSES, failures=FAILURES, spans=SPANS)

    def fail(self, customer: str) -> Any:
        """Their renewal happens now and fails."""
        code = request.form.get("code", "insufficient_funds")
        if code not in FAILURES:
            raise missing("decline code", code)
        with self._desk.ledger(customer) as ledger:
            fail(ledger, customer, request.form.get("subscription"), code, then_approves="then" in request.form)
        return go("customer", "The renewal has failed.", customer=customer)

    def press(self, customer: str, deed: str) -> Any:
        """Do what a button says, after asking where it cannot be taken back."""
        button = PRESSES.get(deed)
        if button is None:
            raise missing("deed", deed)
        if button.asks and "sure" not in request.form:
            return self._pages.show("sure", press=button, customer=customer)
        with self._desk.ledger(customer) as ledger:
            button.act(ledger, customer)
        return go("customer", button.done, customer=customer)
