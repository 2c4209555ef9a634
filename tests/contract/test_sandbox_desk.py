"""The sandbox's own pages: every button does what it says, asks where it should, and no other site can press it."""

import re
import time
from collections.abc import Callable, Iterator
from html import unescape

import pytest
import requests
import stripe

from app.clock import SandboxClock
from app.sandbox.desk_pages.pressing import FAILURES, PRESSES
from app.sandbox.faults import KINDS
from app.sandbox.server import RunningSandbox, run_in_thread
from app.sandbox.stories import STORIES


class Visitor:
    """Somebody with a browser, in which nothing runs scripts."""

    def __init__(self, sandbox: RunningSandbox) -> None:
        self.sandbox = sandbox
        self.client = stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)

    def see(self, path: str, status: int = 200) -> str:
        answer = requests.get(f"{self.sandbox.url}{path}", timeout=30)
        assert answer.status_code == status, answer.text
        return unescape(answer.text)

    def press(self, where: str, /, status: int = 200, **fields: str) -> str:
        answer = requests.post(f"{self.sandbox.url}{where}", data=fields, timeout=30)
        assert answer.status_code == status, answer.text
        self.at = answer.url.removeprefix(self.sandbox.url).partition("?")[0]
        return unescape(answer.text)

    def story(self, name: str) -> str:
        """Begin one; the customer's id."""
        self.press(f"/stories/{name}")
        return self.at.rpartition("/")[2]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    home = tmp_path_factory.mktemp("desk")
    running = run_in_thread(home, SandboxClock(home / "clock.json"))
    yield running
    running.stop()


@pytest.fixture
def visitor(sandbox: RunningSandbox) -> Visitor:
    return Visitor(sandbox)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_every_story_begins_with_one_press_and_leads_to_its_customer(visitor: Visitor, story: object) -> None:
    name = getattr(story, "name")  # noqa: B009
    assert f'action="/stories/{name}"' in visitor.see("/")
    page = visitor.press(f"/stories/{name}")
    assert visitor.at.startswith("/customers/cus_")
    assert "has begun" in page
    assert ">open<" in page
    visitor.press("/faults/calm")


def test_the_clock_is_turned_and_the_page_says_where_it_is(visitor: Visitor) -> None:
    customer = visitor.story("insufficient-funds")
    before = visitor.sandbox.world.now()
    visitor.press("/clock", span="1w", customer=customer)
    assert visitor.at == f"/customers/{customer}"
    until(lambda: "Turning the clock" not in visitor.see("/"))
    assert visitor.sandbox.world.now() - before >= 7 * 86_400
    assert "Nobody" in visitor.see("/customers?owing=1") or customer not in visitor.see("/customers?owing=1")
    assert ">paid<" in visitor.see(f"/customers/{customer}")


def test_a_link_cannot_put_words_into_the_pages_mouth(visitor: Visitor) -> None:
    for link in ("/?said=Your+key+is+stolen", "/faults?said=All+is+calm.&seal=0123456789abcdef", "/?said=x&seal="):
        assert 'class="said"' not in visitor.see(link)
    assert "All is calm." in visitor.press("/faults/calm")


def test_a_span_that_is_not_offered_is_refused(visitor: Visitor) -> None:
    assert "turned by one of" in visitor.press("/clock", status=400, span="10y")


@pytest.mark.parametrize("code", FAILURES)
def test_a_renewal_fails_as_chosen(visitor: Visitor, code: str) -> None:
    customer = _customer(visitor)
    page = visitor.press(f"/customers/{customer}/fail", code=code, then="1")
    assert "The renewal has failed." in page
    owed = visitor.client.v1.invoices.list({"customer": customer, "status": "open"}).data
    assert len(owed) == 1
    visitor.client.v1.invoices.pay(owed[0].id)
    assert visitor.client.v1.invoices.retrieve(owed[0].id).status == "paid"


@pytest.mark.parametrize("deed", [name for name, press in PRESSES.items() if press.asks])
def test_what_cannot_be_taken_back_asks_first(visitor: Visitor, deed: str) -> None:
    customer = visitor.story("lost-card")
    if deed in ("won", "lost"):
        visitor.press(f"/customers/{customer}/dispute", sure="1")
    events = len(visitor.client.v1.events.list({"limit": 100}).data)
    page = visitor.press(f"/customers/{customer}/{deed}")
    assert str(PRESSES[deed].asks) in page
    assert len(visitor.client.v1.events.list({"limit": 100}).data) == events
    assert PRESSES[deed].done in visitor.press(f"/customers/{customer}/{deed}", sure="1")


def test_a_dispute_is_raised_and_decided(visitor: Visitor) -> None:
    customer = visitor.story("insufficient-funds")
    assert "disputes" in visitor.see(f"/customers/{customer}")
    page = visitor.press(f"/customers/{customer}/dispute", sure="1")
    assert "Bank decides for the merchant" in page
    assert "The dispute was won." in visitor.press(f"/customers/{customer}/won")
    assert "disputes nothing" in visitor.press(f"/customers/{customer}/won", status=400)


def test_new_cards_come_from_the_network_and_from_the_operator(visitor: Visitor) -> None:
    customer = visitor.story("expired-card")
    before = visitor.see(f"/customers/{customer}")
    after = visitor.press(f"/customers/{customer}/updater")
    assert _card(before) != _card(after)
    assert _card(visitor.press(f"/customers/{customer}/operator")) != _card(after)
    assert "works from now on" in visitor.press(f"/customers/{customer}/works")


def test_what_makes_no_sense_is_refused_in_words_on_a_page(visitor: Visitor) -> None:
    customer = _customer(visitor)
    assert "owes nothing" in visitor.press(f"/customers/{customer}/elsewhere", status=400, sure="1")
    assert "No such" in visitor.press(f"/customers/{customer}/explode", status=404)
    assert "No such" in visitor.press(f"/customers/{customer}/fail", status=404, code="rain")
    assert "No such customer" in visitor.see("/customers/cus_none", status=404)
    assert "no story" in visitor.press("/stories/none", status=404)
    assert "behaviours" in visitor.press("/population", status=400, customers="3", behaviour="martians")
    assert "customers" in visitor.press("/population", status=400, customers="", behaviour="uk_eu")
    assert "retries" in visitor.press("/settings", status=400, retries="often")


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_has_a_switch(visitor: Visitor, kind: str) -> None:
    assert "Switched on" in visitor.press(f"/faults/on/{kind}")
    fault = re.findall(r'action="/faults/off/(fault_\d+)"', visitor.see("/faults"))
    assert len(fault) == 1
    assert "Switched off" in visitor.press(f"/faults/off/{fault[0]}")
    assert "fault_" not in visitor.see("/faults")


def test_faults_take_terms_and_all_end_at_once(visitor: Visitor) -> None:
    page = visitor.press(
        "/faults", kind="late_webhook", rate="30", count="5", minutes="60", seconds="90", path="invoice"
    )
    for word in ("30% of the time", "5 more", "only invoice", "90 s"):
        assert word in page
    assert "Banks are away until" in visitor.press("/faults/outage", minutes="30", share="50")
    assert "rate" in visitor.press("/faults", status=400, kind="slow", rate="often")
    calm = visitor.press("/faults/calm")
    assert "struck" not in calm
    assert "away until" not in calm


def test_people_move_in_and_show_their_chances_and_next_wage(visitor: Visitor) -> None:
    assert "12 customers have moved in" in visitor.press("/population", customers="12", behaviour="us_consumer")
    assert "3 customers have moved in" in visitor.press("/population", customers="3", behaviour="uk_eu")
    customer = visitor.sandbox.world.store.fetch("select id from objects where kind = '_behaviour'")[0][0]
    one = visitor.see(f"/customers/{customer}")
    assert "Chance that a charge" in one
    assert "Paid next on" in one


def test_lists_have_pages_that_lose_nobody(visitor: Visitor) -> None:
    visitor.press("/population", customers="40", behaviour="no_structure")
    seen: list[str] = []
    path = "/customers"
    while True:
        page = visitor.see(path)
        seen += re.findall(r'href="/customers/(cus_\w+)"', page)
        further = re.search(r'href="(/customers\?after=[^"]+)"', page)
        if further is None:
            break
        path = further[1]
    held = visitor.sandbox.world.store.fetch("select count(*) from objects where kind = 'customer'")[0][0]
    assert len(seen) == len(set(seen)) == held


def test_events_show_their_body_and_are_sent_again(visitor: Visitor) -> None:
    visitor.story("run-out")
    page = visitor.see("/events")
    assert "invoice.payment_failed" in page
    event = re.findall(r'href="/events/(evt_\w+)"', page)[0]
    assert '"object": "event"' in visitor.see(f"/events/{event}")
    assert "sent again" in visitor.press(f"/events/{event}/resend")
    assert visitor.see("/events?undelivered=1")
    older = re.search(r'href="(/events\?before=\d+)"', page)
    assert older is not None
    assert event not in visitor.see(older[1])


def test_stripes_settings_are_changed(visitor: Visitor) -> None:
    visitor.press("/settings", retries="custom:1,3,5", end_behavior="unpaid")
    settings = requests.get(f"{visitor.sandbox.url}/_sandbox/settings", timeout=10).json()
    assert (settings["retries"], settings["retry_days"], settings["end_behavior"]) == ("custom", [1, 3, 5], "unpaid")
    visitor.press("/settings", retries="smart", end_behavior="cancel")


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}],
)
@pytest.mark.parametrize("path", ["/stories/lost-card", "/_sandbox/stories/lost-card", "/_sandbox/clock"])
def test_another_sites_page_can_press_nothing(visitor: Visitor, path: str, headers: dict[str, str]) -> None:
    objects = "select count(*), max(seq) from objects"
    before = visitor.sandbox.world.store.fetch(objects)
    answer = requests.post(f"{visitor.sandbox.url}{path}", headers=headers, timeout=10)
    assert answer.status_code == 403
    assert visitor.sandbox.world.store.fetch(objects) == before


def test_names_are_text_and_never_markup(visitor: Visitor) -> None:
    made = requests.post(
        f"{visitor.sandbox.url}/_sandbox/customers", json={"name": "<script>alert(1)</script>"}, timeout=10
    ).json()
    for path in (f"/customers/{made['customer']}", "/customers"):
        answer = requests.get(f"{visitor.sandbox.url}{path}", timeout=10)
        assert "<script" not in answer.text
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def _customer(visitor: Visitor) -> str:
    answer = requests.post(f"{visitor.sandbox.url}/_sandbox/customers", json={}, timeout=10)
    return str(answer.json()["customer"])


def _card(page: str) -> str:
    found = re.search(r"<dt>Card</dt><dd>([^<]+)<", page)
    assert found is not None
    return found[1]


def test_somebody_with_two_subscriptions_shows_both_and_the_chosen_one_fails(visitor: Visitor) -> None:
    made = requests.post(
        f"{visitor.sandbox.url}/_sandbox/customers", json={"amount": 4900, "plan": "Team"}, timeout=30
    ).json()
    price = visitor.client.v1.prices.create(
        {
            "unit_amount": 700,
            "currency": "usd",
            "nickname": "Extra",
            "recurring": {"interval": "month"},
            "product_data": {"name": "Extra"},
        }
    )
    extra = visitor.client.v1.subscriptions.create({"customer": made["customer"], "items": [{"price": price.id}]})
    page = visitor.see(f"/customers/{made['customer']}")
    assert page.count("<dt>Subscription</dt>") == 2
    assert "Extra, $7.00" in page
    assert f'<option value="{made["subscription"]}">' in page
    chosen = {"code": "lost_card", "subscription": made["subscription"]}
    visitor.press(f"/customers/{made['customer']}/fail", **chosen)
    assert visitor.client.v1.subscriptions.retrieve(made["subscription"]).status == "past_due"
    assert visitor.client.v1.subscriptions.retrieve(extra.id).status == "active"
    somebody_elses = {"code": "lost_card", "subscription": "sub_none"}
    assert "No such subscription" in visitor.press(f"/customers/{made['customer']}/fail", 404, **somebody_elses)
