"""Whether one mail may go out now: a pure decision from facts. Knows no database, no clock and no wording.

A mail that does not go is `Skip` with a reason that is stored and shown, or `Later` with a reason and a moment.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.messages.addresses import is_address
from app.vocabulary import CaseState, ConnectionStatus, FinalActionState, HoldKind

QUIET_BETWEEN_MAILS = timedelta(hours=20)
WAIT_FOR_CHARGE = timedelta(minutes=5)
WAIT_FOR_CONNECTION = timedelta(hours=1)


class MailKind(StrEnum):
    """The mails there are; `emails.kinds` writes them."""

    PAYMENT_FAILED = "payment_failed"
    ACTION_REQUIRED = "action_required"
    REMINDER = "reminder"
    FRESH_LINK = "fresh_link"
    FINAL_NOTICE = "final_notice"
    RECOVERED = "recovered"
    SUBSCRIPTION_CHANGED = "subscription_changed"
    CARD_EXPIRING = "card_expiring"
    PROMISE_CONFIRMED = "promise_confirmed"
    PROMISE_BROKEN = "promise_broken"
    INVOICE_DUE_SOON = "invoice_due_soon"
    INVOICE_DUE = "invoice_due"
    INVOICE_OVERDUE = "invoice_overdue"


CHASING = frozenset({MailKind.PAYMENT_FAILED, MailKind.ACTION_REQUIRED, MailKind.REMINDER, MailKind.FINAL_NOTICE})
"""Mails that ask for money: they stop when it came, when the customer was promised quiet, or when the debt is gone."""

ABOUT_DEBT = CHASING | {MailKind.FRESH_LINK}
"""Mails that are about all that a customer owes; a fresh link is not chasing, because its reader asked for it."""

PROMPT = frozenset({MailKind.ACTION_REQUIRED, MailKind.FRESH_LINK, MailKind.RECOVERED, MailKind.SUBSCRIPTION_CHANGED})
"""Mails that answer something that just happened: they do not wait for the quiet after the last mail."""

SENSIBLE_FOR = {kind: timedelta(days=3) for kind in MailKind} | {
    # Who asked for a link and got none has asked again, or does not want it any more.
    MailKind.FRESH_LINK: timedelta(days=1),
    # Somebody whose plan has changed must hear of it, even if the machine was down for a week.
    MailKind.SUBSCRIPTION_CHANGED: timedelta(days=14),
}
"""How late a mail may be and still make sense to the one who reads it."""

_SAID_BY_SNAPSHOT = frozenset({FinalActionState.DONE, FinalActionState.RESTORED})


class Reason(StrEnum):
    """Why a mail did not go out now."""

    PAID = "paid"
    STOPPED = "stopped"
    ENDED = "ended"
    NOT_RECOVERED = "not_recovered"
    NOTHING_CHANGED = "nothing_changed"
    ALREADY_TOLD = "already_told"
    HELD = "held"
    DISPUTE = "dispute"
    CHARGING = "charging"
    NO_ADDRESS = "no_address"
    INVALID_ADDRESS = "invalid_address"
    SUPPRESSED = "suppressed"
    CUSTOMER_DELETED = "customer_deleted"
    DISCONNECTED = "disconnected"
    CONNECTION_BROKEN = "connection_broken"
    WRITTEN_TO_RECENTLY = "written_to_recently"
    NAMED_ELSEWHERE = "named_elsewhere"
    STALE = "stale"


@dataclass(frozen=True)
class Send:
    """The mail may go."""


@dataclass(frozen=True)
class Skip:
    """The mail must never go."""

    reason: Reason


@dataclass(frozen=True)
class Later:
    """The mail must wait until `until`, and is looked at again then."""

    until: datetime
    reason: Reason


Decision = Send | Skip | Later


@dataclass(frozen=True)
class CurrentHold:
    """A hold that applies to this case now; without an end it lasts until somebody releases it."""

    kind: HoldKind
    until: datetime | None


@dataclass(frozen=True)
class Situation:
    """All that the decision rests on. Moments are aware UTC.

    `due_at` is when the mail should have gone; `last_written_at` when any other mail to this person last left;
    `told_at` when this case's last other mail of the same kind left; `named_at` when a mail about another of the
    customer's debts last named this one as well (only of interest to old debts); `changed_at` when the final action
    was done or undone.
    """

    kind: MailKind
    due_at: datetime
    address: str | None
    case_state: CaseState
    invoice_status: str
    connection_status: ConnectionStatus = ConnectionStatus.ACTIVE
    is_suppressed: bool = False
    is_customer_deleted: bool = False
    holds: tuple[CurrentHold, ...] = ()
    last_written_at: datetime | None = None
    told_at: datetime | None = None
    named_at: datetime | None = None
    final_action: FinalActionState | None = None
    changed_at: datetime | None = None


def decide(facts: Situation, now: datetime) -> Decision:
    """Send, skip or wait. A mail that would have to wait until it makes no sense any more is skipped at once."""
    why_never = _never(facts, now)
    if why_never:
        return Skip(why_never)
    waits = [wait for wait in _waits(facts, now) if wait.until > now]
    if not waits:
        return Send()
    longest = max(waits, key=lambda wait: wait.until)
    if longest.until > facts.due_at + SENSIBLE_FOR[facts.kind]:
        return Skip(longest.reason)
    return longest


def _never(facts: Situation, now: datetime) -> Reason | None:
    if facts.kind in CHASING:
        reason = _why_no_debt(facts) or _why_not_chase(facts, now)
    elif facts.kind is MailKind.FRESH_LINK:
        reason = _why_no_debt(facts) or _why_in_dispute(facts)
    elif facts.kind is MailKind.RECOVERED:
        reason = None if facts.case_state is CaseState.RECOVERED else Reason.NOT_RECOVERED
    else:
        reason = _why_not_tell_of_change(facts)
    late = now > facts.due_at + SENSIBLE_FOR[facts.kind]
    return reason or _why_not_reachable(facts) or (Reason.STALE if late else None)


def _why_no_debt(facts: Situation) -> Reason | None:
    if facts.case_state is CaseState.RECOVERED or facts.invoice_status == "paid":
        return Reason.PAID
    if facts.case_state is CaseState.CLOSED or facts.invoice_status != "open":
        return Reason.STOPPED
    return None


def _why_in_dispute(facts: Situation) -> Reason | None:
    return Reason.DISPUTE if any(hold.kind is HoldKind.DISPUTE for hold in facts.holds) else None


def _why_not_chase(facts: Situation, now: datetime) -> Reason | None:
    if facts.final_action in (FinalActionState.INTENDED, FinalActionState.DONE):
        return Reason.ENDED
    if _why_in_dispute(facts):
        return Reason.DISPUTE
    if facts.named_at is not None and now < facts.named_at + QUIET_BETWEEN_MAILS:
        return Reason.NAMED_ELSEWHERE
    return Reason.HELD if any(hold.until is None for hold in facts.holds) else None


def _why_not_tell_of_change(facts: Situation) -> Reason | None:
    if facts.final_action not in _SAID_BY_SNAPSHOT:
        return Reason.NOTHING_CHANGED
    was_told = facts.told_at is not None and (facts.changed_at is None or facts.told_at >= facts.changed_at)
    return Reason.ALREADY_TOLD if was_told else None


def _why_not_reachable(facts: Situation) -> Reason | None:
    if facts.connection_status is ConnectionStatus.DISCONNECTED:
        return Reason.DISCONNECTED
    if facts.is_customer_deleted:
        return Reason.CUSTOMER_DELETED
    if not facts.address:
        return Reason.NO_ADDRESS
    if not is_address(facts.address):
        return Reason.INVALID_ADDRESS
    return Reason.SUPPRESSED if facts.is_suppressed else None


def _waits(facts: Situation, now: datetime) -> list[Later]:
    waits = []
    if facts.connection_status is ConnectionStatus.BROKEN:
        # What we know of the invoice may be old: better late than asking for money that has come.
        waits.append(Later(now + WAIT_FOR_CONNECTION, Reason.CONNECTION_BROKEN))
    if facts.kind in CHASING:
        waits += [Later(hold.until, Reason.HELD) for hold in facts.holds if hold.until is not None]
        if facts.case_state is CaseState.CHARGING:
            waits.append(Later(now + WAIT_FOR_CHARGE, Reason.CHARGING))
    if facts.kind not in PROMPT and facts.last_written_at is not None:
        waits.append(Later(facts.last_written_at + QUIET_BETWEEN_MAILS, Reason.WRITTEN_TO_RECENTLY))
    return waits
