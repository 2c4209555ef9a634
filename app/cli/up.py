"""`recoup up`: every process of Recoup in the foreground, with embedded services where none are configured.

Each step is one small function; what a step does is known to the part that it calls.
"""

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import click
import requests

from app import installation, log, schema
from app.cli import demo, keeper
from app.context import Context, make_context
from app.embedded.processes import wait_until
from app.embedded.state import is_free
from app.errors import RecoupError
from app.settings import Settings
from app.supervisor import Child, Output, Stopped, Supervisor

Answer = TypeVar("Answer")
_READY_WITHIN = 90.0
_TOO_OFTEN = 5
_BAR = 40  # characters
_PROCESSES = ("web", "worker", "clock")


class PortTaken(RecoupError):
    """Another program listens where ours is to listen."""


class AlreadyUp(RecoupError):
    """Another `recoup up` runs from the same home."""


class NotReady(RecoupError):
    """A process did not begin to answer, or ended again and again."""


@click.command("up")
@click.option(
    "--verbose/--quiet",
    default=None,
    help="Show every log line here, or only warnings and errors (as with a sandbox, unless asked for).",
)
def up(verbose: bool | None) -> None:
    """Run everything in the foreground; Ctrl-C ends all of it.

    PostgreSQL and Valkey are embedded where DATABASE_URL or REDIS_URL is not set. With RECOUP_SANDBOX=1 a sandbox takes
    Stripe's place, with sample customers. Every log line is kept under RECOUP_HOME/logs.
    """
    log.configure("up")
    settings = _read()
    output = Output(logs=_logs(settings), verbose=not settings.sandbox if verbose is None else verbose)
    try:
        _run(settings, output)
    except Stopped:
        output.say("Stopped.")
    except RecoupError as problem:
        output.close()
        raise click.ClickException(str(problem)) from problem
    output.close()


def _read() -> Settings:
    try:
        return Settings()
    except RecoupError as problem:
        raise click.ClickException(str(problem)) from problem


def _run(given: Settings, output: Output) -> None:
    settings = _prepare_home(given)
    with ExitStack() as stack:
        stack.enter_context(_only_one(settings.home))
        check_ports(settings)
        stack.callback(keeper.end, given)
        supervisor = stack.enter_context(Supervisor(output))
        if settings.sandbox:
            start_sandbox(supervisor, settings, installation.environment(given, settings))
        settings = supervisor.during(lambda: keeper.start(settings, output))
        stack.enter_context(keeper.keep(given, supervisor, output))
        installation.remember(settings)
        supervisor.during(lambda: schema.upgrade(settings.require("database_url")))
        environment = installation.environment(given, settings)
        sign_in = prepare_demo(supervisor, settings, output) if settings.sandbox else None
        start_processes(supervisor, settings, environment, output)
        if settings.sandbox:
            live_demo(supervisor, settings, output)
        output.say(banner(settings, sign_in))
        supervisor.run()
        output.say("Stopping …")
    output.say("Stopped.")


def _prepare_home(given: Settings) -> Settings:
    """The settings with their secrets; makes those in a sandbox, where nothing real is guarded by them."""
    given.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if given.sandbox:
        installation.make_secrets(given)
    settings = installation.with_sandbox(installation.with_kept_secrets(given))
    for name in ("secret_key", "encryption_keys"):
        settings.require(name)
    return settings


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    with (home / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyUp(
                f"Recoup already runs from {home}; stop it first, or set RECOUP_HOME to another folder"
            ) from None
        yield


def check_ports(settings: Settings) -> None:
    """Raises `PortTaken` for a port that stays taken; what we ourselves left on it is gone within seconds."""
    wanted = {"PORT": settings.port} | ({"RECOUP_SANDBOX_PORT": settings.sandbox_port} if settings.sandbox else {})
    for variable, port in wanted.items():
        if not wait_until(lambda port=port: is_free(port), 3.0):  # type: ignore[misc]
            raise PortTaken(
                f"port {port} is taken by another program; end that, or choose another port with {variable}=…"
            )


def start_sandbox(supervisor: Supervisor, settings: Settings, environment: dict[str, str]) -> None:
    """Start the sandbox; it needs nobody, so the services may start beside it."""
    argv = [sys.executable, "-m", "app.sandbox", "--home", str(settings.home), "--port", str(settings.sandbox_port)]
    argv += ["--mailbox", str(settings.home / "outbox")]
    argv += ["--turn-with", str(Path(sys.executable).with_name("recoup")), "sandbox", "advance"]
    supervisor.add(Child("sandbox", argv, environment, stage=0))


def prepare_demo(supervisor: Supervisor, settings: Settings, output: Output) -> "demo.SignIn":
    """Make the organization and connect it to the sandbox, unless that has been done; how to sign in."""
    _wait_for(supervisor, settings, "sandbox", f"http://127.0.0.1:{settings.sandbox_port}/_sandbox/clock")
    return supervisor.during(lambda: _with_context(settings, demo.prepare))


def live_demo(supervisor: Supervisor, settings: Settings, output: Output) -> None:
    """Let the sample month go by, so that there are cases at every stage of their lives; shows how far it has come."""
    if not demo.is_lived(settings.home):
        output.say("Living through a month with the sandbox's customers …")

    def show(share: float) -> None:
        done = min(int(share * _BAR), _BAR)
        output.show(f"  {'█' * done}{'░' * (_BAR - done)} {min(share, 1):4.0%}")

    for trouble in supervisor.during(lambda: _with_context(settings, lambda context: demo.live(context, show))):
        output.say(f"One scene of the sample month was left out: {trouble}")
    output.show("")


def _with_context(settings: Settings, work: Callable[[Context], Answer]) -> Answer:
    context = make_context(settings)
    try:
        return work(context)
    finally:
        context.database.dispose()


def start_processes(supervisor: Supervisor, settings: Settings, environment: dict[str, str], output: Output) -> None:
    """Start web, worker and clock, and wait until the web process finds everything in order."""
    output.say("Starting web, worker and clock …")
    recoup = str(Path(sys.executable).with_name("recoup"))
    for name in _PROCESSES:
        supervisor.add(Child(name, [recoup, name], environment))
    _wait_for(supervisor, settings, "web", f"http://127.0.0.1:{settings.port}/readyz")


def _wait_for(supervisor: Supervisor, settings: Settings, name: str, url: str) -> None:
    told = f"{_logs(settings) / name}.log says why"
    if not supervisor.during(lambda: wait_until(_answers(supervisor, name, url, told), _READY_WITHIN)):
        raise NotReady(f"{name} did not become ready within {_READY_WITHIN:.0f} seconds ({url}); {told}")


def _answers(supervisor: Supervisor, name: str, url: str, told: str) -> Callable[[], bool]:
    def answers() -> bool:
        if supervisor.failures(name) >= _TOO_OFTEN:
            raise NotReady(f"{name} ends again and again; {told}")
        with requests.Session() as session:
            # A proxy for the outside world is no way to ourselves.
            session.trust_env = False
            try:
                return session.get(url, timeout=5).ok
            except requests.RequestException:
                return False

    return answers


def _logs(settings: Settings) -> Path:
    return settings.home / "logs"


def banner(settings: Settings, sign_in: "demo.SignIn | None") -> str:
    """What a person wants to know once all runs."""
    lines = ["", f"  Recoup runs at   {settings.base_url()}"]
    if sign_in:
        lines += [
            f"  Sign in with     {sign_in.email}",
            f"  Password         {sign_in.password}",
            f"  Sandbox Stripe   http://127.0.0.1:{settings.sandbox_port}",
        ]
    lines += [f"  Logs             {_logs(settings)}  (recoup up --verbose shows them here, too)"]
    if sign_in:
        lines += [
            "",
            "  In a second terminal, try:",
            "    .venv/bin/recoup sandbox customer                let someone subscribe",
            "    .venv/bin/recoup sandbox fail --customer …       make a renewal fail",
            "    .venv/bin/recoup sandbox advance 3d              turn the clock for every process",
            "    .venv/bin/recoup report                          see what came back",
        ]
    lines += ["", "  Ctrl-C stops everything; the data stays.", ""]
    return os.linesep.join(lines)
