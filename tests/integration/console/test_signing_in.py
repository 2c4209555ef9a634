"""Signing in over HTTP: the cookie, refusals that tell nothing, where one lands, switching and signing out."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.accounts import users
from app.console.blueprint import THROTTLE
from app.context import Context
from app.models import AuditEntry, Organization, SignIn, User
from app.vocabulary import Role
from tests.integration.console.conftest import Browser, enter, make_app, settings_for
from tests.integration.console.world import PASSWORD, World, add_member, make_world


@pytest.fixture(autouse=True)
def forgiven(context: Context) -> None:
    """Each test begins without failures counted against anybody."""
    context.bell.redis.flushdb()


def test_a_sign_in_leads_to_where_the_person_wanted_to_go(stranger: Browser, owner: User) -> None:
    wanted = stranger.get("/cases?state=waiting").location
    assert wanted == "/sign-in?next=/cases?state%3Dwaiting"
    answer = stranger.sign_in(owner.email.upper(), next="/cases?state=waiting")
    assert (answer.status_code, answer.location) == (303, "/cases?state=waiting")
    assert stranger.get(answer.location).status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "cases",
        "",
    ],
)
def test_a_link_cannot_lead_a_fresh_sign_in_to_another_site(stranger: Browser, owner: User, target: str) -> None:
    assert stranger.sign_in(owner.email, next=target).location == "/"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(stranger: Browser, owner: User) -> None:
    cookie = stranger.sign_in(owner.email).headers["Set-Cookie"]
    assert cookie.startswith("recoup=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_over_tls_the_cookie_is_bound_to_this_host(context: Context, owner: User, redis_url: str) -> None:
    database_url, home = context.settings.require("database_url"), context.settings.home
    tls = settings_for(database_url, redis_url, home, public_url="https://recoup.example")
    app = make_app(Context(tls, context.clock, context.database, context.bell, context.keys))
    browser = Browser(app.test_client())
    token = browser.client.get("/sign-in", base_url="https://recoup.example")
    form = {"email": owner.email, "password": PASSWORD, "csrf_token": token.text.split('value="')[1].split('"')[0]}
    answer = browser.client.post(
        "/sign-in", data=form, base_url="https://recoup.example", headers={"Referer": "https://recoup.example/sign-in"}
    )
    (cookie,) = (each for each in answer.headers.getlist("Set-Cookie") if each.startswith("__Host-recoup="))
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


@pytest.mark.parametrize("email", ["nobody@example.net", "not an address", ""])
def test_a_wrong_password_and_an_unknown_person_look_the_same(stranger: Browser, owner: User, email: str) -> None:
    wrong = stranger.sign_in(owner.email, "not the password at all")
    unknown = stranger.sign_in(email, "not the password at all")
    assert wrong.status_code == unknown.status_code == 401
    assert "do not belong together" in wrong.text
    assert "do not belong together" in unknown.text
    assert stranger.get("/").status_code == 303


def test_after_ten_failures_the_right_password_has_to_wait_here_and_nowhere_else(
    app: Flask, stranger: Browser, owner: User
) -> None:
    for _ in range(10):
        assert stranger.sign_in(owner.email, "guess after guess").status_code == 401
    blocked = stranger.sign_in(owner.email)
    assert blocked.status_code == 429
    assert 0 < int(blocked.headers["Retry-After"]) <= 900
    assert "Wait 15 minutes" in blocked.text
    elsewhere = Browser(app.test_client())
    form = {"email": owner.email, "password": PASSWORD}
    assert elsewhere.post("/sign-in", form, environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code == 303


def test_a_sign_in_forgives_the_slips_before_it(app: Flask, stranger: Browser, owner: User, now: datetime) -> None:
    for _ in range(9):
        app.extensions[THROTTLE].try_now("127.0.0.1", owner.email, now)
    assert [stranger.sign_in(owner.email).status_code for _ in range(2)] == [303, 303]


def test_signing_in_again_replaces_the_old_sign_in(app: Flask, context: Context, owner: User) -> None:
    browser = Browser(app.test_client())
    browser.sign_in(owner.email)
    first = browser.client.get_cookie("recoup")
    browser.sign_in(owner.email)
    second = browser.client.get_cookie("recoup")
    assert first is not None
    assert second is not None
    assert first.value != second.value
    old = app.test_client()
    old.set_cookie("recoup", first.value)
    assert old.get("/").status_code == 303


def test_signing_out_makes_the_token_worthless(app: Flask, browser: Browser) -> None:
    cookie = browser.client.get_cookie("recoup")
    assert cookie is not None
    assert browser.post("/sign-out").location == "/sign-in"
    thief = app.test_client()
    thief.set_cookie("recoup", cookie.value)
    assert thief.get("/").status_code == 303


@pytest.mark.parametrize(
    "change",
    [{"last_seen_at": timedelta(hours=-12, minutes=-1)}, {"expires_at": timedelta(minutes=-1)}],
    ids=["twelve hours idle", "fourteen days old"],
)
def test_a_sign_in_ends_by_itself(
    context: Context, browser: Browser, owner: User, now: datetime, change: dict[str, timedelta]
) -> None:
    assert browser.get("/").status_code == 200
    with context.database.system() as session:
        values = {name: now + ago for name, ago in change.items()}
        session.execute(update(SignIn).where(SignIn.user_id == owner.id).values(**values))
    assert browser.get("/").status_code == 303


def test_turning_the_sandbox_clock_signs_nobody_out(context: Context, browser: Browser) -> None:
    before = context.clock.now()
    context.clock.turn_to(before + timedelta(days=30))  # type: ignore[attr-defined]
    assert browser.get("/").status_code == 200


def test_a_person_of_two_organizations_can_switch_and_sees_only_the_one(
    app: Flask, context: Context, world: World, owner: User, now: datetime
) -> None:
    other = make_world(context.database, "Betelgeuse", now)
    person = add_member(context.database, world, Role.OWNER, now, "Both")
    with context.database.system() as session:
        there = session.get_one(Organization, other.organization_id)
        users.add_member(session, there, person, Role.ANALYST, now + timedelta(seconds=1))
    browser = enter(app, context, person)
    assert "Betelgeuse-0000" not in browser.get("/cases").text
    answer = browser.post("/organization", {"organization": str(other.organization_id)})
    assert answer.location == "/"
    listed = browser.get("/cases").text
    assert "Betelgeuse-0000" in listed
    assert "Aldebaran-0000" not in listed


@pytest.mark.parametrize("given", ["00000000-0000-0000-0000-000000000000", "nonsense", ""])
def test_nobody_switches_to_an_organization_they_do_not_belong_to(browser: Browser, given: str) -> None:
    answer = browser.post("/organization", {"organization": given}, follow_redirects=True)
    assert "You are not a member of that organization" in answer.text
    assert "Aldebaran-0000" in browser.get("/cases").text


def test_signing_in_and_out_is_audited(context: Context, stranger: Browser, owner: User, world: World) -> None:
    stranger.sign_in(owner.email)
    stranger.post("/sign-out")
    with context.database.organization(world.organization_id) as session:
        actions = set(session.scalars(select(AuditEntry.action)))
    assert {"signed in", "signed out"} <= actions
