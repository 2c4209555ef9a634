"""What a provider's reports do to a message: its state only moves forward, in whatever order and number they come."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.messages import suppression
from app.messages.sendgrid_events import PROVIDER, EventType, Report
from app.messages.timeline import note
from app.messages.words import SuppressedBecause
from app.models import DeliveryEvent, Message
from app.vocabulary import EntryKind, MessageState

RANK = {
    MessageState.PLANNED: 0,
    MessageState.SKIPPED: 0,
    MessageState.CLAIMED: 0,
    MessageState.UNKNOWN: 0,
    MessageState.FAILED: 0,
    MessageState.ACCEPTED: 1,
    MessageState.DELIVERED: 2,
    MessageState.BOUNCED: 3,
}
"""How much is known of a mail. A report moves a message up and never down: a mail that bounced after its delivery was
reported did bounce, and a delivery that is reported after a bounce is old news."""

SAYS = {
    EventType.PROCESSED: MessageState.ACCEPTED,
    EventType.DEFERRED: MessageState.ACCEPTED,
    EventType.DELIVERED: MessageState.DELIVERED,
    EventType.BOUNCE: MessageState.BOUNCED,
    EventType.DROPPED: MessageState.BOUNCED,
    EventType.OPEN: MessageState.DELIVERED,
    EventType.CLICK: MessageState.DELIVERED,
    EventType.SPAMREPORT: MessageState.DELIVERED,
    EventType.UNSUBSCRIBE: MessageState.DELIVERED,
    EventType.GROUP_UNSUBSCRIBE: MessageState.DELIVERED,
    EventType.GROUP_RESUBSCRIBE: MessageState.DELIVERED,
}
"""What each report proves: who clicks, complains or unsubscribes has the mail in hand."""


TOLD = {
    EventType.DEFERRED: ("mail_deferred", "is held up: the customer's mail server takes it later"),
    EventType.OPEN: ("mail_opened", "was opened"),
    EventType.CLICK: ("mail_clicked", "was clicked"),
    EventType.SPAMREPORT: ("mail_complained", "was reported as spam; this address gets no more mails"),
    EventType.UNSUBSCRIBE: ("mail_unsubscribed", "made its reader unsubscribe; they get no more reminders"),
    EventType.GROUP_UNSUBSCRIBE: ("mail_unsubscribed", "made its reader unsubscribe; they get no more reminders"),
    EventType.GROUP_RESUBSCRIBE: ("mail_resubscribed", "has a reader who takes reminders again"),
}
"""What goes on the timeline beside deliveries and bounces."""


def apply_reports(session: Session, reports: Iterable[Report], now: datetime) -> int:
    """Record the reports of one organization and move its messages; how many were news.

    Messages are locked in the order of their ids, so that two batches at once cannot wait for each other.
    """
    by_message: dict[str, list[Report]] = {}
    for report in reports:
        by_message.setdefault(str(report.message_id), []).append(report)
    news = 0
    for _, about_one in sorted(by_message.items()):
        message_id = about_one[0].message_id
        message = session.scalars(select(Message).where(Message.id == message_id).with_for_update()).first()
        if message is not None:
            news += sum(_apply(session, message, report, now) for report in about_one)
    return news


def _apply(session: Session, message: Message, report: Report, now: datetime) -> bool:
    if not _is_new(session, message, report, now):
        return False
    if report.is_by_machine:
        return True  # kept with the message, and otherwise of no weight: nobody has read it
    _change_suppression(session, message, report, now)
    _remember(session, message, report, now)
    says = SAYS[report.type]
    if RANK[says] > RANK[message.state]:
        _move(session, message, says, report, now)
    return True


def _remember(session: Session, message: Message, report: Report, now: datetime) -> None:
    """What somebody did with the mail, or a server with its address, belongs on the case's timeline."""
    at = report.happened_at
    if report.type is EventType.CLICK:
        message.clicked_at = min(message.clicked_at or at, at)
    if report.type in (EventType.OPEN, EventType.CLICK):
        message.opened_at = min(message.opened_at or at, at)
    if report.type in TOLD:
        name, words = TOLD[report.type]
        note(session, message, EntryKind.FACT, name, f"{message.kind} {words}", at, now)


def _is_new(session: Session, message: Message, report: Report, now: datetime) -> bool:
    row = insert(DeliveryEvent).values(
        organization_id=message.organization_id,
        message_id=message.id,
        provider=PROVIDER,
        provider_event_id=report.event_id,
        type=report.type,
        is_by_machine=report.is_by_machine,
        happened_at=report.happened_at,
        received_at=now,
        data=report.data,
    )
    return session.execute(row.on_conflict_do_nothing().returning(DeliveryEvent.id)).first() is not None


def _move(session: Session, message: Message, says: MessageState, report: Report, now: datetime) -> None:
    at = report.happened_at
    message.state = says
    message.reason = None
    message.next_try_at = None
    message.accepted_at = message.accepted_at or at
    if says is MessageState.DELIVERED:
        message.delivered_at = at
        note(session, message, EntryKind.FACT, "mail_delivered", f"{message.kind} delivered", at, now)
    if says is MessageState.BOUNCED:
        message.bounced_at = at
        message.reason = _why_bounced(report)
        note(session, message, EntryKind.FACT, "mail_bounced", f"{message.kind} came back: {message.reason}", at, now)


def _why_bounced(report: Report) -> str:
    detail = report.data.get("reason") or report.data.get("status")
    return f"{report.type}: {detail}" if detail else str(report.type)


def _change_suppression(session: Session, message: Message, report: Report, now: datetime) -> None:
    if message.recipient is None:
        return
    if report.suppresses is not None:
        suppression.suppress(session, message.recipient, report.suppresses, now)
    elif report.type is EventType.GROUP_RESUBSCRIBE:
        suppression.lift(session, message.recipient, SuppressedBecause.UNSUBSCRIBED)
