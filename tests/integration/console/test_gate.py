"""Every route is behind the gate: strangers are sent to sign in, readers change nothing, forms need their token."""

from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.accounts import sign_in
from app.console.gate import FOR_READERS, FOR_STRANGERS
from app.context import Context
from app.vocabulary import Role
from tests.integration.console.conftest import Browser, enter
from tests.integration.console.world import World, add_member

ARGUMENTS = {"entry_id": "1", "event_id": "1", "table": "currencies", "filename": "console.css"}
METHODS = ("GET", "POST")


def console_rules(app: Flask, method: str) -> Iterator[tuple[Rule, str]]:
    """Every console route of one method with an address that fits it."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("console.") and method in (rule.methods or ()):
            values = {name: ARGUMENTS.get(name, str(uuid4())) for name in rule.arguments}
            yield rule, app.url_map.bind("localhost").build(rule.endpoint, values, method=method)


@pytest.mark.parametrize("method", METHODS)
def test_every_page_sends_a_stranger_to_sign_in(app: Flask, stranger: Browser, method: str) -> None:
    form = {"csrf_token": stranger.token()} if method == "POST" else None
    asked = [(rule, address) for rule, address in console_rules(app, method) if rule.endpoint not in FOR_STRANGERS]
    assert len(asked) >= {"GET": 13, "POST": 7}[method]
    for rule, address in asked:
        answer = stranger.client.open(address, method=method, data=form)
        assert answer.status_code == 303, rule.endpoint
        assert answer.location.startswith("/sign-in"), rule.endpoint


def test_no_form_is_accepted_without_its_token(app: Flask, browser: Browser) -> None:
    for rule, address in console_rules(app, "POST"):
        answer = browser.client.post(address)
        assert answer.status_code == 400, rule.endpoint
        assert "open for too long" in answer.text, rule.endpoint


def test_an_analyst_reads_every_page_and_changes_nothing(
    app: Flask, context: Context, world: World, now: datetime
) -> None:
    analyst = add_member(context.database, world, Role.ANALYST, now, "Ray")
    reader = enter(app, context, analyst)
    for page in ("/", "/cases", "/outbox", "/reports", f"/cases/{next(iter(world.case_ids.values()))}"):
        assert reader.get(page).status_code == 200
    for rule, address in console_rules(app, "POST"):
        if rule.endpoint not in FOR_READERS | FOR_STRANGERS:
            answer = reader.post(address)
            assert answer.status_code == 403, rule.endpoint
            assert "Your role is analyst" in answer.text


def test_an_analyst_is_not_offered_what_they_may_not_do(
    app: Flask, context: Context, world: World, now: datetime
) -> None:
    analyst = add_member(context.database, world, Role.ANALYST, now, "Rita")
    reader = enter(app, context, analyst)
    page = reader.get(f"/cases/{next(iter(world.case_ids.values()))}").text
    assert "Retry now" not in page
    assert "/pay/" not in page
    assert "Replay" not in reader.get("/events").text


@pytest.mark.parametrize("page", ["/", "/sign-in", "/nothing-here", "/assets/console.css"])
def test_every_response_carries_the_strict_policy(browser: Browser, page: str) -> None:
    answer = browser.get(page)
    headers = answer.headers
    policy = headers["Content-Security-Policy"]
    for directive in ("default-src 'none'", "script-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert directive in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    answer.close()


def test_pages_are_not_kept_by_browsers_and_fingerprinted_files_are(browser: Browser) -> None:
    assert browser.get("/cases").headers["Cache-Control"] == "no-store"
    with browser.get("/assets/console.css?v=abc") as answer:
        assert "immutable" in answer.headers["Cache-Control"]


def test_a_page_that_refreshes_itself_gets_a_bare_401_once_its_sign_in_is_over(stranger: Browser) -> None:
    assert stranger.get("/cases", headers={"X-Recoup-Refresh": "1"}).status_code == 401


def test_strict_transport_is_asked_for_over_tls_only(browser: Browser) -> None:
    assert "Strict-Transport-Security" not in browser.get("/sign-in").headers
    secure = browser.get("/sign-in", base_url="https://localhost")
    assert "max-age" in secure.headers["Strict-Transport-Security"]


def test_the_idle_time_runs_on_while_only_the_page_refreshes_itself(
    app: Flask, context: Context, world: World, now: datetime
) -> None:
    user = add_member(context.database, world, Role.MEMBER, now, "Idle")
    with context.database.system() as session:
        token, row = sign_in.begin(session, user, now - sign_in.SEEN_EVERY * 2, None)
    client = app.test_client()
    client.set_cookie("recoup", token)

    def last_seen() -> datetime:
        with context.database.system() as session:
            return session.get_one(type(row), row.id).last_seen_at

    client.get("/cases", headers={"X-Recoup-Refresh": "1"})
    assert last_seen() == row.last_seen_at
    client.get("/cases")
    assert last_seen() > row.last_seen_at
