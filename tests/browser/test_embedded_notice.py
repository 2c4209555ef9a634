"""The notice in an app on another origin, under a strict policy, in a real browser."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from pytest_httpserver import HTTPServer

from app.accounts import api_keys, embed_tokens
from app.accounts.api_keys import Actor, MadeKey
from app.clock import SystemClock
from app.models import Organization
from app.vocabulary import ApiScope
from tests.integration.payment_page.conftest import Payer
from tests.stage import Stage

Open = Callable[..., Page]
HOST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>My app</title>
<script src="{recoup}/embed.js" data-token="{token}" data-language="{language}" defer></script></head>
<body><main><h1>My app</h1></main></body></html>"""


@pytest.fixture(scope="module")
def their_app() -> Iterator[HTTPServer]:
    """The operator's own web server: another port is another origin."""
    with HTTPServer(host="127.0.0.1") as server:
        yield server


@pytest.fixture
def key(stage: Stage, their_app: HTTPServer) -> MadeKey:
    wall = SystemClock().now()
    with stage.context.database.organization(stage.organization_id) as session:
        session.get_one(Organization, stage.organization_id).embed_origins = [their_app.url_for("").rstrip("/")]
        return api_keys.create(
            session, stage.context.keys, name="app", scopes=[ApiScope.READ, ApiScope.WRITE], expires_at=None,
            by=Actor("test"), now=stage.now, wall=wall,
        )  # fmt: skip


def serve(app: HTTPServer, recoup: str, token: str, language: str = "") -> str:
    """A page of theirs with a policy that allows Recoup's script and its answers, and no style of anybody's."""
    policy = f"default-src 'none'; script-src {recoup}; connect-src {recoup}; style-src 'none'; base-uri 'none'"
    app.clear()
    app.expect_request("/account").respond_with_data(
        HOST.format(recoup=recoup, token=token, language=language),
        content_type="text/html",
        headers={"Content-Security-Policy": policy},
    )
    app.expect_request("/favicon.ico").respond_with_data("", status=204)
    return app.url_for("/account")


def token_for(key: MadeKey, customer: str) -> str:
    end = SystemClock().now() + timedelta(hours=1)
    return embed_tokens.make(key.row.prefix, key.signing_secret or "", customer, end)


def test_a_customer_in_trouble_finds_the_way_to_their_page(
    open_page: Open, payer_with: Callable[..., Payer], key: MadeKey, their_app: HTTPServer
) -> None:
    payer = payer_with("expired_card")
    page = open_page()
    page.goto(serve(their_app, payer.stage.base_url, token_for(key, payer.customer)))
    notice = page.get_by_role("status")
    expect(notice).to_contain_text("Your last payment didn’t go through.")
    assert page.locator("recoup-notice").evaluate("one => getComputedStyle(one).display") == "block"
    assert Axe().run(page).response["violations"] == []
    page.get_by_role("link", name="Fix it here").click()
    page.wait_for_url("**/pay/**")
    assert urlsplit(page.url).netloc == urlsplit(payer.stage.base_url).netloc


def test_it_is_hidden_for_the_day_and_gone_once_paid(
    open_page: Open, payer_with: Callable[..., Payer], key: MadeKey, their_app: HTTPServer
) -> None:
    payer = payer_with("expired_card")
    address = serve(their_app, payer.stage.base_url, token_for(key, payer.customer))
    page = open_page()
    page.goto(address)
    page.get_by_role("button", name="Hide for today").click()
    expect(page.locator("recoup-notice")).to_have_count(0)
    with page.expect_response("**/embed/notice?**"):
        page.reload()
    expect(page.locator("recoup-notice")).to_have_count(0)
    page.evaluate("localStorage.clear()")
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("didn’t go through")
    payer.pay_with()
    payer.stage.settle()
    with page.expect_response("**/embed/notice?**") as answered:
        page.reload()
    assert answered.value.json() == {"notice": None}
    expect(page.locator("recoup-notice")).to_have_count(0)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_arabic_reads_from_the_right_by_day_and_by_night(
    open_page: Open, payer_with: Callable[..., Payer], key: MadeKey, their_app: HTTPServer, look: str
) -> None:
    payer = payer_with("expired_card")
    page = open_page(color_scheme=look)
    page.goto(serve(their_app, payer.stage.base_url, token_for(key, payer.customer), language="ar"))
    expect(page.get_by_role("status")).to_contain_text("لم تكتمل آخر عملية دفع.")
    assert page.locator("recoup-notice").get_attribute("dir") == "rtl"
    link, button = page.get_by_role("link").bounding_box(), page.get_by_role("button").bounding_box()
    assert link is not None
    assert button is not None
    assert button["x"] < link["x"]
    assert Axe().run(page).response["violations"] == []


def test_an_app_goes_on_when_its_token_is_refused_or_recoup_is_away(
    open_page: Open, stage: Stage, key: MadeKey, their_app: HTTPServer
) -> None:
    page = open_page()
    broken: list[str] = []
    page.on("pageerror", lambda problem: broken.append(str(problem)))
    with page.expect_event("requestfailed", lambda asked: "/embed/notice?" in asked.url):
        page.goto(serve(their_app, stage.base_url, "forged.token.here"))  # refused, so no origin is allowed to read it
    expect(page.locator("recoup-notice")).to_have_count(0)
    page.route("**/embed/notice?**", lambda route: route.abort())
    page.goto(serve(their_app, stage.base_url, token_for(key, "cus_nobody")))
    expect(page.get_by_role("heading")).to_have_text("My app")
    expect(page.locator("recoup-notice")).to_have_count(0)
    assert broken == []
