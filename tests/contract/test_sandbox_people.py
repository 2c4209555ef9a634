"""Customers read their mail and walk the pages over real HTTP, at their hours, and time waits for them meanwhile."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.clock import SandboxClock
from app.sandbox.people.habits import Deed, plan
from app.sandbox.server import Owner, RunningSandbox, run_in_thread


class Merchant:
    """A merchant's page with one button, which leads to Checkout; counts what it is asked."""

    def __init__(self, server: HTTPServer, sandbox: RunningSandbox) -> None:
        self.client = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)
        self.url = server.url_for("/pay/x")
        self.asked: list[str] = []
        self.saved: list[str] = []
        self.away = 0
        self.customer = ""
        server.expect_request("/pay/x").respond_with_handler(self._show)
        server.expect_request("/pay/x/card").respond_with_handler(self._leave)
        server.expect_request("/pay/x/return").respond_with_handler(self._take)

    def _show(self, request: Request) -> Response:
        self.asked.append("page")
        if self.away:
            self.away -= 1
            return Response(status=503)
        ticket = '<input type="hidden" name="ticket" value="1">'
        form = f'<form method="post" action="/pay/x/card">{ticket}<button>Card</button></form>'
        return Response(form, mimetype="text/html")

    def _leave(self, request: Request) -> Response:
        self.asked.append(f"card {request.form['ticket']}")
        session = self.client.v1.checkout.sessions.create(
            {
                "mode": "setup",
                "customer": self.customer,
                "currency": "usd",
                "success_url": f"{self.url}/return?session_id={{CHECKOUT_SESSION_ID}}",
            }
        )
        return Response(status=303, headers={"Location": str(session.url)})

    def _take(self, request: Request) -> Response:
        self.saved.append(request.args["session_id"])
        return Response("Thank you", mimetype="text/html")


@pytest.fixture
def mailbox(tmp_path: Path) -> Path:
    box = tmp_path / "outbox"
    box.mkdir()
    return box


@pytest.fixture
def sandbox(tmp_path: Path, mailbox: Path) -> Iterator[RunningSandbox]:
    running = run_in_thread(tmp_path, SandboxClock(tmp_path / "clock.json"), owner=Owner(mailbox=mailbox))
    yield running
    running.stop()


@pytest.fixture
def merchant(sandbox: RunningSandbox, httpserver: HTTPServer) -> Merchant:
    return Merchant(httpserver, sandbox)


def control(sandbox: RunningSandbox, path: str, /, **body: Any) -> dict[str, Any]:
    answer = requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def somebody(sandbox: RunningSandbox, merchant: Merchant, deed: Deed) -> str:
    """A customer who will do that about their first mail."""
    made = control(sandbox, "customers", email="ada@example.com", timezone="Europe/Berlin")
    now = sandbox.world.clock.now()
    seed = next(seed for seed in range(9000) if plan(seed, 1, 1, now, "Europe/Berlin").deed is deed)
    control(sandbox, f"customers/{made['customer']}/reader", seed=seed)
    merchant.customer = str(made["customer"])
    return merchant.customer


def mail(link: str, to: str = "ada@example.com") -> bytes:
    made = EmailMessage()
    made["To"], made["Subject"] = to, "Still open"
    made.set_content(f"Pay here:\n{link}\n")
    return made.as_bytes()


def turn(sandbox: RunningSandbox, by: timedelta) -> None:
    control(sandbox, "clock", to=(sandbox.world.clock.now() + by).isoformat(), settle_seconds=30)


def diary(sandbox: RunningSandbox, customer: str) -> list[str]:
    found = requests.get(f"{sandbox.url}/_sandbox/customers/{customer}/reader", timeout=10).json()["diary"]
    return [words for _, words in found]


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_a_mail_in_the_folder_leads_to_a_saved_card_at_a_waking_hour(
    sandbox: RunningSandbox, merchant: Merchant, mailbox: Path
) -> None:
    customer = somebody(sandbox, merchant, Deed.FIXES)
    (mailbox / "1.eml").write_bytes(mail(merchant.url))
    reading = requests.get(f"{sandbox.url}/_sandbox/clock", timeout=10).json()
    assert reading["next_event_at"] is not None
    assert merchant.asked == []
    turn(sandbox, timedelta(days=7))
    assert merchant.asked == ["page", "card 1"]
    assert len(merchant.saved) == 1
    assert diary(sandbox, customer) == ["mail 1: Still open", "card, card 4242"]
    intent = merchant.client.v1.checkout.sessions.retrieve(merchant.saved[0]).setup_intent
    assert merchant.client.v1.setup_intents.retrieve(str(intent)).status == "succeeded"


@pytest.mark.parametrize(
    ("deed", "did", "saved"),
    [
        (Deed.WRONG_THEN_FIXES, "card, card 0002, card 4242", 1),
        (Deed.WRONG, "card, card 0002", 0),
        (Deed.ABANDONS, "card", 0),
        (Deed.LOOKS, "looked and left", 0),
    ],
)
def test_people_give_wrong_cards_change_their_minds_or_only_look(
    sandbox: RunningSandbox, merchant: Merchant, deed: Deed, did: str, saved: int
) -> None:
    customer = somebody(sandbox, merchant, deed)
    requests.post(f"{sandbox.url}/_sandbox/mail", data=mail(merchant.url), timeout=10)
    turn(sandbox, timedelta(days=7))
    assert diary(sandbox, customer)[1:] == [did]
    assert len(merchant.saved) == saved


def test_a_page_that_is_away_is_visited_again(sandbox: RunningSandbox, merchant: Merchant) -> None:
    customer = somebody(sandbox, merchant, Deed.FIXES)
    merchant.away = 2
    requests.post(f"{sandbox.url}/_sandbox/mail", data=mail(merchant.url), timeout=10)
    turn(sandbox, timedelta(days=7))
    assert merchant.asked == ["page", "page", "page", "card 1"]
    assert diary(sandbox, customer)[1:] == ["card, card 4242"]


def test_the_bank_is_asked_and_answered_on_its_page(sandbox: RunningSandbox, merchant: Merchant) -> None:
    customer = somebody(sandbox, merchant, Deed.FIXES)
    control(sandbox, "fail", customer=customer, script=["requires_action", "approve"])
    invoice = merchant.client.v1.invoices.list({"customer": customer, "status": "open"}).data[0]
    requests.post(f"{sandbox.url}/_sandbox/mail", data=mail(str(invoice.hosted_invoice_url)), timeout=10)
    turn(sandbox, timedelta(days=7))
    assert diary(sandbox, customer)[1] in ("approve", "refuse")
    paid = merchant.client.v1.invoices.retrieve(str(invoice.id)).status == "paid"
    assert paid == (diary(sandbox, customer)[1] == "approve")


@pytest.mark.parametrize(
    "link", ["http://example.com/pay/x", "https://169.254.169.254/latest", "http://127.0.0.1@example.org:80/"]
)
def test_nobody_is_led_to_other_hosts(sandbox: RunningSandbox, merchant: Merchant, link: str) -> None:
    customer = somebody(sandbox, merchant, Deed.FIXES)
    requests.post(f"{sandbox.url}/_sandbox/mail", data=mail(link), timeout=10)
    turn(sandbox, timedelta(days=7))
    assert diary(sandbox, customer)[1].startswith("nobody goes to ")


def test_a_mail_to_nobody_here_and_no_mail_at_all_do_nothing(sandbox: RunningSandbox, merchant: Merchant) -> None:
    somebody(sandbox, merchant, Deed.FIXES)
    answer = requests.post(f"{sandbox.url}/_sandbox/mail", data=mail(merchant.url, to="who@example.com"), timeout=10)
    assert answer.json() == {"customers": []}
    assert requests.post(f"{sandbox.url}/_sandbox/mail", timeout=10).status_code == 400
    turn(sandbox, timedelta(days=7))
    assert merchant.asked == []


def test_the_diary_is_on_the_customers_page(sandbox: RunningSandbox, merchant: Merchant) -> None:
    customer = str(control(sandbox, "customers", email="bea@example.com")["customer"])
    assert "Nobody reads it" in requests.get(f"{sandbox.url}/customers/{customer}", timeout=10).text
    page = requests.post(f"{sandbox.url}/customers/{customer}/reads", timeout=10).text
    assert "None has come yet" in page
    requests.post(f"{sandbox.url}/_sandbox/mail", data=mail(merchant.url, to="bea@example.com"), timeout=10)
    until(lambda: "Still open" in requests.get(f"{sandbox.url}/customers/{customer}", timeout=10).text)
