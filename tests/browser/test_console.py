"""The console's pages in a real browser, on a phone and on a desk: nothing is cut off, and axe finds nothing."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from app.console.campaign_fields import SECTIONS
from app.vocabulary import CaseState
from tests.browser.test_mail_editor import DESK, console_at, enter_at  # noqa: F401  fixtures
from tests.integration.console.conftest import (  # noqa: F401  fixtures
    Browser,
    app,
    browser,
    context,
    now,
    owner,
    world,
)
from tests.integration.console.world import World


@pytest.mark.parametrize("viewport", [None, DESK], ids=["phone", "desk"])
@pytest.mark.long
def test_nothing_is_cut_off_and_axe_is_content_with_every_page(
    enter_at: Callable[..., Page],  # noqa: F811
    world: World,  # noqa: F811
    viewport: dict[str, int] | None,
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    campaign, case = f"/campaigns/{world.campaign_id}", f"/cases/{world.case_ids[CaseState.EXHAUSTED]}"
    several = (
        "/ /cases /outbox /reports /events /campaigns /campaigns/coverage /connections /mail-settings /api-keys /audit"
    )
    paths = [*several.split(), campaign, *(f"{campaign}/edit/{section}" for section in SECTIONS), f"{campaign}/move"]
    page = enter_at("/", **({"viewport": viewport} if viewport else {}))
    base, found = page.url.rstrip("/"), {}
    for path in [*paths, case, f"/customers/{world.customer_id}"]:
        answer = page.goto(f"{base}{path}")
        assert answer is not None
        is_whole = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        wrong = [each["id"] for each in axe.run(page).response["violations"]]
        if wrong or not is_whole or answer.status != 200:
            found[path] = (answer.status, is_whole, wrong)
    assert found == {}
