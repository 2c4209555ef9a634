"""The editor of mails in a real browser: the preview follows what is typed, and works without JavaScript."""

import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.serving import make_server

from tests.integration.console.conftest import (  # noqa: F401  fixtures
    Browser,
    app,
    browser,
    context,
    now,
    owner,
    world,
)

DESK = {"width": 1360, "height": 900}
EDITOR = "/mails/reminder?language=en"


@pytest.fixture
def console_at(app: Flask) -> Iterator[str]:  # noqa: F811
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def enter_at(open_page: Callable[..., Page], console_at: str, browser: Browser) -> Callable[..., Page]:  # noqa: F811
    """Opens a page of the console for somebody who is signed in."""
    cookie = browser.client.get_cookie("recoup")
    assert cookie is not None

    def enter(path: str, **wanted: object) -> Page:
        page = open_page(**wanted)
        page.context.add_cookies([{"name": "recoup", "value": cookie.value, "url": console_at}])
        page.goto(f"{console_at}{path}")
        return page

    return enter


def test_the_preview_follows_what_is_typed_and_leaves_the_back_button_alone(enter_at: Callable[..., Page]) -> None:
    page = enter_at(EDITOR, viewport=DESK)
    steps = page.evaluate("history.length")
    page.get_by_label("Heading", exact=True).fill("Typed just now for {product}")
    heading = page.frame_locator(".frames iframe:not(.coming)").locator("h1")
    expect(heading).to_have_text("Typed just now for Fernweh Pro")
    page.get_by_label("Dark").check()
    expect(page.frame_locator(".frames iframe:not(.coming)").locator("body")).to_contain_text("Typed just now")
    expect(page.locator(".frames iframe")).to_have_count(1)
    assert page.evaluate("history.length") == steps


@pytest.mark.long
def test_what_was_refused_is_still_typed_and_looked_at(enter_at: Callable[..., Page]) -> None:
    page = enter_at(EDITOR)
    page.get_by_label("Heading", exact=True).fill("A nudge for {nobody}")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing here is called {nobody}")
    expect(page.get_by_label("Heading to mend")).to_have_value("A nudge for {nobody}")
    expect(page.frame_locator(".frames iframe:not(.coming)").locator("body")).to_contain_text("Ours is said in place")


@pytest.mark.long
def test_the_preview_shows_what_was_typed_without_javascript(enter_at: Callable[..., Page]) -> None:
    page = enter_at(EDITOR, java_script_enabled=False)
    page.get_by_label("Heading", exact=True).fill("Typed without a script")
    page.get_by_role("button", name="Show what I typed").click()
    expect(page.frame_locator(".frames iframe:not(.coming)").locator("h1")).to_have_text("Typed without a script")


@pytest.mark.parametrize("path", ["/mails", EDITOR, "/mails/payment_failed?language=ar", "/mails/history", "/branding"])
@pytest.mark.parametrize("viewport", [None, DESK], ids=["phone", "desk"])
@pytest.mark.long
def test_nothing_is_cut_off_and_axe_is_content(
    enter_at: Callable[..., Page], path: str, viewport: dict[str, int] | None
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = enter_at(path, **({"viewport": viewport} if viewport else {}))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [found["id"] for found in axe.run(page).response["violations"]] == []
