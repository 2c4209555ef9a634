"""The Procfile's commands, each a process of its own that knows nothing but its environment, and no sandbox mode.

Stripe's place is taken by a sandbox that nobody turns, with a home that Recoup does not share.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import time
from email import message_from_bytes, policy
from pathlib import Path
from uuid import UUID

import pytest
import requests
from redis import Redis
from sqlalchemy import select

from app import embedded
from app.accounts.connections import connect
from app.campaigns.contact import ContactRules
from app.campaigns.definition import MONTHLY
from app.cli.connect import ensure_organization
from app.cli.payer import Payer, link_in
from app.clock import SandboxClock
from app.context import Context, make_context
from app.crypto import generate_key
from app.embedded.processes import wait_until
from app.embedded.state import free_port
from app.models import RecoveryCase
from app.recovery.campaigns import add_version
from app.recovery.invariants import find_offences
from app.sandbox.server import RunningSandbox, run_in_thread
from app.settings import Settings
from app.vocabulary import CaseState, ConnectionMode, RecoveredBy
from tests.services import clean_environment, new_database

ROOT = Path(__file__).parents[2]
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
PATIENCE = 60.0  # seconds
Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    home = tmp_path / "elsewhere"
    home.mkdir()
    running = run_in_thread(home, SandboxClock(home / "clock.json"))
    yield running
    running.stop()


@pytest.fixture
def home(
    services: embedded.Services,
    redis_url: str,
    sandbox: RunningSandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """An environment to run in, and the folder where mails go."""
    clean_environment(monkeypatch)
    monkeypatch.chdir(tmp_path)
    with new_database(services) as url, Redis.from_url(redis_url) as redis:
        redis.flushdb()
        values = {
            "DATABASE_URL": url,
            "REDIS_URL": redis_url,
            "STRIPE_API_BASE": sandbox.url,
            "PORT": str(free_port()),
            "RECOUP_HOME": str(tmp_path / "home"),
            "RECOUP_SECRET_KEY": "s" * 40,
            "RECOUP_ENCRYPTION_KEYS": generate_key("tests"),
            "RECOUP_WEB_WORKERS": "1",
            "RECOUP_WORKER_PROCESSES": "1",
        }
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        yield tmp_path / "home"


@pytest.fixture
def start(home: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a line of the Procfile; whatever still runs at the end is killed with its children."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(name: str) -> subprocess.Popen[bytes]:
        program, *arguments = PROCFILE[name].split()
        argv = [str(Path(sys.executable).with_name(program)), *arguments]
        with (tmp_path / f"{name}.log").open("wb") as log:
            started.append(subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT, start_new_session=True))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def same_context() -> Iterator[Context]:
    """What the processes are given, in the test's own hands."""
    context = make_context(Settings())
    try:
        yield context
    finally:
        context.database.dispose()
        context.bell.redis.close()


def mails(home: Path) -> list[str]:
    read = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in sorted(home.glob("outbox/*.eml"))]
    bodies = [mail.get_body(("plain",)) for mail in read]
    return [str(body.get_content()) for body in bodies if body]


def control(sandbox: RunningSandbox, path: str, **body: object) -> dict[str, str]:
    answer = requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=30)
    assert answer.ok, answer.text
    found: dict[str, str] = answer.json()
    return found


def write_at_any_hour(context: Context, organization_id: UUID) -> None:
    """Mails leave whatever the time is when this test is run."""
    contact = ContactRules(quiet_from=time(0), quiet_until=time(0))
    definition = MONTHLY.model_copy(update={"contact": contact})
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        add_version(session, slug="monthly", name="Any", definition=definition, is_default=True, now=now, by="test")


def is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).ok
    except requests.RequestException:
        return False


def test_a_failed_payment_is_won_back_by_processes_that_end_when_they_are_asked_to(
    home: Path, sandbox: RunningSandbox, start: Start
) -> None:
    assert start("release").wait(PATIENCE) == 0
    with same_context() as context:
        here, drive = context.settings.base_url(), ConnectionMode.DRIVE
        acme = ensure_organization(context, "acme").id
        write_at_any_hour(context, acme)
        connect(context, acme, api_key="rk_test_sandbox", webhook_secret=None, mode=drive, actor="test")
        processes = [start(name) for name in ("web", "worker", "clock")]
        assert wait_until(lambda: is_ready(here), PATIENCE)

        customer = control(sandbox, "customers", email="payer@example.com")["customer"]
        control(sandbox, "fail", customer=customer, script=["expired_card"])
        assert wait_until(lambda: len(mails(home)) == 1, PATIENCE)
        Payer(link_in(mails(home)[0], here)).submit("/card").submit("", card="pm_card_mastercard")
        assert wait_until(lambda: len(mails(home)) == 2, PATIENCE)

        for process in processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(PATIENCE) for process in processes] == [0, 0, 0]
        with context.database.system() as session:
            case = session.scalars(select(RecoveryCase)).one()
            assert (case.state, case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.NEW_CARD)
            assert find_offences(session, context.clock.now()) == []
