"""Conflicts with what else works on an account's payments: noted, settled, listed, and what to click about each.

Refuses to know cases: what a reading of one shows is found in `app.recovery.watching`. Stripe's settings cannot be read
by API, so each kind says where in the Dashboard they are.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Update, func, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from app.db import prepared, table_of
from app.models import Conflict, Connection
from app.stripe_gateway.snapshots import WebhookEndpoint
from app.vocabulary import ConflictKind, ConnectionMode, Enforcement

ACCOUNT = ""  # the subject of what concerns the whole account
OF_PEOPLE = (ConflictKind.STRIPE_MAILS, ConflictKind.STRIPE_ENDS_FIRST)  # only a person can say that these are over
LATELY, QUIET = timedelta(days=30), timedelta(days=14)
_ROWS = table_of(Conflict)
_STANDS = _ROWS.c.resolved_at.is_(None)
_A_RECOUP = re.compile(r"/webhooks/stripe/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/?$")

TITLES: dict[StrEnum, str] = {
    ConflictKind.STRIPE_PLANS_TRY: "Stripe plans tries of its own while Recoup drives",
    ConflictKind.STRIPE_TRIED: "Stripe charged by itself while Recoup drives",
    ConflictKind.NOBODY_RETRIES: "Nobody retries: Recoup observes and Stripe plans no try",
    ConflictKind.STRIPE_ENDS_FIRST: "Stripe ends subscriptions before the campaign does",
    ConflictKind.STRIPE_MAILS: "Stripe's own mails may be on",
    ConflictKind.ANOTHER_RECOUP: "Another Recoup listens to this account",
}
_RETRIES = "In Stripe: Settings → Billing → Revenue recovery → Retries"
_ADVICE = {
    ConflictKind.STRIPE_PLANS_TRY: f"{_RETRIES}: turn Smart Retries (or the custom schedule) off. For invoices without"
    " a subscription: Settings → Billing → Invoices → Advanced. Automations may retry too: Billing → Automations.",
    ConflictKind.STRIPE_TRIED: f"{_RETRIES}: turn Smart Retries (or the custom schedule) off, and look whether"
    " something of yours sets auto_advance on these invoices again.",
    ConflictKind.NOBODY_RETRIES: f"{_RETRIES}: turn Smart Retries on (for invoices without a subscription: Settings →"
    " Billing → Invoices → Advanced), or let Recoup retry: switch this connection to drive.",
    ConflictKind.STRIPE_ENDS_FIRST: f"{_RETRIES}, If all retries fail: choose to leave the subscription past due, so"
    " that the campaign's final action decides. Then say here that it is done.",
    ConflictKind.STRIPE_MAILS: "In Stripe: Settings → Billing → Revenue recovery → Emails: switch off the mails about"
    " failed payments, expiring cards and payments that need confirmation, so that customers are written to once. Then"
    " say here that it is done.",
    ConflictKind.ANOTHER_RECOUP: "Both would charge and write to the same customers. Disconnect one of them, and"
    " delete its endpoint in Stripe under Developers → Webhooks.",
}
_WARN_MORE = " Until then Recoup leaves these invoices to Stripe."
_ENFORCE_MORE = " Meanwhile Recoup takes each of these invoices from Stripe by itself."


@dataclass(frozen=True)
class Recurring:
    """What Recoup settles by itself each time and a person could stop for good: how often lately, the last time, what
    it is and what to click.
    """

    kind: ConflictKind
    title: str
    advice: str
    count: int
    last: datetime


@dataclass(frozen=True)
class Standing:
    """A kind of conflict as it stands: since when, how often, the newest example, and what to click."""

    kind: ConflictKind
    title: str
    advice: str
    count: int
    since: datetime
    detail: str
    is_for_people: bool


def note(
    session: Session,
    connection: Connection,
    kind: ConflictKind,
    detail: str,
    now: datetime,
    *,
    subject: str = ACCOUNT,
    case_id: UUID | None = None,
) -> bool:
    """Remember a conflict; False where it stands already."""
    statement = (
        insert(Conflict)
        .values(
            organization_id=connection.organization_id,
            connection_id=connection.id,
            case_id=case_id,
            kind=kind,
            subject=subject,
            detail=detail,
            found_at=now,
        )
        .on_conflict_do_nothing(
            index_elements=["connection_id", "kind", "subject"], index_where=Conflict.resolved_at.is_(None)
        )
        .returning(Conflict.id)
    )
    return session.scalar(statement) is not None


def settle(
    session: Session,
    connection_id: UUID,
    kinds: Iterable[ConflictKind],
    now: datetime,
    by: str,
    subject: str = ACCOUNT,
) -> int:
    """Say that conflicts of one subject are over; how many stood."""
    return len(session.scalars(*_settle(connection_id, list(kinds), subject, now, by)).all())


def settle_everywhere(
    session: Session, connection_id: UUID, kinds: Iterable[ConflictKind], now: datetime, by: str
) -> None:
    """Say that conflicts of these kinds are over, whatever they are about."""
    is_one = _ROWS.c.connection_id == connection_id, _ROWS.c.kind.in_(list(kinds)), _STANDS
    session.execute(update(_ROWS).where(*is_one).values(resolved_at=now, resolved_by=by))


def settle_case(session: Session, case_id: UUID, now: datetime, by: str) -> None:
    """Say that what was found of one case is over with it; what its end says of the account stays."""
    session.execute(*_settle_case(case_id, now, by))


@prepared
def _settle(
    connection_id: UUID, kinds: list[ConflictKind], subject: str, now: datetime, by: str
) -> ReturningUpdate[Any]:
    is_one = _ROWS.c.connection_id == connection_id, _ROWS.c.kind.in_(kinds), _ROWS.c.subject == subject, _STANDS
    return update(_ROWS).where(*is_one).values(resolved_at=now, resolved_by=by).returning(_ROWS.c.id)


@prepared
def _settle_case(case_id: UUID, now: datetime, by: str) -> Update:
    is_of_case = _ROWS.c.case_id == case_id, _ROWS.c.subject != ACCOUNT, _STANDS
    return update(_ROWS).where(*is_of_case).values(resolved_at=now, resolved_by=by)


def note_endpoints(
    session: Session, connection: Connection, endpoints: Iterable[WebhookEndpoint], now: datetime
) -> None:
    """Look through an account's webhook endpoints: one that leads to another Recoup is a conflict while it is on."""
    others: dict[str, str] = {}
    for endpoint in endpoints:
        found = _A_RECOUP.search(endpoint.url)
        if found and found[1] != str(connection.id) and endpoint.status != "disabled":
            others[endpoint.id] = endpoint.url
    standing = select(Conflict.subject).where(
        Conflict.connection_id == connection.id,
        Conflict.kind == ConflictKind.ANOTHER_RECOUP,
        Conflict.resolved_at.is_(None),
    )
    for gone in set(session.scalars(standing)) - set(others):
        settle(session, connection.id, [ConflictKind.ANOTHER_RECOUP], now, "its endpoint is gone", subject=gone)
    for subject, url in others.items():
        detail = f"The endpoint {subject} leads to {url}."
        note(session, connection, ConflictKind.ANOTHER_RECOUP, detail, now, subject=subject)


def standing(session: Session, connection: Connection) -> list[Standing]:
    """The conflicts of a connection as they stand, one line a kind, in the order of the vocabulary."""
    details = func.array_agg(aggregate_order_by(Conflict.detail, Conflict.id))
    rows = session.execute(
        select(Conflict.kind, func.count(), func.min(Conflict.found_at), details)
        .where(Conflict.connection_id == connection.id, Conflict.resolved_at.is_(None))
        .group_by(Conflict.kind)
    ).all()
    by_kind = {row[0]: row for row in rows}
    return [_line(connection, *by_kind[kind]) for kind in ConflictKind if kind in by_kind]


def recurring(session: Session, connection: Connection, now: datetime) -> Recurring | None:
    """Whether Stripe goes on planning tries that Recoup takes over, one by one, within a second: no conflict stands,
    yet none would come if its retries were off. None while a conflict of this kind stands (it says the same), and
    once none has come for `QUIET`.
    """
    kind = ConflictKind.STRIPE_PLANS_TRY
    found = session.execute(
        select(
            func.count(Conflict.subject.distinct()),
            func.max(Conflict.found_at),
            func.count().filter(Conflict.resolved_at.is_(None)),
        ).where(Conflict.connection_id == connection.id, Conflict.kind == kind, Conflict.found_at > now - LATELY)
    ).one()
    count, last, still_stand = found
    is_ours = connection.mode is ConnectionMode.DRIVE and connection.enforcement is Enforcement.ENFORCE
    if not is_ours or not count or still_stand or last <= now - QUIET:
        return None
    many = "1 invoice" if count == 1 else f"{count} invoices"
    title = f"Stripe plans tries of its own when a payment fails: for {many} in the last {LATELY.days} days"
    advice = (
        f"Recoup took each over. To stop it for good, and to have nothing tried by Stripe while Recoup is away:"
        f" {_ADVICE[kind]} This goes once it has not come for {QUIET.days} days."
    )
    return Recurring(kind, title, advice, count, last)


def _line(connection: Connection, kind: ConflictKind, count: int, since: datetime, details: Sequence[str]) -> Standing:
    more = ""
    if kind is ConflictKind.STRIPE_PLANS_TRY and connection.mode is ConnectionMode.DRIVE:
        more = _ENFORCE_MORE if connection.enforcement is Enforcement.ENFORCE else _WARN_MORE
    detail = details[-1] + (f" And {count - 1} more." if count > 1 else "")
    return Standing(kind, TITLES[kind], _ADVICE[kind] + more, count, since, detail, kind in OF_PEOPLE)
