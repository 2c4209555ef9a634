"""A receiver behind real HTTP with one connected account; a file's tests share one and post events of their own."""

from collections.abc import Iterator

import pytest

from app import embedded
from app.context import Context, make_context
from app.crypto import generate_key
from app.schema import upgrade
from app.settings import Settings
from tests.integration.inbox.receiver import Receiver, open_receiver
from tests.services import new_database, template_database


@pytest.fixture(scope="module")
def shared(services: embedded.Services, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """One receiver for a whole file."""
    with new_database(services, template_database(services, upgrade)) as url:
        settings = Settings(
            _env_file=None,
            database_url=url,
            redis_url=redis_url,
            home=tmp_path_factory.mktemp("inbox"),
            secret_key="a secret that only tests know",
            encryption_keys=generate_key("tests"),
            sandbox=True,
        )
        context = make_context(settings)
        with open_receiver(context) as receiver:
            yield receiver
        context.database.dispose()
        context.bell.redis.close()


@pytest.fixture
def receiver(context: Context) -> Iterator[Receiver]:
    """A receiver of the test's own, for tests that break something."""
    with open_receiver(context) as opened:
        yield opened
