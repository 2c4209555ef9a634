"""Whoever acts on a case stands on its timeline and in the audit, by name and as the user they signed in as."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.console import words
from app.context import Context
from app.models import AuditEntry, CaseEntry, User
from app.vocabulary import CaseState, EntryKind, Role
from tests.integration.console.conftest import Browser, enter
from tests.integration.console.world import World, add_member, make_world


@pytest.fixture
def world(context: Context, now: datetime, request: pytest.FixtureRequest) -> World:
    return make_world(context.database, f"V{abs(hash(request.node.nodeid))}", now)


@pytest.fixture
def mia(app: Flask, context: Context, world: World, now: datetime) -> Browser:
    return enter(app, context, add_member(context.database, world, Role.MEMBER, now, "Mia"))


def user_id_of(context: Context, name: str) -> UUID:
    with context.database.system() as session:
        return session.scalars(select(User.id).where(User.name == name)).one()


def test_each_action_names_its_person_on_the_timeline_and_in_the_audit(
    context: Context, mia: Browser, world: World
) -> None:
    case_id, name = world.case_ids[CaseState.WAITING], f"{world.mark} Mia"
    day = (context.clock.now() + timedelta(days=3)).date().isoformat()
    mia.post(f"/cases/{case_id}/holds/{world.hold_id}/release")
    context.clock.turn_to(context.clock.now() + timedelta(days=1))  # type: ignore[attr-defined]
    mia.post(f"/cases/{case_id}/retry")
    mia.post(f"/cases/{case_id}/snooze", {"until": day, "note": "on holiday"})
    mia.post(f"/cases/{case_id}/links/end")
    mia.post(f"/cases/{case_id}/stop", {"note": "a friend"})
    with context.database.organization(world.organization_id) as session:
        entries = session.scalars(select(CaseEntry.summary).where(CaseEntry.case_id == case_id)).all()
        audit = session.execute(
            select(AuditEntry.action, AuditEntry.subject).where(AuditEntry.user_id == user_id_of(context, name))
        ).all()
    told = [summary for summary in entries if name in summary]
    assert [
        sum(verb in summary for summary in told)
        for verb in ("released", "asked to try", "snoozed", "ended the payment links", "Stopped")
    ] == [1] * 5
    assert {(row.action, row.subject) for row in audit} >= {
        ("hold.released", f"case {case_id}"),
        *((f"case.{action}", f"case {case_id}") for action in ("retry_now", "snoozed", "links_ended", "stopped")),
    }
    page = mia.get("/audit").text
    assert f'<a href="/cases/{case_id}">' in page
    assert f"{name} asked to try the card now." in mia.get(f"/cases/{case_id}").text


def test_what_a_command_did_is_not_passed_off_as_a_persons_doing(mia: Browser, world: World) -> None:
    assert "not signed in: a command or Recoup itself" in mia.get("/audit").text


def test_a_case_page_gives_the_planners_word_and_no_other_advice(context: Context, mia: Browser, world: World) -> None:
    case_id = world.case_ids[CaseState.NEEDS_CUSTOMER]
    with context.database.organization(world.organization_id) as session:
        newest = session.scalars(
            select(CaseEntry)
            .where(CaseEntry.case_id == case_id, CaseEntry.kind == EntryKind.DECISION)
            .order_by(CaseEntry.happened_at.desc())
        ).first()
    page = mia.get(f"/cases/{case_id}").text
    assert ("<strong>Decision:</strong>" in page) == (newest is not None)
    said = " ".join(text for _, text in words.DECLINE_CLASSES.values()).lower()
    assert not [
        advice for advice in ("helps", "help.", "cannot help", "waiting", "tries", "better day") if advice in said
    ]
