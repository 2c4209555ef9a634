"""Rehearsals in the console: asked for, watched, cancelled, found crashed, read."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, select

from app.campaigns.definition import MONTHLY
from app.clock import SystemClock
from app.context import Context
from app.models import Rehearsal
from app.recovery.campaigns import add_version
from app.rehearsal import book
from app.vocabulary import RehearsalState, Role
from tests.integration.console.conftest import Browser, enter
from tests.integration.console.world import World, add_member

FORM = {"campaign": "monthly", "cases": "1", "days": "2", "seed": "1"}


@pytest.fixture(autouse=True)
def _campaigns(context: Context, world: World) -> Iterator[None]:
    with context.database.organization(world.organization_id) as session:
        now = context.clock.now()
        add_version(session, slug="monthly", name="Short", definition=MONTHLY, is_default=False, now=now, by="test")
    yield
    with context.database.organization(world.organization_id) as session:
        session.execute(delete(Rehearsal))
    context.bell.redis.flushdb()


def begun(browser: Browser, **changes: str) -> UUID:
    answer = browser.post("/rehearsals", FORM | changes)
    assert answer.status_code == 303
    return UUID(answer.location.rpartition("/")[2])


def row(context: Context, world: World, rehearsal_id: UUID) -> Rehearsal:
    with context.database.organization(world.organization_id) as session:
        return session.get_one(Rehearsal, rehearsal_id)


def silence(context: Context, world: World, rehearsal_id: UUID, *, since_beat: bool) -> None:
    """The rehearsal was last heard of long ago; it had begun to play, or nobody ever took it up."""
    long_ago: datetime = SystemClock().now() - book.SILENT_FOR - timedelta(seconds=1)
    with context.database.organization(world.organization_id) as session:
        found = session.get_one(Rehearsal, rehearsal_id)
        found.beat_at, found.began_at = long_ago, long_ago - timedelta(seconds=since_beat)


def test_asking_for_one_rings_a_worker_and_leads_to_a_page_that_comes_again(
    browser: Browser, context: Context, world: World
) -> None:
    long = MONTHLY.model_copy(update={"window_days": 60})
    with context.database.organization(world.organization_id) as session:
        now = context.clock.now()
        add_version(session, slug="annual", name="Annual", definition=long, is_default=False, now=now, by="test")
    form = browser.get("/rehearsals?campaign=monthly").text
    assert 'value="monthly" data-brings="40" selected' in form
    assert 'value="annual" data-brings="72"' in form
    assert 'max="180" value="40"' in form
    rehearsal_id = begun(browser)
    assert context.bell.waiting() == 1
    assert "just now" in browser.get("/rehearsals").text
    page = browser.get(f"/rehearsals/{rehearsal_id}")
    assert "Playing" in page.text
    assert page.headers["Refresh"] == "3"
    assert browser.get(f"/rehearsals/{rehearsal_id}/report").status_code == 404


def test_only_one_runs_at_a_time(browser: Browser, context: Context, world: World) -> None:
    begun(browser)
    browser.post("/rehearsals", FORM)
    assert "A rehearsal is running already" in browser.get("/rehearsals").text
    with context.database.organization(world.organization_id) as session:
        assert len(session.scalars(select(Rehearsal)).all()) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"campaign": "none"}, "there is no campaign none"),
        ({"cases": "0"}, "from 1 to 2000 cases"),
        ({"days": "x"}, "days has to be a whole number"),
        ({"seed": "-1"}, "seed has to be a whole number"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_in_words(browser: Browser, changes: dict[str, str], words: str) -> None:
    browser.post("/rehearsals", FORM | changes)
    assert words in browser.get("/rehearsals").text


def test_one_that_fell_silent_is_said_to_have_crashed_and_makes_room_for_the_next(
    browser: Browser, context: Context, world: World
) -> None:
    crashed, unheard = begun(browser), None
    silence(context, world, crashed, since_beat=True)
    assert "It crashed" in browser.get(f"/rehearsals/{crashed}").text
    assert "crashed" in browser.get("/rehearsals").text
    unheard = begun(browser)
    assert row(context, world, crashed).state is RehearsalState.FAILED
    silence(context, world, unheard, since_beat=False)
    assert "No worker took it up" in browser.get(f"/rehearsals/{unheard}").text


def test_one_is_cancelled_by_whoever_may_act_and_ends_by_itself_when_nobody_plays_it(
    browser: Browser, context: Context, world: World
) -> None:
    rehearsal_id = begun(browser)
    browser.post(f"/rehearsals/{rehearsal_id}/cancel")
    assert row(context, world, rehearsal_id).is_cancelled
    book.play(context, world.organization_id, rehearsal_id)
    assert row(context, world, rehearsal_id).state is RehearsalState.CANCELLED
    assert "It was cancelled" in browser.get(f"/rehearsals/{rehearsal_id}").text


def test_readers_watch_and_begin_none(app: Flask, context: Context, world: World, now: datetime) -> None:
    reader = enter(app, context, add_member(context.database, world, Role.ANALYST, now))
    assert "<button>Rehearse" not in reader.get("/rehearsals").text
    assert reader.post("/rehearsals", FORM).status_code == 403


def test_the_report_of_one_that_was_played_is_served_under_a_policy_of_its_own(
    browser: Browser, context: Context, world: World
) -> None:
    rehearsal_id = begun(browser)
    book.play(context, world.organization_id, rehearsal_id)
    page = browser.get(f"/rehearsals/{rehearsal_id}")
    assert "Expected recovery" in page.text
    assert "Refresh" not in page.headers
    report = browser.get(f"/rehearsals/{rehearsal_id}/report")
    assert "This is a simulation." in report.text
    assert "script-src" not in report.headers["Content-Security-Policy"]
    assert report.headers["Content-Security-Policy"].startswith("default-src 'none'")
    saved = browser.get(f"/rehearsals/{rehearsal_id}/report?save")
    assert "attachment" in saved.headers["Content-Disposition"]


def test_a_failure_is_told_to_whoever_asked(browser: Browser, context: Context, world: World) -> None:
    rehearsal_id = begun(browser)
    with context.database.organization(world.organization_id) as session:
        session.get_one(Rehearsal, rehearsal_id).slug = "gone"
    book.play(context, world.organization_id, rehearsal_id)
    assert "there is no campaign gone" in browser.get(f"/rehearsals/{rehearsal_id}").text
