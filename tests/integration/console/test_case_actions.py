"""What a person does to a case reaches the case, is written down, and is refused in words where a rule forbids it."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.context import Context
from app.models import AuditEntry, Hold, InboxEvent, RecoveryCase, Step
from app.vocabulary import CaseState, HoldKind, InboxState, Role, StepKind, StepState
from tests.integration.console.conftest import Browser, enter
from tests.integration.console.world import World, add_member, make_world


@pytest.fixture
def world(context: Context, now: datetime, request: pytest.FixtureRequest) -> World:
    """An organization for each test, because each changes it."""
    return make_world(context.database, f"W{abs(hash(request.node.nodeid))}", now)


@pytest.fixture
def browser(app: Flask, context: Context, world: World, now: datetime) -> Browser:
    return enter(app, context, add_member(context.database, world, Role.MEMBER, now, "Mia"))


def read_case(context: Context, world: World, case_id: UUID) -> RecoveryCase:
    with context.database.organization(world.organization_id) as session:
        return session.get_one(RecoveryCase, case_id)


def audited(context: Context, world: World) -> list[tuple[str, str]]:
    with context.database.organization(world.organization_id) as session:
        return [(entry.actor, entry.action) for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))]


def test_stopping_a_case_closes_it_and_names_who_did_it(context: Context, browser: Browser, world: World) -> None:
    case_id = world.case_ids[CaseState.NEEDS_CUSTOMER]
    answer = browser.post(f"/cases/{case_id}/stop", {"note": "they are a friend"}, follow_redirects=True)
    assert "The case is stopped" in answer.text
    assert "they are a friend" in answer.text
    assert read_case(context, world, case_id).state is CaseState.CLOSED
    assert (f"{world.mark} Mia", "case.stopped") in audited(context, world)


def test_a_case_on_hold_is_not_retried_and_the_page_says_why(context: Context, browser: Browser, world: World) -> None:
    answer = browser.post(f"/cases/{world.case_ids[CaseState.WAITING]}/retry", follow_redirects=True)
    assert "Not done: The case is on hold" in answer.text
    assert "case.retry_now" not in [action for _, action in audited(context, world)]


def test_releasing_the_hold_lets_the_retry_through(context: Context, browser: Browser, world: World) -> None:
    case_id = world.case_ids[CaseState.WAITING]
    browser.post(f"/cases/{case_id}/holds/{world.hold_id}/release")
    with context.database.organization(world.organization_id) as session:
        assert session.get_one(Hold, world.hold_id).released_at is not None
    again = browser.post(f"/cases/{case_id}/holds/{world.hold_id}/release", follow_redirects=True)
    assert "Not done: The hold has been released already" in again.text
    context.clock.turn_to(context.clock.now() + timedelta(days=3))  # type: ignore[attr-defined]
    answer = browser.post(f"/cases/{case_id}/retry", follow_redirects=True)
    assert "The card will be tried at once" in answer.text
    with context.database.organization(world.organization_id) as session:
        query = select(Step).where(
            Step.case_id == case_id, Step.kind == StepKind.RETRY, Step.state == StepState.PLANNED
        )
        assert session.scalars(query).one().due_at <= context.clock.now()


def test_a_snooze_lasts_until_the_chosen_day_begins_where_the_organization_is(
    context: Context, browser: Browser, world: World
) -> None:
    case_id = world.case_ids[CaseState.NEEDS_CUSTOMER]
    day = (context.clock.now() + timedelta(days=4)).date()
    answer = browser.post(f"/cases/{case_id}/snooze", {"until": day.isoformat(), "note": "on holiday"})
    assert answer.location == f"/cases/{case_id}"
    with context.database.organization(world.organization_id) as session:
        hold = session.scalars(select(Hold).where(Hold.case_id == case_id)).one()
    assert (hold.kind, hold.reason) == (HoldKind.SNOOZE, "on holiday")
    assert hold.until is not None
    assert (hold.until + timedelta(hours=2)).date() == day
    assert hold.until.hour in (22, 23)


@pytest.mark.parametrize("until", ["", "yesterday", "0001-01-01", "2001-01-01", "2999-13-01"])
def test_a_snooze_needs_a_day_to_come(browser: Browser, world: World, until: str) -> None:
    case_id = world.case_ids[CaseState.NEEDS_CUSTOMER]
    answer = browser.post(f"/cases/{case_id}/snooze", {"until": until}, follow_redirects=True)
    assert "Choose a day after today" in answer.text


def test_a_snooze_beyond_the_window_is_refused_in_words(browser: Browser, world: World) -> None:
    case_id = world.case_ids[CaseState.NEEDS_CUSTOMER]
    answer = browser.post(f"/cases/{case_id}/snooze", {"until": "2999-01-01"}, follow_redirects=True)
    assert "Not done: A snooze must end" in answer.text


def test_a_parked_event_can_be_given_another_chance_once(context: Context, browser: Browser, world: World) -> None:
    answer = browser.post(f"/events/{world.event_id}/replay", follow_redirects=True)
    assert "handled again" in answer.text
    with context.database.organization(world.organization_id) as session:
        assert session.get_one(InboxEvent, world.event_id).state is InboxState.RECEIVED
    again = browser.post(f"/events/{world.event_id}/replay", follow_redirects=True)
    assert "Not done" in again.text


def test_an_event_number_that_no_database_holds_is_simply_not_there(browser: Browser) -> None:
    assert browser.post(f"/events/{2**70}/replay").status_code == 404
