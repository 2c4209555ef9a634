"""Fixtures for everybody: real PostgreSQL and Valkey (started by the first test that asks), and a context on them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app import embedded
from app.context import Context, make_context
from app.crypto import generate_key
from app.settings import Settings
from tests.house import House, open_house
from tests.services import LastingDatabase, lasting_database, pytest_configure, redis_url, services
from tests.stage import Stage, open_stage
from workers.boot import leave_loaded_alone

__all__ = ["context", "database_url", "own_database", "pytest_configure", "redis_url", "services", "settings", "stage"]

WAITING = ("faults/test_random_kills", "faults/test_failpoints", "faults/test_real_time")  # for leases to run out
HEAVY = (*WAITING, "faults/", "stories/", "integration/", "contract/", "browser/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first, so that no core idles at the end of a parallel run."""
    items.sort(key=_rank)


def pytest_collection_finish() -> None:
    """Every module is loaded by now, and stays."""
    leave_loaded_alone()


def _rank(item: pytest.Item) -> int:
    place = item.path.relative_to(Path(__file__).parent).as_posix()
    return next((rank for rank, start in enumerate(HEAVY) if place.startswith(start)), len(HEAVY))


@pytest.fixture(scope="session")
def own_database(services: embedded.Services) -> Iterator[LastingDatabase]:
    """The database of this process."""
    with lasting_database(services) as lasting:
        yield lasting


@pytest.fixture
def database_url(own_database: LastingDatabase) -> str:
    """A migrated database in which nothing is stored yet."""
    own_database.empty()
    return own_database.url


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a sandbox installation in the test's own folder."""
    return _settings(database_url, redis_url, tmp_path / "home")


def _settings(database_url: str, redis_url: str, home: Path) -> Settings:
    return Settings(
        _env_file=None,
        database_url=database_url.replace("postgresql://", "postgresql+psycopg://"),
        redis_url=redis_url,
        home=home,
        secret_key="a secret that only tests know",
        encryption_keys=generate_key("tests"),
        sandbox=True,
    )


@pytest.fixture
def context(settings: Settings, own_database: LastingDatabase) -> Iterator[Context]:
    """A context on real services whose clock can be turned."""
    made = replace(make_context(settings), database=own_database.pools)
    made.bell.redis.flushdb()
    yield made
    made.bell.redis.close()


@pytest.fixture(scope="session")
def house(own_database: LastingDatabase, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The servers of this process, in which stages are set one after the other."""
    settings = _settings(own_database.url, redis_url, tmp_path_factory.mktemp("house"))
    with open_house(settings, own_database.pools) as opened:
        yield opened


@pytest.fixture
def stage(house: House, settings: Settings) -> Iterator[Stage]:
    """Sandbox Stripe, web server and workers of one installation, with the clock in the test's hand."""
    with open_stage(house, settings) as opened:
        yield opened
