"""The connection's page: who retries is changed by a form that says what follows; what no API shows is said done."""

from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts import conflicts
from app.context import Context
from app.models import AuditEntry, Connection, Step
from app.vocabulary import ConflictKind, ConnectionMode, Enforcement, Role, StepKind
from tests.integration.console.conftest import Browser, enter
from tests.integration.console.world import World, add_member, make_world


@pytest.fixture
def world(context: Context, request: pytest.FixtureRequest) -> World:
    return make_world(context.database, f"W{abs(hash(request.node.nodeid))}", context.clock.now())


@pytest.fixture
def browser(app: Flask, context: Context, world: World) -> Browser:
    return enter(app, context, add_member(context.database, world, Role.MEMBER, context.clock.now(), "Mia"))


def connection_of(context: Context, world: World) -> Connection:
    with context.database.organization(world.organization_id) as session:
        return session.scalars(select(Connection)).one()


def note_mails(context: Context, world: World, connection: Connection) -> None:
    with context.database.organization(world.organization_id) as session:
        conflicts.note(session, connection, ConflictKind.STRIPE_MAILS, "Nobody looked.", context.clock.now())


def test_changing_who_retries_tells_every_open_case_and_names_who_did_it(
    context: Context, browser: Browser, world: World
) -> None:
    connection = connection_of(context, world)
    page = browser.get("/connections").text
    assert "Open cases that follow: " in page
    form = {"mode": "observe", "enforcement": "enforce"}
    answer = browser.post(f"/connections/{connection.id}/mode", form, follow_redirects=True)
    assert "Observe from now on. 3 open cases follow" in answer.text
    with context.database.organization(world.organization_id) as session:
        assert len(session.scalars(select(Step).where(Step.kind == StepKind.SWITCH)).all()) == 3
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "connection.switched")).one()
    assert entry.actor == f"{world.mark} Mia"
    assert connection_of(context, world).mode is ConnectionMode.OBSERVE
    again = browser.post(f"/connections/{connection.id}/mode", form, follow_redirects=True)
    assert "Nothing was changed" in again.text


def test_a_conflict_is_shown_with_what_to_click_and_is_over_once_switched(
    context: Context, browser: Browser, world: World
) -> None:
    connection = connection_of(context, world)
    assert "Revenue recovery → Retries: turn Smart Retries" in browser.get("/connections").text
    browser.post(f"/connections/{connection.id}/mode", {"mode": "observe", "enforcement": "warn"})
    page = browser.get("/connections").text
    assert "turn Smart Retries" not in page
    assert "Conflicts that are over" in page
    assert connection_of(context, world).enforcement is Enforcement.WARN


def test_what_no_api_shows_is_said_to_be_done_by_a_person(context: Context, browser: Browser, world: World) -> None:
    connection = connection_of(context, world)
    note_mails(context, world, connection)
    assert "It is done" in browser.get("/connections").text
    answer = browser.post(f"/connections/{connection.id}/settle", {"kind": "stripe_mails"}, follow_redirects=True)
    assert "It is done" not in answer.text
    assert f"settled by {world.mark} Mia" in answer.text


@pytest.mark.parametrize("kind", ["stripe_plans_try", "nonsense", ""])
def test_what_readings_decide_is_not_for_people_to_end(
    context: Context, browser: Browser, world: World, kind: str
) -> None:
    path = f"/connections/{connection_of(context, world).id}/settle"
    assert browser.post(path, {"kind": kind}).status_code == 400


@pytest.mark.parametrize("form", [{}, {"mode": "fly", "enforcement": "warn"}, {"mode": "drive", "enforcement": "x"}])
def test_a_form_that_does_not_say_who_retries_changes_nothing(
    context: Context, browser: Browser, world: World, form: dict[str, str]
) -> None:
    connection = connection_of(context, world)
    assert browser.post(f"/connections/{connection.id}/mode", form).status_code == 400
    assert connection_of(context, world).switches == connection.switches


def test_somebody_elses_connection_is_not_there(browser: Browser) -> None:
    form = {"mode": "observe", "enforcement": "warn"}
    assert browser.post(f"/connections/{uuid4()}/mode", form).status_code == 404


def test_whoever_only_reads_may_not_change_who_retries(app: Flask, context: Context, world: World) -> None:
    reader = enter(app, context, add_member(context.database, world, Role.ANALYST, context.clock.now(), "Ann"))
    assert "Change who retries" not in reader.get("/connections").text
    answer = reader.post(f"/connections/{connection_of(context, world).id}/mode", {"mode": "observe"})
    assert answer.status_code == 403
