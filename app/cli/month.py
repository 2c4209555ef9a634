"""The month that the demonstration lives through before it is shown: who fails, who comes back how, and when.

Everything happens from outside, as it would to an operator: at the sandbox's controls, in Stripe's dashboard, on the
pages that customers open. Scenes are kept with how far they have been played, so an interrupted month goes on.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import requests
from sqlalchemy import select

from app.cli.payer import Payer, link_in
from app.cli.turning import Sandbox, SandboxMissing, SandboxRefused, hops, rest
from app.context import Context
from app.errors import RecoupError
from app.models import ChargeAttempt, Connection, Customer, Invoice, Message, RecoveryCase
from app.recovery.operator import Person
from app.recovery.switching import switch
from app.vocabulary import ConnectionMode

PAYING = 16  # customers who always pay, as long as no scene makes them fail
LIVED = timedelta(days=35)  # about; the last scenes wait for something to happen
BY = Person("demonstration")
ANSWERS_LOST = 4  # after so many Recoup asks no sooner than a day later


@dataclass
class Note:
    """How far the month has been played: when it began (ISO), scenes done, customers by what is wrong with them."""

    began: str
    done: int = 0
    people: dict[str, str] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Month:
    """What scenes act on."""

    context: Context
    stripe: Sandbox
    organization_id: UUID
    note: Note

    def open_invoice(self, who: str) -> dict[str, Any]:
        """The newest invoice that this customer has not paid; raises `SandboxRefused`."""
        found = self.stripe.api("GET", "invoices", customer=self.note.people[who], status="open", limit="1")["data"]
        if not found:
            raise SandboxRefused(f"{who}: no invoice is open")
        invoice: dict[str, Any] = found[0]
        return invoice

    def newest_mail(self, who: str) -> str:
        """The text of the newest mail to this customer; raises `SandboxRefused`."""
        newest = (
            select(Message.text_body)
            .join(Customer, Customer.id == Message.customer_id)
            .where(Customer.stripe_id == self.note.people[who], Message.accepted_at.is_not(None))
            .order_by(Message.accepted_at.desc())
        )
        with self.context.database.organization(self.organization_id) as session:
            text = session.scalar(newest.limit(1))
        if not text:
            raise SandboxRefused(f"{who}: nobody has written yet")
        return text

    def here(self) -> str:
        """Where the payment page is reached from this machine."""
        return f"http://127.0.0.1:{self.context.settings.port}"


def play(context: Context, organization_id: UUID, show: Callable[[float], None]) -> list[str]:
    """Live through what is left of the month; `show` hears the share that is over (0 to 1).

    Gives a sentence for each scene that could not be played: a sample that lacks something is no reason not to start.
    """
    file = _file(context.settings.home)
    month = Month(context, Sandbox(context), organization_id, _read(file, context.clock.now()))
    began, troubles = datetime.fromisoformat(month.note.began), []
    for days, act in SCENES[month.note.done :]:
        for moment in _until(month, began + timedelta(days=days)):
            show((moment - began) / LIVED)
        try:
            act(month)
        except SandboxMissing:
            raise
        except (RecoupError, requests.RequestException) as problem:
            troubles.append(str(problem))
        month.note.done += 1
        _write(file, month.note)
    rest(context, month.stripe)
    return troubles


def is_over(home: Path) -> bool:
    """Whether every scene has been played in this home."""
    return _file(home).exists() and Note(**json.loads(_file(home).read_text())).done >= len(SCENES)


def _file(home: Path) -> Path:
    return home / "demo.json"


def _until(month: Month, target: datetime) -> Iterator[datetime]:
    # nobody in this month pays by hand or has a card that is about to expire, and a newcomer waits for its end
    return hops(month.context, month.stripe, max(target, month.context.clock.now()), looks_ahead=False)


def _read(file: Path, now: datetime) -> Note:
    try:
        return Note(**json.loads(file.read_text()))
    except FileNotFoundError:
        return Note(began=now.isoformat())


def _write(file: Path, note: Note) -> None:
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(asdict(note)))
    unfinished.replace(file)


def _watch(month: Month) -> None:
    """The first failure is Stripe's to retry: the connection only observes."""
    wanted = {"name": "Noor Lindgren", "email": "noor.lindgren@example.com", "timezone": "America/New_York"}
    customer = month.stripe.control("customers", **wanted)["customer"]
    month.stripe.control("fail", customer=customer, script=["insufficient_funds", "approve"])


def _take_the_wheel(month: Month) -> None:
    """The sample customers arrive with half a year of history; then Stripe's own retries are off, and Recoup drives."""
    # In this order: what failed in the past was retried by Stripe, so that no old debts are left over.
    made = month.stripe.control("seed", customers=PAYING)
    month.stripe.control("settings", retries="off")
    with month.context.database.organization(month.organization_id) as session:
        connections = session.scalars(select(Connection.id)).all()
    for connection_id in connections:
        switch(month.context, month.organization_id, connection_id, BY, mode=ConnectionMode.DRIVE)
    month.note.people |= {entry["way"]: entry["customer"] for entry in made["failing"]}
    month.note.free = [one for one in made["customers"] if one in _monthly_payers(month)]


def _monthly_payers(month: Month) -> set[str]:
    rows = month.stripe.api("GET", "subscriptions", status="active", limit="100")["data"]
    prices = [(row["customer"], row["items"]["data"][0]["price"]) for row in rows]
    return {who for who, price in prices if price["unit_amount"] and price["recurring"]["interval"] == "month"}


def _fails(who: str, *script: str) -> Callable[[Month], None]:
    """The next customer who has always paid fails now, and is called `who` from then on."""

    def act(month: Month) -> None:
        month.note.people[who] = month.note.free.pop()
        month.stripe.control("fail", customer=month.note.people[who], script=list(script))

    return act


def _puts_in_a_card(who: str) -> Callable[[Month], None]:
    def act(month: Month) -> None:
        Payer(link_in(month.newest_mail(who), month.here())).submit("/card").submit("", card="pm_card_mastercard")

    return act


def _approves(who: str) -> Callable[[Month], None]:
    def act(month: Month) -> None:
        Payer(link_in(month.newest_mail(who), month.here())).submit("/approve").submit("", answer="approve")

    return act


def _pays_the_invoice(who: str) -> Callable[[Month], None]:
    """By Stripe's own page, past Recoup's."""

    def act(month: Month) -> None:
        Payer(month.open_invoice(who)["hosted_invoice_url"]).submit("", answer="pay", card="pm_card_mastercard")

    return act


def _operator(who: str, action: str, **form: str) -> Callable[[Month], None]:
    """The operator does something to this customer's invoice in Stripe's dashboard."""

    def act(month: Month) -> None:
        month.stripe.api("POST", f"invoices/{month.open_invoice(who)['id']}/{action}", **form)

    return act


def _leaves(who: str) -> Callable[[Month], None]:
    """The customer's subscription is cancelled while its case is open."""

    def act(month: Month) -> None:
        rows = month.stripe.api("GET", "subscriptions", customer=month.note.people[who], limit="1")["data"]
        month.stripe.api("DELETE", f"subscriptions/{rows[0]['id']}")

    return act


def _answers_get_lost(who: str, month: Month) -> None:
    """Requests to charge this customer do not come through, until Recoup leaves it for a day: it stays `charging`."""
    invoice = month.open_invoice(who)["id"]
    month.stripe.control(
        "faults", kind="cut_before", path=f"/invoices/{invoice}/pay", method="POST", count=ANSWERS_LOST
    )
    for _ in _until(month, month.context.clock.now() + timedelta(days=2)):
        rest(month.context, month.stripe)
        if _times_asked(month, invoice) >= ANSWERS_LOST:
            return


def _times_asked(month: Month, invoice: str) -> int:
    checks = (
        select(ChargeAttempt.checks)
        .join(RecoveryCase, RecoveryCase.id == ChargeAttempt.case_id)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .where(Invoice.stripe_id == invoice)
        .order_by(ChargeAttempt.started_at.desc())
    )
    with month.context.database.organization(month.organization_id) as session:
        return session.scalar(checks.limit(1)) or 0


Scene = tuple[float, Callable[[Month], None]]

# Days from the beginning, and what happens then. The seed's customers fail from day 1.25 to day 5, by themselves.
SCENES: tuple[Scene, ...] = (
    (0, _watch),
    (1.25, _take_the_wheel),
    (3, _approves("bank wants 3-D Secure")),
    (4, _puts_in_a_card("expired card")),
    (5, _pays_the_invoice("lost card")),
    (6, _operator("stolen card", "pay", paid_out_of_band="true")),
    (7, _operator("payments stopped by the cardholder", "void")),
    (11, _leaves("Mastercard says never again")),
    (30, _fails("short of money", "insufficient_funds")),
    (31, _fails("card has expired", "expired_card")),
    (31.5, _fails("must approve", "requires_action")),
    (32.1, _puts_in_a_card("generic decline, never works")),
    (32.3, _fails("nobody answers", "processing_error", "approve")),
    (32.3, partial(_answers_get_lost, "nobody answers")),
    (0, _fails("declined today", "do_not_honor")),
    (0, _fails("short of money today", "insufficient_funds", "approve")),
)
