"""The pages that a payer sees can be clicked through without JavaScript, and do what Stripe's do."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
import stripe

from app.clock import SandboxClock
from app.sandbox.server import RunningSandbox, run_in_thread


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    home = tmp_path_factory.mktemp("pages")
    running = run_in_thread(home, SandboxClock(home / "clock.json"))
    yield running
    running.stop()


@pytest.fixture
def client(sandbox: RunningSandbox) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)


def failing(sandbox: RunningSandbox, code: str) -> dict[str, Any]:
    made = requests.post(f"{sandbox.url}/_sandbox/customers", json={"name": "Pages"}, timeout=10).json()
    body = {"customer": made["customer"], "script": [code]}
    return made | requests.post(f"{sandbox.url}/_sandbox/fail", json=body, timeout=10).json()


def session_for(client: stripe.StripeClient, customer: str) -> Any:
    return client.v1.checkout.sessions.create(
        {
            "mode": "setup",
            "customer": customer,
            "currency": "usd",
            "success_url": "http://127.0.0.1:9/back?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://127.0.0.1:9/cancelled",
            "metadata": {"case": "17"},
        }
    )


def test_checkout_saves_a_card_and_sends_the_payer_back(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    owed = failing(sandbox, "lost_card")
    session = session_for(client, owed["customer"])
    page = requests.get(session.url, timeout=10)
    assert page.status_code == 200
    assert "Save card" in page.text
    assert "http://127.0.0.1:9/cancelled" in page.text
    done = requests.post(session.url, data={"card": "pm_card_mastercard"}, allow_redirects=False, timeout=10)
    assert (done.status_code, done.headers["Location"]) == (303, f"http://127.0.0.1:9/back?session={session.id}")
    complete = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (complete.status, complete.setup_intent.status) == ("complete", "succeeded")
    method = client.v1.payment_methods.retrieve(complete.setup_intent.payment_method)
    assert (method.customer, method.card.brand) == (owed["customer"], "mastercard")
    default = client.v1.customers.retrieve(owed["customer"]).invoice_settings.default_payment_method
    assert default == owed["payment_method"], "Stripe sets no default by itself"
    types = [event.type for event in client.v1.events.list({"limit": 3}).data]
    assert types == ["checkout.session.completed", "setup_intent.succeeded", "payment_method.attached"]
    assert "closed" in requests.get(f"{sandbox.url}/c/pay/{session.id}", timeout=10).text


def test_a_mistyped_number_is_refused_on_the_page_and_saves_nothing(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    owed = failing(sandbox, "expired_card")
    session = session_for(client, owed["customer"])
    answer = requests.post(session.url, data={"number": "4242 4242 4242 4241"}, allow_redirects=False, timeout=10)
    assert (answer.status_code, "card number is incorrect" in answer.text) == (402, True)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert len(client.v1.payment_methods.list({"customer": owed["customer"]}).data) == 1


def test_an_old_session_expires(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    owed = failing(sandbox, "lost_card")
    session = session_for(client, owed["customer"])
    client.v1.checkout.sessions.expire(session.id)
    assert "closed" in requests.get(f"{sandbox.url}/c/pay/{session.id}", timeout=10).text
    requests.post(f"{sandbox.url}/c/pay/{session.id}", data={}, timeout=10)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_three_d_secure_is_asked_for_and_approved_on_the_hosted_invoice(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    owed = failing(sandbox, "requires_action")
    invoice = client.v1.invoices.retrieve(owed["invoice"])
    assert (invoice.status, invoice.attempted, invoice.attempt_count) == ("open", True, 0)
    with pytest.raises(stripe.CardError) as caught:
        client.v1.invoices.pay(owed["invoice"], {"off_session": True})
    assert caught.value.error.code == "invoice_payment_intent_requires_action"
    assert "Approve" in requests.get(invoice.hosted_invoice_url, timeout=10).text
    paid = requests.post(invoice.hosted_invoice_url, data={"answer": "approve"}, timeout=10)
    assert "This invoice is paid" in paid.text
    assert client.v1.invoices.retrieve(owed["invoice"]).status == "paid"
    assert client.v1.subscriptions.retrieve(owed["subscription"]).status == "active"


def test_three_d_secure_can_be_refused(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    owed = failing(sandbox, "requires_action")
    url = client.v1.invoices.retrieve(owed["invoice"]).hosted_invoice_url
    assert "was told" in requests.post(url, data={"answer": "refuse"}, timeout=10).text
    path = ["payments.data.payment.payment_intent"]
    invoice = client.v1.invoices.retrieve(owed["invoice"], {"expand": path}).to_dict()
    intent = invoice["payments"]["data"][0]["payment"]["payment_intent"]
    assert (invoice["status"], intent["status"]) == ("open", "requires_payment_method")
    assert intent["last_payment_error"]["code"] == "payment_intent_authentication_failure"


def test_the_hosted_invoice_takes_another_card(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    owed = failing(sandbox, "lost_card")
    url = client.v1.invoices.retrieve(owed["invoice"]).hosted_invoice_url
    assert "$49.00" in requests.get(url, timeout=10).text
    refused = requests.post(url, data={"card": "pm_card_chargeDeclinedInsufficientFunds"}, timeout=10)
    assert "insufficient funds" in refused.text
    requests.post(url, data={"number": "5555555555554444"}, timeout=10)
    assert client.v1.invoices.retrieve(owed["invoice"]).status == "paid"


def test_the_portal_sets_the_customers_default_and_nothing_else(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    owed = failing(sandbox, "lost_card")
    client.v1.subscriptions.update(owed["subscription"], {"default_payment_method": owed["payment_method"]})
    portal = client.v1.billing_portal.sessions.create(
        {
            "customer": owed["customer"],
            "flow_data": {
                "type": "payment_method_update",
                "after_completion": {"type": "redirect", "redirect": {"return_url": "http://127.0.0.1:9/home"}},
            },
        }
    )
    assert "ending in 4242" in requests.get(portal.url, timeout=10).text
    done = requests.post(portal.url, data={"card": "pm_card_amex"}, allow_redirects=False, timeout=10)
    assert done.headers["Location"] == "http://127.0.0.1:9/home"
    customer = client.v1.customers.retrieve(owed["customer"])
    assert customer.invoice_settings.default_payment_method != owed["payment_method"]
    subscription = client.v1.subscriptions.retrieve(owed["subscription"])
    assert subscription.default_payment_method == owed["payment_method"]


def test_every_page_finds_all_it_names(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    owed = failing(sandbox, "lost_card")
    pages = (
        session_for(client, owed["customer"]).url,
        client.v1.invoices.retrieve(owed["invoice"]).hosted_invoice_url,
        client.v1.billing_portal.sessions.create({"customer": owed["customer"]}).url,
        f"{sandbox.url}/c/pay/cs_test_unknown",
    )
    for page in pages:
        named = re.findall(r'<link [^>]*href="([^"]+)"|src="([^"]+)"', requests.get(page, timeout=10).text)
        assert len(named) == 2, "a style sheet and an icon"
        for link in ("/favicon.ico", *("".join(pair) for pair in named)):
            found = requests.get(urljoin(page, link), timeout=10)
            assert found.status_code == 200, link
    assert found.headers["Content-Type"].startswith("text/css")
    assert requests.get(f"{sandbox.url}/favicon.ico", timeout=10).headers["Content-Type"].startswith("image/svg+xml")


def test_the_link_to_a_printed_invoice_leads_to_its_page(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    invoice = client.v1.invoices.retrieve(failing(sandbox, "lost_card")["invoice"])
    assert invoice.invoice_pdf
    found = requests.get(invoice.invoice_pdf, timeout=10)
    assert (found.url, found.status_code) == (invoice.hosted_invoice_url, 200)
    unknown = requests.get(f"{sandbox.url}/i/in_none/pdf", timeout=10)
    assert (unknown.status_code, "Nothing here" in unknown.text) == (404, True)


def test_one_business_name_stands_wherever_a_payer_or_program_looks(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    settings = f"{sandbox.url}/_sandbox/settings"
    assert requests.get(settings, timeout=10).json()["business_name"] == "Lumen Cloud"
    owed = failing(sandbox, "lost_card")
    assert "Lumen Cloud" in requests.get(session_for(client, owed["customer"]).url, timeout=10).text
    requests.post(settings, json={"business_name": " Käse & Co. *Berlin* "}, timeout=10).raise_for_status()
    owed = failing(sandbox, "lost_card")
    account = client.v1.accounts.retrieve_current().to_dict()
    assert account["business_profile"]["name"] == account["settings"]["dashboard"]["display_name"]
    assert account["business_profile"]["name"] == "Käse & Co. *Berlin*"
    assert account["settings"]["payments"]["statement_descriptor"] == "KSE & CO. BERLIN"
    invoice = client.v1.invoices.retrieve(owed["invoice"])
    assert invoice.account_name == "Käse & Co. *Berlin*"
    assert client.v1.charges.retrieve(owed["charge"]).calculated_statement_descriptor == "KSE & CO. BERLIN"
    shown = "Käse &amp; Co. *Berlin*"
    portal = client.v1.billing_portal.sessions.create({"customer": owed["customer"]})
    for url in (session_for(client, owed["customer"]).url, invoice.hosted_invoice_url, portal.url):
        assert shown in requests.get(url, timeout=10).text


def test_checkout_asks_the_bank_when_a_card_is_saved(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    owed = failing(sandbox, "lost_card")
    session = session_for(client, owed["customer"])
    asked = requests.post(session.url, data={"number": "4000 0025 0000 3155"}, allow_redirects=False, timeout=10)
    assert (asked.status_code, "Your bank asks you to confirm" in asked.text) == (200, True)
    assert "Save card" in requests.get(f"{session.url}?card=another", timeout=10).text
    refused = requests.post(session.url, data={"answer": "refuse"}, allow_redirects=False, timeout=10)
    assert (refused.status_code, "unable to authenticate" in refused.text) == (402, True)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    requests.post(session.url, data={"card": "pm_card_authenticationRequiredOnSetup"}, timeout=10)
    done = requests.post(session.url, data={"answer": "approve"}, allow_redirects=False, timeout=10)
    assert done.headers["Location"] == f"http://127.0.0.1:9/back?session={session.id}"
    complete = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (complete.status, complete.setup_intent.status) == ("complete", "succeeded")
    client.v1.invoices.pay(owed["invoice"], {"payment_method": complete.setup_intent.payment_method})


@pytest.mark.parametrize("form", [{"number": "4000000000009995"}, {"card": "pm_card_chargeDeclined"}])
def test_checkout_refuses_a_card_that_its_bank_declines(
    sandbox: RunningSandbox, client: stripe.StripeClient, form: dict[str, str]
) -> None:
    session = session_for(client, failing(sandbox, "lost_card")["customer"])
    refused = requests.post(session.url, data=form, allow_redirects=False, timeout=10)
    assert (refused.status_code, 'role="alert"' in refused.text) == (402, True)
    intent = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]}).setup_intent
    assert (intent.status, intent.last_setup_error.code) == ("requires_payment_method", "card_declined")
    again = requests.post(session.url, data={"card": "pm_card_visa"}, allow_redirects=False, timeout=10)
    assert again.status_code == 303


def test_the_portal_asks_the_bank_too(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    owed = failing(sandbox, "lost_card")
    portal = client.v1.billing_portal.sessions.create({"customer": owed["customer"]})
    asked = requests.post(portal.url, data={"card": "pm_card_authenticationRequiredOnSetup"}, timeout=10)
    assert "Your bank asks you to confirm" in asked.text
    assert requests.post(portal.url, data={"answer": "refuse"}, timeout=10).status_code == 402
    before = client.v1.customers.retrieve(owed["customer"]).invoice_settings.default_payment_method
    assert before == owed["payment_method"]
    requests.post(portal.url, data={"card": "pm_card_authenticationRequiredOnSetup"}, timeout=10)
    assert "Saved." in requests.post(portal.url, data={"answer": "approve"}, timeout=10).text
    now = client.v1.customers.retrieve(owed["customer"]).invoice_settings.default_payment_method
    assert client.v1.payment_methods.retrieve(now).card.last4 == "3155"
    assert requests.post(portal.url, data={"card": "pm_card_chargeDeclined"}, timeout=10).status_code == 402


def test_another_card_can_be_used_instead_of_confirming(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    owed = failing(sandbox, "requires_action")
    url = client.v1.invoices.retrieve(owed["invoice"]).hosted_invoice_url
    assert "?card=another" in requests.get(url, timeout=10).text
    assert "Pay $49.00" in requests.get(f"{url}?card=another", timeout=10).text
    asked = requests.post(f"{url}?card=another", data={"card": "pm_card_authenticationRequired"}, timeout=10)
    assert "Your bank asks you to confirm" in asked.text
    assert "This invoice is paid" in requests.post(url, data={"card": "pm_card_visa"}, timeout=10).text


def test_a_draft_has_no_page(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "No page"})
    draft = client.v1.invoices.create({"customer": customer.id})
    assert requests.get(f"{sandbox.url}/i/{draft.id}", timeout=10).status_code == 404


def test_links_die(tmp_path: Path) -> None:
    # "URL dies 30 days after due/finalisation"; Checkout within a day, portal sessions sooner.
    running = run_in_thread(tmp_path, SandboxClock(tmp_path / "clock.json"))
    try:
        client = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": running.url}, max_network_retries=0)
        requests.post(f"{running.url}/_sandbox/settings", json={"retries": "off"}, timeout=10)
        owed = failing(running, "lost_card")
        hosted = str(client.v1.invoices.retrieve(owed["invoice"]).hosted_invoice_url)
        checkout = session_for(client, owed["customer"]).url
        portal = client.v1.billing_portal.sessions.create({"customer": owed["customer"]}).url
        alive = []
        for days in (0.1, 0.95, 28, 2):
            moment = running.world.clock.now() + timedelta(days=days)
            requests.post(f"{running.url}/_sandbox/clock", json={"to": moment.isoformat()}, timeout=30)
            alive.append([requests.get(page, timeout=10).text.count("<form") for page in (hosted, checkout, portal)])
        assert alive == [[1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]]
        gone = requests.post(hosted, data={"card": "pm_card_visa"}, timeout=10)
        assert (gone.status_code, "expired" in gone.text) == (410, True)
        assert client.v1.invoices.pay(owed["invoice"], {"payment_method": "pm_card_visa"}).status == "paid"
    finally:
        running.stop()
