"""A whole Recoup for one test, as in `tests.stage`, connected to a Stripe that is not ours."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

import pytest
from werkzeug.serving import make_server

from app import create_app
from app.accounts.connections import connect
from app.accounts.users import create_organization
from app.clock import SandboxClock
from app.context import make_context
from app.recovery.campaigns import add_defaults
from app.settings import Settings
from app.vocabulary import ConnectionMode
from tests.contract.foreign_stripe import SECRET, ForeignStripe, Manners, serving
from tests.stage import Stage
from workers import boot

KEY = "sk_test_of_a_foreign_stripe"


class ForeignStage(Stage):
    """The double delivers at once and plans nothing by itself, so all that is due is ours."""

    @property
    def double(self) -> ForeignStripe:
        return cast(ForeignStripe, self.sandbox)

    def sandbox_reading(self) -> dict[str, Any]:
        return {"pending_deliveries": 0, "next_event_at": None}

    def _turn(self, to: datetime) -> None:
        if to > self.now:
            cast(SandboxClock, self.context.clock).turn_to(to)


@contextmanager
def open_foreign_stage(settings: Settings, manners: Manners) -> Iterator[ForeignStage]:
    """Set the stage: an organization that drives the recovery of an account of a foreign Stripe."""
    settings.home.mkdir(parents=True, exist_ok=True)
    clock = SandboxClock(settings.home / "clock.json")
    web = make_server("127.0.0.1", 0, lambda _environ, _start: [], threaded=True)
    url = f"http://127.0.0.1:{web.server_port}"
    with serving(ForeignStripe(clock.now, manners)) as double, pytest.MonkeyPatch.context() as patch:
        context = make_context(settings.model_copy(update={"stripe_api_base": double.url, "public_url": url}))
        context.bell.redis.flushdb()
        patch.setattr(boot, "context", lambda: context)
        web.app = create_app(context)
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            now = context.clock.now()
            with context.database.system() as session:
                organization_id = create_organization(session, "acme", "Acme", now).id
            with context.database.organization(organization_id) as session:
                add_defaults(session, now, "test")
            drive = ConnectionMode.DRIVE
            connected = connect(context, organization_id, api_key=KEY, webhook_secret=SECRET, mode=drive, actor="test")
            double.hook = connected.webhook_url
            yield ForeignStage(context, cast(Any, double), web, url, organization_id, connected.connection_id)
        finally:
            web.shutdown()
            thread.join(timeout=15)
            web.server_close()
            context.database.dispose()
            context.bell.redis.close()
