"""What every part of a process is handed: settings, clock, database, bell and key ring. Made once, at the edge."""

from dataclasses import dataclass

from app.bell import Bell
from app.clock import Clock, SandboxClock, SystemClock
from app.crypto import KeyRing
from app.db import Database
from app.settings import Settings


@dataclass(frozen=True)
class Context:
    """The ground floor of one process."""

    settings: Settings
    clock: Clock
    database: Database
    bell: Bell
    keys: KeyRing


def make_context(settings: Settings) -> Context:
    """Open the doors that `settings` names; raises `SettingsIncomplete` where one is missing."""
    clock: Clock = SandboxClock(settings.home / "clock.json") if settings.sandbox else SystemClock()
    return Context(
        settings=settings,
        clock=clock,
        database=Database(settings.require("database_url")),
        bell=Bell(settings.require("redis_url")),
        keys=KeyRing.parse(settings.require("encryption_keys")),
    )
