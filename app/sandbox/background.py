"""The thread that lets time pass: it runs what the clock has reached and delivers webhooks."""

import threading

from app.log import get_logger
from app.sandbox import advancing
from app.sandbox.billing import timers
from app.sandbox.webhooks import Postman
from app.sandbox.world import World

_IDLE_SECONDS = 0.2

log = get_logger(__name__)


class Background:
    """Starts with `start`, ends with `stop`; every step of it survives being killed."""

    def __init__(self, world: World, postman: Postman | None) -> None:
        self._world = world
        self._postman = postman
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sandbox-background", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the deliveries in hand."""
        self._stopping.set()
        self._world.bell.set()
        self._thread.join(timeout=15)
        if self._postman:
            self._postman.rest()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                busy = self._step()
            except Exception:
                log.exception("sandbox.background_step_failed")
                busy = False
            if not busy:
                self._world.bell.wait(_IDLE_SECONDS)
                self._world.bell.clear()

    def _step(self) -> bool:
        ran = timers.run_due(self._world, self._world.now()) + advancing.run(self._world)
        delivered = self._postman.deliver_due() if self._postman else 0
        return bool(ran or delivered)
