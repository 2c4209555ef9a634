"""The embedded services while `up` runs: started where nothing is configured, watched, ended last."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app import embedded, installation
from app.errors import RecoupError
from app.settings import Settings
from app.supervisor import Output, Supervisor

_LOOK_EVERY = 0.5
_TRY_AGAIN_AFTER = 5.0


def start(settings: Settings, output: Output) -> Settings:
    """Start the embedded services that are needed; the settings with their URLs."""
    needed = _needed(settings)
    if not any(needed.values()):
        return settings
    output.say(f"Starting {' and '.join(_names(needed))} under {settings.home} …")
    return installation.with_services(settings, embedded.start(settings.home, **needed))


def end(given: Settings) -> None:
    """Stop them. From here on the program is about to end, so it hears no further Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if any(_needed(given).values()):
        embedded.stop(given.home)


@contextmanager
def keep(given: Settings, supervisor: Supervisor, output: Output) -> Iterator[None]:
    """Start an embedded service again whenever it dies. `given` are the settings without the services' URLs."""
    needed, ending = _needed(given), threading.Event()
    thread = threading.Thread(target=_watch, args=(given.home, needed, ending, supervisor, output), daemon=True)
    if any(needed.values()):
        thread.start()
    try:
        yield
    finally:
        ending.set()
        if thread.is_alive():
            thread.join()


def _watch(
    home: Path, needed: dict[str, bool], ending: threading.Event, supervisor: Supervisor, output: Output
) -> None:
    known: embedded.Services | None = None
    while not ending.wait(_LOOK_EVERY):
        if known and embedded.are_alive(home, **needed):
            continue
        if known:
            output.say(f"{' or '.join(_names(needed))} has died; starting it again …")
        try:
            found = embedded.start(home, **needed)
        except RecoupError as problem:
            output.say(str(problem))
            ending.wait(_TRY_AGAIN_AFTER)
            continue
        if known and found != known:
            output.say(
                "It had to move to another port, because its own was taken meanwhile: please start Recoup again."
            )
            supervisor.stop()
            return
        if known:
            output.say("The embedded services are back.")
        known = found


def _needed(settings: Settings) -> dict[str, bool]:
    return {"postgres": not settings.database_url, "valkey": not settings.redis_url}


def _names(needed: dict[str, bool]) -> list[str]:
    return [name for name, wanted in zip(("PostgreSQL", "Valkey"), needed.values(), strict=True) if wanted]
