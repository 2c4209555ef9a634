"""A member of one organization never sees a row of another: every route is walked with the other one's ids."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.console.campaign_fields import SECTIONS
from app.context import Context
from app.vocabulary import CaseState
from tests.integration.console.conftest import Browser
from tests.integration.console.world import World, make_world

# Routes that name no row, or whose address is a secret or signed in itself; they have tests of their own.
OTHER_DOORS = {"static", "sendgrid_webhook", "payment_page", "mail_pages", "watch", "api", "embed"}
NO_ROW: dict[str, list[str]] = {
    "filename": ["console.css"],
    "table": ["currencies", "cohorts"],
    "section": list(SECTIONS),
    "kind": ["reminder", "recovered"],
}
ROWS: dict[str, Callable[[World], object]] = {
    "case_id": lambda world: world.case_ids[CaseState.WAITING],
    "customer_id": lambda world: world.customer_id,
    "message_id": lambda world: world.message_id,
    "hold_id": lambda world: world.hold_id,
    "event_id": lambda world: world.event_id,
    "campaign_id": lambda world: world.campaign_id,
    "connection_id": lambda world: world.connection_id,
    "rehearsal_id": lambda world: world.rehearsal_id,
    "entry_id": lambda world: world.wording_entry_id,
    "key_id": lambda world: world.api_key_id,
}


@pytest.fixture(scope="module")
def other(context: Context, now: datetime) -> World:
    return make_world(context.database, "Canopus", now)


def walked_rules(app: Flask) -> list[Rule]:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.split(".")[0] not in OTHER_DOORS]
    unknown = {name for rule in rules for name in rule.arguments} - ROWS.keys() - NO_ROW.keys()
    assert not unknown, f"say in this test which row of the other organization {unknown} may name"
    return rules


def addresses(app: Flask, rule: Rule, world: World) -> list[str]:
    values = {name: ROWS[name](world) for name in rule.arguments if name in ROWS}
    choices = [{name: choice} for name in rule.arguments if name in NO_ROW for choice in NO_ROW[name]] or [{}]
    return [app.url_map.bind("localhost").build(rule.endpoint, values | choice) for choice in choices]


def test_the_walk_reaches_every_row_when_it_is_ones_own(app: Flask, browser: Browser, world: World) -> None:
    for rule in walked_rules(app):
        if "GET" in (rule.methods or ()) and rule.arguments & ROWS.keys():
            for address in addresses(app, rule, world):
                answer = browser.get(address)
                assert answer.status_code == 200, address
                assert world.mark in answer.text, address


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_route_opens_a_row_of_another_organization(app: Flask, browser: Browser, other: World, method: str) -> None:
    walked = 0
    for rule in walked_rules(app):
        if method not in (rule.methods or ()) or not rule.arguments & ROWS.keys():
            continue
        for address in addresses(app, rule, other):
            answer = browser.get(address) if method == "GET" else browser.post(address, {"until": "2999-01-01"})
            assert answer.status_code == 404, f"{method} {address}"
            assert other.mark not in answer.text, f"{method} {address}"
            walked += 1
    assert walked >= 4


def test_no_list_shows_a_row_of_another_organization(app: Flask, browser: Browser, other: World) -> None:
    for rule in walked_rules(app):
        if "GET" not in (rule.methods or ()) or rule.arguments & ROWS.keys():
            continue
        for address in addresses(app, rule, other):
            with browser.get(f"{address}?q={other.mark}") as answer:
                shown = answer.text.replace(f'value="{other.mark}"', "").replace(f"q={other.mark}", "")
                assert other.mark not in shown, address
