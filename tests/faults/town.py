"""A town: Recoup as it runs in production, with databases of its own, a pretend Stripe, and processes that may die.

Everything is a process of its own: sandbox, web, worker, clock, PostgreSQL (fsync on) and Valkey. The test looks at
rows, at the sandbox's books and at the outbox folder, and turns the clock that all share.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests
from sqlalchemy import select, text

from app import embedded
from app.accounts.connections import connect
from app.accounts.users import create_organization
from app.campaigns.definition import CampaignDefinition, MessageStep, RetrySettings
from app.context import Context, make_context
from app.crypto import generate_key
from app.embedded.state import free_port
from app.models import CaseEntry, ChargeAttempt, InboxEvent, Invoice, Message, RecoveryCase, Step
from app.recovery.campaigns import add_version
from app.recovery.invariants import find_offences
from app.schema import upgrade
from app.settings import Settings
from app.vocabulary import AttemptSource, ConnectionMode
from tests.daytime import begin_by_day
from tests.faults.processes import STRANGE, Forge, Member

SANDBOX_KEY = "rk_test_sandbox"
GLANCE = 0.04  # seconds between two looks, more and more while nothing happens: the processes need the machine, too
LONGEST_GLANCE = 0.25
PATIENCE = 60.0  # seconds of real time that anything may take on a busy machine before it counts as stuck
LEASES = timedelta(seconds=61)
SHORT = CampaignDefinition(
    window_days=2,
    retries=RetrySettings(timing="ladder", ladder_days=(1,), max_attempts=3),
    messages=(MessageStep(key="payment_failed", kind="payment_failed", days=0),),
)
BUSY = text(
    """
    select
        (select count(*) from inbox_events where state = 'received' and next_try_at <= :now)
        + (select count(*) from steps where state = 'planned' and due_at <= :now)
        + (select count(*) from messages where state in ('planned', 'claimed', 'unknown') and next_try_at <= :now)
        + (select count(*) from charge_attempts where state in ('charging', 'unknown') and next_check_at <= :now),
        (select count(*) from inbox_events where state = 'received' and lease_token is not null)
        + (select count(*) from steps where state in ('claimed', 'running'))
        + (select count(*) from messages where state = 'claimed')
        + (select count(*) from messages where state = 'planned' and tries = 0 and reason is null)
        + (select count(*) from charge_attempts where state = 'charging')
    """
)
COMING = text(
    """
    select min(moment) from (
        select next_try_at as moment from inbox_events where state = 'received'
        union all select due_at from steps where state = 'planned'
        union all select next_try_at from messages where state in ('planned', 'claimed', 'unknown')
        union all select next_check_at from charge_attempts where state in ('charging', 'unknown')
    ) moments where moment > :now
    """
)
AGE = (
    "update steps set lease_until = lease_until - :by where lease_until is not null",
    "update inbox_events set lease_until = lease_until - :by where lease_until is not null",
)
OPEN = (
    "select type, next_try_at, lease_until, unfinished, problem from inbox_events where state = 'received'",
    "select case_id, key, state, due_at, lease_until, problem from steps where finished_at is null",
    "select case_id, key, state, next_try_at, reason from messages where state in ('planned', 'claimed', 'unknown')",
    "select case_id, number, state, next_check_at from charge_attempts where state in ('charging', 'unknown')",
)


@dataclass
class Town:
    """One installation with one organization that drives its retries itself."""

    home: Path
    context: Context
    members: dict[str, Member]
    sandbox_url: str
    http: requests.Session
    patience: float

    @property
    def now(self) -> datetime:
        return self.context.clock.now()

    def control(self, path: str, /, **body: Any) -> dict[str, Any]:
        """Ask the sandbox's control API."""
        answer = self.http.post(f"{self.sandbox_url}/_sandbox/{path}", json=body, timeout=60)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def stripe(self, method: str, path: str, **form: Any) -> dict[str, Any]:
        """Speak to the sandbox as Stripe's dashboard would."""
        url = f"{self.sandbox_url}/v1/{path}"
        answer = self.http.request(method, url, data=form, auth=(SANDBOX_KEY, ""), timeout=30)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def reading(self) -> dict[str, Any]:
        """The sandbox's clock and what it has left to do."""
        found: dict[str, Any] = self.http.get(f"{self.sandbox_url}/_sandbox/clock", timeout=30).json()
        return found

    def books(self) -> dict[str, dict[str, Any]]:
        """The sandbox's invoices by their id."""
        answer = self.http.get(f"{self.sandbox_url}/_sandbox/books", timeout=30).json()
        return {entry["invoice"]: entry for entry in answer["invoices"]}

    def customer(self, **wanted: Any) -> str:
        """A sandbox customer with a yearly plan that has been paid for, and a card and an address of their own.

        Card networks count the tries of one number over everybody who has it, and so does Recoup.
        """
        email = f"{uuid4().hex}@example.com"
        customer: str = self.control("customers", **{"interval": "year", "email": email, **wanted})["customer"]
        card = {"type": "card", "card[number]": card_number(), "card[exp_month]": 12, "card[exp_year]": 2045}
        method = self.stripe("POST", "payment_methods", **card)["id"]
        self.stripe("POST", f"payment_methods/{method}/attach", customer=customer)
        self.stripe("POST", f"customers/{customer}", **{"invoice_settings[default_payment_method]": method})
        return customer

    def fail(self, customer: str, *script: str) -> str:
        """A renewal fails now; the invoice's id."""
        invoice: str = self.control("fail", customer=customer, script=list(script))["invoice"]
        return invoice

    def save_card(self, page: str) -> None:
        """Finish a card page at Stripe with a card of its own number."""
        answer = self.http.post(page, data={"number": card_number()}, allow_redirects=False, timeout=30)
        assert answer.status_code == 303, answer.text

    def find_case(self, invoice: str) -> RecoveryCase | None:
        """The case of a Stripe invoice, once there is one."""
        with self.context.database.system() as session:
            query = select(RecoveryCase).join(Invoice, Invoice.id == RecoveryCase.invoice_id)
            return session.scalars(query.where(Invoice.stripe_id == invoice)).one_or_none()

    def attempts(self, invoice: str) -> list[ChargeAttempt]:
        """Every charge of an invoice that Recoup knows of, the first one first."""
        with self.context.database.system() as session:
            query = select(ChargeAttempt).join(RecoveryCase, RecoveryCase.id == ChargeAttempt.case_id)
            query = query.join(Invoice, Invoice.id == RecoveryCase.invoice_id).where(Invoice.stripe_id == invoice)
            return list(session.scalars(query.order_by(ChargeAttempt.started_at)))

    def undecided_charges(self, invoice: str) -> int:
        """How many charges Stripe has of an invoice beyond its renewal and those that Recoup decided to make."""
        entry = self.books()[invoice]
        decided = [one for one in self.attempts(invoice) if one.source is AttemptSource.RECOUP and one.charge_id]
        charges: int = entry["successful_charges"] + entry["failed_charges"]
        return charges - 1 - len(decided)

    def twin(self, name: str) -> Member:
        """Another process of the same kind, not started yet."""
        first = self.members[name]
        return self.members.setdefault(f"second {name}", replace(first, name=f"second {name}", pid=0))

    def steps(self, case: RecoveryCase) -> list[Step]:
        with self.context.database.system() as session:
            return list(session.scalars(select(Step).where(Step.case_id == case.id)))

    def messages(self, case: RecoveryCase) -> list[Message]:
        with self.context.database.system() as session:
            return list(session.scalars(select(Message).where(Message.case_id == case.id)))

    def told(self, events: set[str]) -> set[str]:
        """Which of these Stripe events have come in."""
        with self.context.database.system() as session:
            return set(session.scalars(select(InboxEvent.event_id).where(InboxEvent.event_id.in_(events))))

    def timeline(self, case: RecoveryCase) -> list[str]:
        """What happened to a case, a line each."""
        with self.context.database.system() as session:
            entries = session.scalars(select(CaseEntry).where(CaseEntry.case_id == case.id).order_by(CaseEntry.id))
            return [f"{entry.recorded_at} {entry.to_state or ''} {entry.summary}" for entry in entries]

    def mails(self) -> Counter[str]:
        """How many files the outbox folder has for each message id."""
        return Counter("-".join(file.name.split("-")[1:6]) for file in (self.home / "outbox").glob("*.eml"))

    def wait(self, condition: Callable[[], Any], what: str, seconds: float | None = None) -> None:
        """Wait in real time until `condition` holds; a town that does not get there says what it did last."""
        seconds = seconds or self.patience
        deadline = time.monotonic() + seconds
        pause = GLANCE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:.0f} s: {what}\n{self.story()}")
            time.sleep(pause)
            pause = min(pause * 1.2, LONGEST_GLANCE)

    def is_quiet(self) -> bool:
        """Whether nothing is due and nobody is at work."""
        return not any(self._load()) and not self.reading()["pending_deliveries"]

    def settle(self) -> None:
        """Wait until nothing is due and nobody is at work."""
        self.wait(self.is_quiet, "quiet")

    def play(self, until: Callable[[], Any], what: str, late: timedelta = timedelta(0), days: float = 12) -> None:
        """Turn the clock from one due moment to the next, with all work done at each, until `until` holds.

        With `late`, time goes on by that much more each time: what is due within it is done together, a little late.
        """
        last = self.now + timedelta(days=days)
        while True:
            self.wait(lambda: until() or self.is_quiet(), what)
            if until():
                return
            coming = self.next_moment()
            if coming is None or coming > last:
                raise AssertionError(f"never came: {what}\n{self.story()}")
            self.turn(coming + late)

    def outlast_leases(self) -> None:
        """Bring about what time without the dead brings: whatever they held is anybody's."""
        self.age_leases(timedelta(hours=1))
        self.turn(self.now + LEASES)

    def age_leases(self, by: timedelta) -> None:
        """Have leases on the database's clock, which nobody can turn, end so much sooner."""
        with self.context.database.system() as session:
            for statement in AGE:
                session.execute(text(statement), {"by": by})

    def turn(self, to: datetime) -> None:
        """Turn everybody's clock forward to a moment (not back, if it has passed already)."""
        if to > self.now:
            self.control("clock", to=to.isoformat())

    def next_moment(self) -> datetime | None:
        """The next moment at which Recoup or the sandbox has something to do by itself."""
        with self.context.database.system() as session:
            ours = session.scalar(COMING, {"now": self.now})
        coming = self.reading()["next_event_at"]
        theirs = datetime.fromisoformat(coming) if coming else None
        return min((moment for moment in (ours, theirs) if moment), default=None)

    def check_promises(self) -> None:
        """Check every invariant on the rows as they stand."""
        with self.context.database.system() as session:
            offences = find_offences(session, self.now)
        assert not offences, f"{offences}\n{self.story()}"

    def verify(self) -> None:
        """Hold `recoup verify --books` to its word."""
        offences = self.offences()
        assert not offences, f"{json.dumps(offences, indent=1)}\n{self.story()}"

    def offences(self) -> list[dict[str, str]]:
        """What `recoup verify --books` has to say."""
        command = [str(Path(sys.executable).with_name("recoup")), "verify", "--books", "--json"]
        environment = self.members["web"].environment
        ended = subprocess.run(
            command, capture_output=True, text=True, cwd=self.home, env=environment, timeout=60, check=False
        )
        assert ended.stdout, ended.stderr
        found: list[dict[str, str]] = json.loads(ended.stdout)["offences"]
        return found

    def story(self) -> str:
        """What the processes said last, for the reader of a failure."""
        with self.context.database.system() as session:
            open_rows = [str(row) for query in OPEN for row in session.execute(text(query))]
        said = [member.tail() for member in self.members.values()]
        return "\n".join([*said, f"--- at {self.now}", *open_rows, str(self.reading())])

    def _load(self) -> tuple[int, int]:
        """How many rows are due, and how many are in somebody's hands."""
        with self.context.database.system() as session:
            row = session.execute(BUSY, {"now": self.now}).one()
        return int(row[0]), int(row[1])


def card_number() -> str:
    """A number that no card has, with a check digit that is right."""
    digits = [4, *(secrets.randbelow(10) for _ in range(14))]
    doubled = [sum(divmod(digit * 2, 10)) for digit in digits[::2]]
    return "".join(map(str, digits)) + str(-(sum(doubled) + sum(digits[1::2])) % 10)


@contextmanager
def open_town(
    campaign: CampaignDefinition = SHORT,
    workers: int = 1,
    patience: float = PATIENCE,
    settle_in: Callable[[Town], None] | None = None,
) -> Iterator[Town]:
    """Build a town and start its processes; nothing of it is left afterwards.

    `settle_in` is done between the sandbox's start and everybody else's: it makes the organization and connects it.
    """
    with ExitStack() as stack:
        forge = Forge()
        stack.callback(forge.close)
        home = stack.enter_context(embedded.temporary_home())
        services = embedded.start(home, durable=True)
        settings = _settings(home, services, workers)
        upgrade(settings.require("database_url"))
        begin_by_day(settings)
        members = _members(forge, settings)
        members["sandbox"].start()
        context = make_context(settings)
        stack.callback(context.database.dispose)
        stack.callback(context.bell.redis.close)
        http = requests.Session()
        http.trust_env = False
        stack.callback(http.close)
        town = Town(home, context, members, settings.require("stripe_api_base"), http, patience)
        town.wait(lambda: is_sandbox_ready(town), "the sandbox is up")
        if settle_in is None:
            _settle_in(town, campaign)
        else:
            settle_in(town)
        for name in ("web", "worker", "clock"):
            members[name].start()
        town.wait(lambda: is_web_ready(town), "the web process is ready")
        yield town


def is_sandbox_ready(town: Town) -> bool:
    """Whether the pretend Stripe answers."""
    return _answers(town.http, f"{town.sandbox_url}/_sandbox/clock")


def is_web_ready(town: Town) -> bool:
    """Whether the web process answers."""
    return _answers(town.http, f"{town.context.settings.base_url()}/readyz")


def _settings(home: Path, services: embedded.Services, workers: int) -> Settings:
    port, sandbox_port = free_port(), free_port()
    return Settings(
        _env_file=None,
        database_url=services.database_url,
        redis_url=services.redis_url,
        home=home,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        secret_key="a secret that only tests know",
        encryption_keys=generate_key("tests"),
        stripe_api_base=f"http://127.0.0.1:{sandbox_port}",
        sandbox=True,
        sandbox_port=sandbox_port,
        web_workers=1,
        worker_processes=workers,
    )


def _members(forge: Forge, settings: Settings) -> dict[str, Member]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(STRANGE)}
    environment = clean | {
        str(field.validation_alias): str(getattr(settings, name))
        for name, field in Settings.model_fields.items()
        if getattr(settings, name) is not None
    }
    sandbox = ["sandbox", "--home", str(settings.home), "--port", str(settings.sandbox_port)]
    argv = {"sandbox": sandbox, "web": ["web"], "worker": ["worker"], "clock": ["clock"]}
    return {name: Member(name, words, forge, environment, settings.home) for name, words in argv.items()}


def _settle_in(town: Town, campaign: CampaignDefinition) -> None:
    town.control("settings", retries="off", end_behavior="past_due")
    now = town.now
    with town.context.database.system() as session:
        organization = create_organization(session, "acme", "Acme", now)
        session.flush()
    with town.context.database.organization(organization.id) as session:
        add_version(session, slug="short", name="Short", definition=campaign, is_default=True, now=now, by="test")
    wanted = {"api_key": SANDBOX_KEY, "webhook_secret": None, "mode": ConnectionMode.DRIVE, "actor": "test"}
    connect(town.context, organization.id, **wanted)


def _answers(http: requests.Session, url: str) -> bool:
    try:
        return http.get(url, timeout=5).ok
    except requests.RequestException:
        return False
