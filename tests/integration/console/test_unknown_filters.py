"""A list that is asked for what does not exist says so, and never passes everything off as the answer."""

import pytest

from tests.integration.console.conftest import Browser
from tests.integration.console.world import World


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/outbox?state=zz", "Unknown state “zz”; showing all. There are: planned, claimed"),
        ("/events?state=zz", "Unknown state “zz”; showing all. There are: received, handled, parked."),
        ("/cases?state=zz", "Unknown state “zz”; showing all. There are: waiting"),
        ("/cases?state=zz&state=waiting", "Unknown state “zz”; showing the others."),
        ("/cases?sort=zz", "Unknown sort “zz”; showing the newest first."),
        ("/reports?since=soon", "since “soon” is not a day, write it like 2026-09-30; leaving it open."),
    ],
)
def test_an_unknown_word_is_named_on_the_page(browser: Browser, world: World, address: str, said: str) -> None:
    page = browser.get(address)
    assert page.status_code == 200
    assert said in page.text


@pytest.mark.parametrize("path", ["/cases", "/outbox", "/events", "/audit"])
@pytest.mark.parametrize("page", ["abc", "-3", "0", "²", "1.5"])
def test_what_is_no_page_is_named_on_the_page(browser: Browser, world: World, path: str, page: str) -> None:
    assert (
        f"“{page}” is no page of a list; showing the first page." in browser.get(path, query_string={"page": page}).text
    )


@pytest.mark.parametrize("path", ["/cases?state=waiting&sort=oldest&page=1", "/outbox?state=", "/events?state=handled"])
def test_what_exists_is_shown_without_a_word(browser: Browser, world: World, path: str) -> None:
    page = browser.get(path).text
    assert "Unknown" not in page
    assert "is no page of a list" not in page


def test_what_was_asked_for_is_only_text(browser: Browser, world: World) -> None:
    page = browser.get("/outbox?state=<script>" + "x" * 500).text
    assert "Unknown state “&lt;script&gt;xxx" in page
    assert "x" * 100 not in page


def test_a_file_is_not_made_for_a_day_that_does_not_exist(browser: Browser, world: World) -> None:
    answer = browser.get("/reports/currencies.csv?since=soon")
    assert answer.status_code == 400
    assert "since “soon” is not a day" in answer.text
