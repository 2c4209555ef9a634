"""`python -m app.sandbox --home DIR --port N`: the sandbox as a process of its own."""

import argparse
import signal
import threading
from pathlib import Path

from app import log
from app.clock import SandboxClock
from app.sandbox.server import HOST, Owner, serve, shut
from app.settings import Settings


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = Settings()
    parser = argparse.ArgumentParser(prog="python -m app.sandbox", description="A pretend Stripe.")
    parser.add_argument("--home", type=Path, default=settings.home, help="where its file and the shared clock live")
    parser.add_argument("--port", type=int, default=settings.sandbox_port)
    parser.add_argument("--turn-with", nargs="+", default=[], help="the command that turns the clock, before the span")
    parser.add_argument("--mailbox", type=Path, help="a folder of mails that its customers read")
    given = parser.parse_args()
    log.configure("sandbox")
    console_url = settings.public_url or f"http://{HOST}:{settings.port}"
    owner = Owner(tuple(given.turn_with), console_url if given.turn_with else None, given.mailbox)
    server, app = serve(given.home, SandboxClock(given.home / "clock.json"), given.port, owner)
    for name in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the loop that this very thread runs, so another thread has to call it.
        signal.signal(name, lambda *_: threading.Thread(target=server.shutdown).start())
    log.get_logger(__name__).info("sandbox.serving", port=server.server_port)
    server.serve_forever(poll_interval=0.1)
    shut(server, app)


if __name__ == "__main__":
    main()
