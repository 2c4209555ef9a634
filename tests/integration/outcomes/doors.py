"""A worker's context and gateway for these tests; lean, because a process that is to be killed has to start quickly."""

from pathlib import Path

from app.bell import Bell
from app.clock import SandboxClock
from app.context import Context
from app.crypto import KeyRing
from app.db import Database
from app.settings import Settings
from app.stripe_gateway.gateway import StripeGateway

API_KEY = "sk_test_sandbox"


def make_context(database_url: str, home: Path) -> Context:
    """A worker's context, its clock shared with the sandbox."""
    return Context(
        settings=Settings(_env_file=None, home=home),
        clock=SandboxClock(home / "clock.json"),
        database=Database(database_url),
        bell=Bell("redis://127.0.0.1:1/0"),
        keys=KeyRing.parse("tests:" + "A" * 43 + "="),
    )


def make_gateway(url: str) -> StripeGateway:
    """The gateway, not waiting between its own attempts."""
    return StripeGateway(API_KEY, api_base=url, timeout=5, sleep=lambda _seconds: None)
