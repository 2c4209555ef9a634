"""Programs that hold keys: the whole web program on real Postgres and Valkey, asked with bearer keys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.accounts import api_keys
from app.accounts.api_keys import Actor, MadeKey
from app.clock import SystemClock
from app.context import Context
from app.vocabulary import ApiScope
from tests.integration.console.conftest import app, context, now, world
from tests.integration.console.world import World, make_world

__all__ = ["app", "context", "now", "world"]

BOTH = (ApiScope.READ, ApiScope.WRITE)


@dataclass
class Program:
    """A program of the operator's that holds a key."""

    client: FlaskClient
    key: MadeKey

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, headers={"Authorization": f"Bearer {self.key.secret}", **headers})

    def ask(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.key.secret}"} | more.pop("headers", {})
        return self.client.open(path, method=method, headers=headers, **more)


def make_key(context: Context, world: World, *scopes: ApiScope, expires_at: datetime | None = None) -> MadeKey:
    wall = SystemClock().now()
    with context.database.organization(world.organization_id) as session:
        return api_keys.create(
            session,
            context.keys,
            name=f"{world.mark} server",
            scopes=scopes or BOTH,
            expires_at=expires_at,
            by=Actor(f"{world.mark} Ann"),
            now=wall,
            wall=wall,
        )


@pytest.fixture(autouse=True)
def _nobody_has_asked_before(context: Context) -> None:
    context.bell.redis.flushdb()


@pytest.fixture(scope="module")
def other(context: Context, now: datetime) -> World:
    return make_world(context.database, "Canopus", now)


@pytest.fixture
def program(app: Flask, context: Context, world: World) -> Program:
    """Holds a key of `world` that may read and write."""
    return Program(app.test_client(), make_key(context, world))


@pytest.fixture
def holding(app: Flask) -> Callable[[MadeKey], Program]:
    return lambda key: Program(app.test_client(), key)
