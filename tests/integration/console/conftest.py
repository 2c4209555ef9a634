"""The web program on real Postgres and Valkey, and browsers that keep cookies and fill in forms."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import StrictUndefined
from werkzeug.test import TestResponse

from app import create_app, embedded
from app.accounts import sign_in
from app.clock import SystemClock
from app.context import Context, make_context
from app.crypto import generate_key
from app.models import User
from app.schema import upgrade
from app.settings import Settings
from app.vocabulary import Role
from tests.integration.console.world import PASSWORD, World, add_member, make_world
from tests.services import new_database, template_database

CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Browser:
    """A test client that fills in the hidden token as a form would."""

    client: FlaskClient

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def post(self, path: str, form: dict[str, str] | None = None, **more: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(), **(form or {})}, **more)

    def sign_in(self, email: str, password: str = PASSWORD, **form: str) -> TestResponse:
        return self.post("/sign-in", {"email": email, "password": password, **form})

    def token(self) -> str:
        found = CSRF.search(self.client.get("/sign-in").text)
        assert found, "the sign-in page has no form token"
        return found.group(1)


@pytest.fixture(scope="module")
def context(services: embedded.Services, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Context]:
    """A fresh database for each module; tests in it keep apart by having organizations of their own."""
    home: Path = tmp_path_factory.mktemp("home")
    with new_database(services, template_database(services, upgrade)) as url:
        made = make_context(settings_for(url, redis_url, home))
        made.bell.redis.flushdb()
        yield made
        made.database.dispose()
        made.bell.redis.close()


def settings_for(database_url: str, redis_url: str, home: Path, **more: Any) -> Settings:
    values = {"database_url": database_url, "redis_url": redis_url, "home": home, "secret_key": "s" * 40}
    return Settings(**(values | {"encryption_keys": generate_key("tests"), "sandbox": True} | more), _env_file=None)


def make_app(context: Context) -> Flask:
    """The whole program, so strict that a page fails on a value its template misspells."""
    app = create_app(context)
    app.testing = True
    app.jinja_env.undefined = StrictUndefined
    return app


@pytest.fixture(scope="module")
def app(context: Context) -> Flask:
    return make_app(context)


@pytest.fixture(scope="module")
def now() -> datetime:
    return SystemClock().now()


@pytest.fixture(scope="module")
def world(context: Context, now: datetime) -> World:
    return make_world(context.database, "Aldebaran", now)


@pytest.fixture(scope="module")
def owner(context: Context, world: World, now: datetime) -> User:
    return add_member(context.database, world, Role.OWNER, now)


@pytest.fixture
def stranger(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def browser(app: Flask, context: Context, owner: User) -> Browser:
    """Signed in as the owner of `world`."""
    return enter(app, context, owner)


def enter(app: Flask, context: Context, user: User) -> Browser:
    """A browser in which `user` is signed in already, without the costly check of a password."""
    with context.database.system() as session:
        token, _ = sign_in.begin(session, user, SystemClock().now(), "a test")
    made = Browser(app.test_client())
    made.client.set_cookie("recoup", token)
    return made
