"""A real Chromium, wherever this machine has one; without one these tests are skipped."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.integration.payment_page.conftest import Payer, make_payer
from tests.stage import Stage

PHONE = {"width": 390, "height": 844}
TOOLS = Path(__file__).parents[2] / ".recoup-tools"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


def find_chromium() -> str | None:
    """`RECOUP_CHROMIUM`, one that was put under `.recoup-tools`, or one on the path."""
    given = os.environ.get("RECOUP_CHROMIUM") or str(TOOLS / "chromium")
    return given if Path(given).is_file() else next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium here; install one or name it in RECOUP_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a window on a phone; what the browser's console complains of fails the test."""
    complaints: list[str] = []
    windows = []

    def open_(**wanted: Any) -> Page:
        window = chromium.new_context(**({"viewport": PHONE} | wanted))
        window.set_default_timeout(20_000)
        windows.append(window)
        page = window.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        return page

    yield open_
    for window in windows:
        window.close()
    assert [text for text in complaints if "Content Security Policy" in text] == []


@pytest.fixture
def payer_with(stage: Stage) -> Callable[..., Payer]:
    """A customer whose renewal fails by a script of answers."""
    return lambda *script, **wanted: make_payer(stage, *script, **wanted)


@pytest.fixture
def payer(stage: Stage) -> Payer:
    """A customer whose card had not enough on it."""
    return make_payer(stage, "insufficient_funds")
