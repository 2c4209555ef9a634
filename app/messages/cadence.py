"""Whether one mail may go out now: a pure decision from facts. Knows no database, no clock and no wording.

A mail that does not go is `Skip` with a reason that is stored and shown, or `Later` with a reason and a moment.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from app.campaigns.contact import ContactRules
from app.messages import pauses
from app.messages.addresses import is_address
from app.messages.words import Reason, SuppressedBecause
from app.vocabulary import CaseState, ConnectionStatus, FinalActionState, HoldKind

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
    CHOICE_CONFIRMED = "choice_confirmed"
    CARD_EXPIRING = "card_expiring"
    PROMISE_CONFIRMED = "promise_confirmed"
    PROMISE_BROKEN = "promise_broken"
    INVOICE_DUE_SOON = "invoice_due_soon"
    INVOICE_DUE = "invoice_due"
    INVOICE_OVERDUE = "invoice_overdue"


CHASING = frozenset(
    {
        MailKind.PAYMENT_FAILED,
        MailKind.ACTION_REQUIRED,
        MailKind.REMINDER,
        MailKind.FINAL_NOTICE,
        MailKind.PROMISE_BROKEN,
    }
)
"""Mails that ask for money: they stop when it came, when the customer was promised quiet, or when the debt is gone."""

NOTICES = frozenset({MailKind.CARD_EXPIRING, MailKind.INVOICE_DUE_SOON, MailKind.INVOICE_DUE, MailKind.INVOICE_OVERDUE})
"""Mails about no case: what they say of a card or an invoice is looked at again before each leaves."""

ABOUT_DEBT = CHASING | {MailKind.FRESH_LINK}
"""Mails that are about all that a customer owes; a fresh link is not chasing, because its reader asked for it."""

ANSWERS = frozenset(
    {
        MailKind.FRESH_LINK,
        MailKind.RECOVERED,
        MailKind.SUBSCRIPTION_CHANGED,
        MailKind.CHOICE_CONFIRMED,
        MailKind.PROMISE_CONFIRMED,
    }
)
"""Mails that answer something that just happened: they do not wait for the quiet after the last mail."""

ASKED_FOR = frozenset({MailKind.FRESH_LINK, MailKind.CHOICE_CONFIRMED, MailKind.PROMISE_CONFIRMED})
"""Mails whose reader sits before the page that sent them: they do not wait for the morning either."""

CAN_BE_REFUSED = frozenset(
    {
        MailKind.REMINDER,
        MailKind.PROMISE_BROKEN,
        MailKind.CARD_EXPIRING,
        MailKind.INVOICE_DUE_SOON,
        MailKind.INVOICE_OVERDUE,
    }
)
"""Reminders: they say again what was said, or what can wait, and whoever unsubscribes gets none of them. The others
each tell of a change in what somebody has or owes, and go to everybody who can be reached (docs/contact-rules.md)."""

SAID_BY_OTHERS = frozenset({MailKind.PAYMENT_FAILED, MailKind.REMINDER})
"""Mails that a mail about another debt of the same customer stands for, because it names every debt. The others say
something about their own debt that no other mail says: approve it, this is its end, its day has passed."""

SENSIBLE_FOR = {kind: timedelta(days=3) for kind in MailKind} | {
    # Who asked for a link and got none has asked again, or does not want it any more.
    MailKind.FRESH_LINK: timedelta(days=1),
    MailKind.PROMISE_CONFIRMED: timedelta(days=1),
    # Somebody whose plan has changed must hear of it, even if the machine was down for a week.
    MailKind.SUBSCRIPTION_CHANGED: timedelta(days=14),
    # The end waits for this one, and it names the end as it is when it leaves.
    MailKind.FINAL_NOTICE: timedelta(days=14),
    MailKind.CARD_EXPIRING: timedelta(days=10),
    MailKind.INVOICE_DUE_SOON: timedelta(days=2),
}
"""How late a mail may be and still make sense to the one who reads it."""

_SAID_BY_SNAPSHOT = frozenset({FinalActionState.DONE, FinalActionState.RESTORED})


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
class Written:
    """One mail that left to this person, or may have. `is_answer` says that it answered something they did."""

    at: datetime
    is_answer: bool = False


@dataclass(frozen=True)
class Situation:
    """All that the decision rests on. Moments are aware UTC.

    `due_at` is when the mail should have gone; `written` are the other mails to this person in the last days, Stripe's
    own as far as they are known; `zone` is where this person lives. `told_at` is when this case's last other mail of
    the same kind left; `named_at` when a mail about another of the customer's debts last named this one as well;
    `changed_at` when the final action was done or undone. A notice has no case: `untrue` is why there is nothing for
    it to say any more, if so.
    """

    kind: MailKind
    due_at: datetime
    address: str | None
    case_state: CaseState | None = None
    invoice_status: str | None = None
    untrue: Reason | None = None
    rules: ContactRules = field(default_factory=ContactRules)
    zone: tzinfo = UTC
    written: tuple[Written, ...] = ()
    connection_status: ConnectionStatus = ConnectionStatus.ACTIVE
    suppressed: SuppressedBecause | None = None
    is_a_contact: bool = True
    is_customer_deleted: bool = False
    holds: tuple[CurrentHold, ...] = ()
    told_at: datetime | None = None
    named_at: datetime | None = None
    final_action: FinalActionState | None = None
    changed_at: datetime | None = None


def decide(facts: Situation, now: datetime) -> Decision:
    """Send, skip or wait. A mail that would have to wait until it makes no sense any more is skipped at once."""
    why_never = _never(facts, now)
    if why_never:
        return Skip(why_never)
    longest = max(_waits(facts, now), key=lambda wait: wait.until, default=None)
    if longest is None or longest.until <= now:
        longest = None
    wait = _after_the_night(facts, longest, now)
    if wait is None:
        return Send()
    return Skip(wait.reason) if wait.until > facts.due_at + SENSIBLE_FOR[facts.kind] else wait


def _never(facts: Situation, now: datetime) -> Reason | None:
    late = now > facts.due_at + SENSIBLE_FOR[facts.kind]
    return _why_nothing_to_say(facts) or _why_not_reachable(facts) or (Reason.STALE if late else None)


def _why_nothing_to_say(facts: Situation) -> Reason | None:
    match facts.kind:
        case MailKind.FRESH_LINK:
            return _why_no_debt(facts) or _why_in_dispute(facts)
        case MailKind.RECOVERED:
            return None if facts.case_state is CaseState.RECOVERED else Reason.NOT_RECOVERED
        case MailKind.SUBSCRIPTION_CHANGED | MailKind.CHOICE_CONFIRMED:
            return _why_not_tell_of_change(facts)
        case MailKind.PROMISE_CONFIRMED:
            return _why_no_debt(facts) or facts.untrue
        case kind if kind in NOTICES:
            return facts.untrue or _why_held(facts)
    return _why_no_debt(facts) or _why_not_chase(facts)


def _why_no_debt(facts: Situation) -> Reason | None:
    if facts.case_state is CaseState.RECOVERED or facts.invoice_status == "paid":
        return Reason.PAID
    if facts.case_state is CaseState.CLOSED or facts.invoice_status != "open":
        return Reason.STOPPED
    return None


def _why_in_dispute(facts: Situation) -> Reason | None:
    return Reason.DISPUTE if any(hold.kind is HoldKind.DISPUTE for hold in facts.holds) else None


def _why_held(facts: Situation) -> Reason | None:
    endless = any(hold.until is None for hold in facts.holds)
    return _why_in_dispute(facts) or (Reason.HELD if endless else None)


def _why_not_chase(facts: Situation) -> Reason | None:
    if facts.final_action in (FinalActionState.INTENDED, FinalActionState.DONE):
        return Reason.ENDED
    return _why_held(facts) or (Reason.NAMED_ELSEWHERE if _is_said_already(facts) else None)


def _is_said_already(facts: Situation) -> bool:
    """Whether a mail about another debt has said it: since this one was due, or so shortly before that it would have
    to wait for that very mail."""
    if facts.kind not in SAID_BY_OTHERS or facts.named_at is None:
        return False
    return facts.named_at >= facts.due_at - timedelta(hours=facts.rules.gap_hours)


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
    if not facts.is_a_contact:
        return Reason.NO_LONGER_A_CONTACT
    if not facts.address:
        return Reason.NO_ADDRESS
    if not is_address(facts.address):
        return Reason.INVALID_ADDRESS
    if facts.suppressed is SuppressedBecause.UNSUBSCRIBED:
        return Reason.UNSUBSCRIBED if facts.kind in CAN_BE_REFUSED else None
    return Reason.SUPPRESSED if facts.suppressed else None


def _waits(facts: Situation, now: datetime) -> list[Later]:
    waits = []
    if facts.connection_status is ConnectionStatus.BROKEN:
        # What we know of the invoice may be old: better late than asking for money that has come.
        waits.append(Later(now + WAIT_FOR_CONNECTION, Reason.CONNECTION_BROKEN))
    if facts.kind in CHASING | NOTICES:
        waits += [Later(hold.until, Reason.HELD) for hold in facts.holds if hold.until is not None]
        if facts.case_state is CaseState.CHARGING:
            waits.append(Later(now + WAIT_FOR_CHARGE, Reason.CHARGING))
    return waits if facts.kind in ANSWERS else waits + _waits_for_the_person(facts)


def _waits_for_the_person(facts: Situation) -> list[Later]:
    gap = pauses.gap_ends(facts.rules, [one.at for one in facts.written])
    waits = [Later(gap, Reason.WRITTEN_TO_RECENTLY)] if gap else []
    # the end must be announced, however much was written in that week; the gap before it is kept
    if facts.kind is not MailKind.FINAL_NOTICE:
        week = pauses.week_ends(facts.rules, [one.at for one in facts.written if not one.is_answer])
        waits += [Later(week, Reason.ENOUGH_THIS_WEEK)] if week else []
    return waits


def _after_the_night(facts: Situation, wait: Later | None, now: datetime) -> Later | None:
    """The same wait, drawn out to the end of the quiet hours that it would end in."""
    if facts.kind in ASKED_FOR:
        return wait
    at = wait.until if wait else now
    morning = pauses.wakes_at(facts.rules, at, facts.zone)
    if morning == at:
        return wait
    return Later(morning, wait.reason if wait else Reason.QUIET_HOURS)
