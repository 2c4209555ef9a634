"""Fixtures for everybody: real PostgreSQL and Valkey (started by the first test that asks), and a context on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import embedded
from app.context import Context, make_context
from app.crypto import generate_key
from app.schema import upgrade
from app.settings import Settings
from tests.services import new_database, pytest_configure, redis_url, services, template_database
from tests.stage import Stage, open_stage

__all__ = ["context", "database_url", "pytest_configure", "redis_url", "services", "settings", "stage"]


@pytest.fixture
def database_url(services: embedded.Services) -> Iterator[str]:
    """A migrated database of the test's own."""
    with new_database(services, template_database(services, upgrade)) as url:
        yield url


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a sandbox installation in the test's own folder."""
    return Settings(
        _env_file=None,
        database_url=database_url.replace("postgresql://", "postgresql+psycopg://"),
        redis_url=redis_url,
        home=tmp_path / "home",
        secret_key="a secret that only tests know",
        encryption_keys=generate_key("tests"),
        sandbox=True,
    )


@pytest.fixture
def context(settings: Settings) -> Iterator[Context]:
    """A context on real services whose clock can be turned."""
    made = make_context(settings)
    made.bell.redis.flushdb()
    yield made
    made.database.dispose()
    made.bell.redis.close()


@pytest.fixture
def stage(settings: Settings) -> Iterator[Stage]:
    """Sandbox Stripe, web server and workers of one installation, with the clock in the test's hand."""
    with open_stage(settings) as opened:
        yield opened
