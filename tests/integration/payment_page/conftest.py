"""A customer with a link in hand, who reads pages and presses buttons over real HTTP."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from app.links import PayLink, make_pay_url
from app.models import RecoveryCase
from app.recovery import holds
from app.vocabulary import HoldKind
from tests.stage import Stage

FORM = re.compile(r'<form method="post" action="([^"]+)">\s*<input type="hidden" name="ticket" value="([^"]+)">')


@dataclass
class Payer:
    """A browser without cookies or scripts, at one customer's link."""

    stage: Stage
    url: str
    invoice: str
    customer: str
    http: requests.Session = field(default_factory=requests.Session)

    def see(self, rest: str = "", **more: Any) -> requests.Response:
        return self.http.get(f"{self.url}{rest}", allow_redirects=False, timeout=30, **more)

    def forms(self, page: requests.Response) -> dict[str, str]:
        """The page's forms: what each one does, and its ticket."""
        return {unescape(action).rsplit("/", 1)[-1]: unescape(ticket) for action, ticket in FORM.findall(page.text)}

    def press(self, button: str, page: requests.Response | None = None, **headers: str) -> requests.Response:
        """Send one of the forms of `page` (else of a fresh look), following no redirect."""
        ticket = self.forms(page or self.see())[button]
        return self.http.post(
            f"{self.url}/{button}", data={"ticket": ticket}, headers=headers, allow_redirects=False, timeout=30
        )

    def follow(self, answer: requests.Response) -> requests.Response:
        """Go where an answer leads, to the end."""
        while answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            answer = self.http.get(target, allow_redirects=False, timeout=30)
        return answer

    def save_card(self, checkout: requests.Response, card: str = "pm_card_visa") -> str:
        """Save a card on Stripe's page; the address Stripe sends the browser back to."""
        assert checkout.status_code == 303, checkout.text
        saved = self.http.post(checkout.headers["Location"], data={"card": card}, allow_redirects=False, timeout=30)
        assert saved.status_code == 303, saved.text
        return saved.headers["Location"]

    def pay_with(self, card: str = "pm_card_visa") -> requests.Response:
        """The whole way: button, Stripe's page, back, outcome."""
        back = self.save_card(self.press("card"), card)
        return self.follow(self.http.get(back, allow_redirects=False, timeout=30))

    @property
    def case(self) -> RecoveryCase:
        return self.stage.case(self.invoice)

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    def charges(self) -> list[dict[str, Any]]:
        """Every charge that Stripe's books have for this customer."""
        found: list[dict[str, Any]] = self.stage.stripe("GET", f"charges?customer={self.customer}&limit=100")["data"]
        return found

    def paid_charges_of_renewals(self) -> int:
        """Successful charges beyond the first month's."""
        return sum(charge["status"] == "succeeded" for charge in self.charges()) - 1


def link_for(stage: Stage, case: RecoveryCase, version: int | None = None) -> str:
    link = PayLink(stage.organization_id, case.id, version or case.link_version)
    return make_pay_url(stage.base_url, stage.context.settings.require("secret_key"), link, stage.now)


def make_payer(stage: Stage, *script: Any, **wanted: Any) -> Payer:
    wanted = {"name": "Anna Schmidt", "email": "anna@example.com", "amount": 4900, "currency": "eur"} | wanted
    customer = stage.customer(**wanted)["customer"]
    invoice = stage.fail(customer, *script)
    return Payer(stage, link_for(stage, stage.case(invoice)), invoice, customer)


def hold(payer: Payer, kind: HoldKind, days: int | None = None) -> None:
    """The case rests, for so many days or until somebody releases it."""
    stage, case = payer.stage, payer.case
    with stage.context.database.organization(stage.organization_id) as session:
        holds.place(
            session,
            organization_id=stage.organization_id,
            customer_id=case.customer_id,
            case_id=case.id,
            kind=kind,
            key=f"{kind}:test",
            reason="For the test.",
            until=stage.now + timedelta(days=days) if days else None,
            by="test",
            now=stage.now,
        )


@pytest.fixture
def payer_with(stage: Stage) -> Callable[..., Payer]:
    """A customer whose renewal fails by a script of answers."""
    return lambda *script, **wanted: make_payer(stage, *script, **wanted)


@pytest.fixture
def payer(stage: Stage) -> Payer:
    """A customer whose card had not enough on it, and goes on having not enough."""
    return make_payer(stage, "insufficient_funds")
