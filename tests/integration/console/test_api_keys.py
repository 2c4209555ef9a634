"""Keys to the API in the console: shown once, made and revoked by owners, and where the notice may stand."""

import re
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select

from app.context import Context
from app.models import ApiKey, AuditEntry, Organization
from app.vocabulary import Role
from tests.integration.console.conftest import Browser, enter
from tests.integration.console.world import World, add_member

SECRET = re.compile(r"rcp_[0-9a-f]{12}_[\w-]{43}")
SIGNING = re.compile(r"rcs_[\w-]{43}")
FORM_ID = re.compile(r'name="key_id" value="([^"]+)"')


def make(browser: Browser, **form: str) -> str:
    form_id = FORM_ID.findall(browser.get("/api-keys").text)[0]
    wanted = {"key_id": form_id, "name": "Shop", "scope": "read", "lifetime": ""} | form
    return browser.post("/api-keys", wanted).text


def rows(context: Context, world: World, name: str) -> list[ApiKey]:
    with context.database.organization(world.organization_id) as session:
        return list(session.scalars(select(ApiKey).where(ApiKey.name == name)))


def test_a_key_is_shown_once_and_works(app: Flask, browser: Browser) -> None:
    secret = SECRET.findall(make(browser, name="Read only"))[0]
    assert app.test_client().get("/api/v1/cases", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    later = browser.get("/api-keys").text
    assert secret not in later
    assert secret[:16] in later
    assert not SIGNING.findall(make(browser, name="Another"))
    assert SIGNING.findall(make(browser, name="Writer", scope="write"))


def test_the_same_form_sent_twice_makes_one_key(browser: Browser, context: Context, world: World) -> None:
    form_id = FORM_ID.findall(browser.get("/api-keys").text)[0]
    make(browser, name="Twice", key_id=form_id)
    assert make(browser, name="Twice", key_id=form_id).startswith("<!doctype html>\n<html lang=en>\n<title>Redirecting")
    assert "shown only once" in browser.get("/api-keys").text
    assert len(rows(context, world, "Twice")) == 1


def test_a_key_is_revoked_after_asking_and_it_stands_in_the_audit(
    app: Flask, browser: Browser, context: Context, world: World
) -> None:
    secret = SECRET.findall(make(browser, name="To revoke", lifetime="30"))[0]
    row = rows(context, world, "To revoke")[0]
    assert row.expires_at is not None
    assert "This cannot be undone" in browser.get("/api-keys").text
    assert browser.post(f"/api-keys/{row.id}/revoke").status_code == 303
    assert app.test_client().get("/api/v1/cases", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    with context.database.organization(world.organization_id) as session:
        audit = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"key {row.prefix}"))
        assert {entry.action: entry.user_id is not None for entry in audit} == {
            "api_key.created": True, "api_key.revoked": True,
        }  # fmt: skip


@pytest.mark.parametrize("form", [{"name": ""}, {"scope": "all"}, {"lifetime": "7"}, {"key_id": "7"}])
def test_a_form_that_makes_no_sense_makes_no_key(
    browser: Browser, context: Context, world: World, form: dict[str, str]
) -> None:
    before = len(rows(context, world, form.get("name", "Shop")))
    assert not SECRET.findall(make(browser, **form))
    assert len(rows(context, world, form.get("name", "Shop"))) == before


@pytest.mark.parametrize("role", [Role.MEMBER, Role.ANALYST])
def test_only_owners_make_and_revoke_keys(
    app: Flask, context: Context, world: World, now: datetime, role: Role
) -> None:
    browser = enter(app, context, add_member(context.database, world, role, now, name=f"Key {role}"))
    page = browser.get("/api-keys").text
    assert world.mark in page
    assert "Make a key" not in page
    for path in ("/api-keys", f"/api-keys/{world.api_key_id}/revoke", "/api-keys/origins"):
        assert browser.post(path, {"name": "x", "scope": "write"}).status_code == 403
    with context.database.organization(world.organization_id) as session:
        assert session.get_one(ApiKey, world.api_key_id).revoked_at is None


def origins_of(context: Context, world: World) -> list[str]:
    with context.database.organization(world.organization_id) as session:
        return list(session.get_one(Organization, world.organization_id).embed_origins)


def test_origins_are_kept_as_browsers_send_them(browser: Browser, context: Context, world: World) -> None:
    text = "https://App.example.com/\r\n\r\nhttps://app.example.com:443\nhttp://localhost:3000\nhttps://a.example:8443"
    assert browser.post("/api-keys/origins", {"origins": text}).status_code == 303
    assert origins_of(context, world) == [
        "https://app.example.com", "http://localhost:3000", "https://a.example:8443",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "app.example.com",
        "https://*.example.com",
        "https://example.com/app",
        "http://example.com",
        "https://user@example.com",
        "https://exa mple.com",
        "https://example.com:99999",
        "https://bücher.example",
        "null",
        "*",
        "https://",
        "ftp://example.com",
    ],
)
def test_what_is_no_origin_is_refused_and_what_was_written_stays_in_the_form(
    browser: Browser, context: Context, world: World, line: str
) -> None:
    before = origins_of(context, world)
    answer = browser.post("/api-keys/origins", {"origins": f"https://fine.example\n{line}"})
    assert answer.status_code == 400
    assert "https://fine.example" in answer.text
    assert "aria-invalid" in answer.text
    assert origins_of(context, world) == before
