"""The words of the field as Recoup stores them. Only names live here: no rule, no database, no input or output."""

from enum import StrEnum


class CaseState(StrEnum):
    """Where the money of one unpaid invoice is, and nothing else."""

    WAITING = "waiting"
    CHARGING = "charging"
    NEEDS_CUSTOMER = "needs_customer"
    RECOVERED = "recovered"
    EXHAUSTED = "exhausted"
    CLOSED = "closed"


class Fact(StrEnum):
    """What can happen to a case."""

    RETRY_DUE = "retry_due"
    DECLINED = "declined"
    DEAD_CARD = "dead_card"
    NEW_CARD = "new_card"
    OUT_OF_ROAD = "out_of_road"
    PAID = "paid"
    STOPPED = "stopped"
    TAKEN_UP = "taken_up"


class RecoveredBy(StrEnum):
    """The one cause a recovery is credited to: the last thing that happened before the money came."""

    RETRY = "retry"
    NEW_CARD = "new_card"
    AUTHENTICATION = "authentication"
    STRIPE_RETRY = "stripe_retry"
    CUSTOMER = "customer"
    OUT_OF_BAND = "out_of_band"


class StopReason(StrEnum):
    """Why a case was closed without money. `voided` withdraws the debt; the others lose it."""

    VOIDED = "voided"
    UNCOLLECTIBLE = "uncollectible"
    CANCELLED = "cancelled"
    CUSTOMER_DELETED = "customer_deleted"
    OPERATOR = "operator"


class ConnectionMode(StrEnum):
    """Who retries the card: Stripe (`observe`) or Recoup (`drive`). Never both."""

    OBSERVE = "observe"
    DRIVE = "drive"


class Enforcement(StrEnum):
    """What is done in drive about an invoice that Stripe would retry: taken from it, or only pointed out."""

    ENFORCE = "enforce"
    WARN = "warn"


class ConflictKind(StrEnum):
    """In what way two engines, or none, work on the same payments."""

    STRIPE_PLANS_TRY = "stripe_plans_try"
    STRIPE_TRIED = "stripe_tried"
    NOBODY_RETRIES = "nobody_retries"
    STRIPE_ENDS_FIRST = "stripe_ends_first"
    STRIPE_MAILS = "stripe_mails"
    ANOTHER_RECOUP = "another_recoup"


class ConnectionStatus(StrEnum):
    ACTIVE = "active"
    BROKEN = "broken"
    DISCONNECTED = "disconnected"


class InboxState(StrEnum):
    RECEIVED = "received"
    HANDLED = "handled"
    PARKED = "parked"


class EventOrigin(StrEnum):
    """How an event came in: sent by Stripe, or fetched because it never arrived."""

    WEBHOOK = "webhook"
    RECONCILE = "reconcile"


class CaseOrigin(StrEnum):
    """Why a case was begun: a payment failed, or a debt from before Recoup knew of it is taken up now."""

    FAILURE = "failure"
    OLD_DEBT = "old_debt"


class ErrandKind(StrEnum):
    """Long work at Stripe: looking for what was missed, reading the past, opening cases for old debts, and looking for
    what customers should hear before anything fails."""

    RECONCILE = "reconcile"
    BACKFILL = "backfill"
    OLD_DEBTS = "old_debts"
    NOTICES = "notices"


class ErrandState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class RehearsalState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class FindingKind(StrEnum):
    """In what way Recoup and Stripe had drifted apart."""

    MISSED_EVENT = "missed_event"
    FAILURE_WITHOUT_CASE = "failure_without_case"
    INVOICE_CHANGED = "invoice_changed"
    INVOICE_ENDED = "invoice_ended"
    INVOICE_GONE = "invoice_gone"
    ENDPOINT = "endpoint"


class PastOutcome(StrEnum):
    """What had become of a past failure when it was read; `open` ones may still be paid."""

    PAID = "paid"
    OPEN = "open"
    WRITTEN_OFF = "written_off"
    VOIDED = "voided"


class EventKind(StrEnum):
    SNAPSHOT = "snapshot"
    THIN = "thin"


class StepKind(StrEnum):
    SWITCH = "switch"
    TAKE_OVER = "take_over"
    GIVE_BACK = "give_back"
    RETRY = "retry"
    PROMISE = "promise"
    MESSAGE = "message"
    WINDOW_END = "window_end"
    FINAL_ACTION = "final_action"
    RESTORE = "restore"


class StepState(StrEnum):
    PLANNED = "planned"
    CLAIMED = "claimed"
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    FAILED = "failed"


class AttemptSource(StrEnum):
    """Who asked Stripe for the charge."""

    RECOUP = "recoup"
    STRIPE = "stripe"
    CUSTOMER = "customer"
    ELSEWHERE = "elsewhere"


class AttemptState(StrEnum):
    """`charging` and `unknown` are open: Stripe may yet have charged."""

    CHARGING = "charging"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    REQUIRES_ACTION = "requires_action"
    REFUSED = "refused"


class MessageState(StrEnum):
    PLANNED = "planned"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"


class HoldKind(StrEnum):
    SNOOZE = "snooze"
    PROMISE = "promise"
    DISPUTE = "dispute"


class FinalActionKind(StrEnum):
    CANCEL_NOW = "cancel_now"
    CANCEL_AT_PERIOD_END = "cancel_at_period_end"
    DOWNGRADE = "downgrade"
    PAUSE = "pause"
    MARK_UNCOLLECTIBLE = "mark_uncollectible"
    LEAVE = "leave"


class FinalActionState(StrEnum):
    INTENDED = "intended"
    DONE = "done"
    SKIPPED = "skipped"
    RESTORED = "restored"


class DebtAfterwards(StrEnum):
    """What becomes of the open invoice once the final action is taken (a downgrade does not remove the debt)."""

    KEEP = "keep"
    VOID = "void"
    MARK_UNCOLLECTIBLE = "mark_uncollectible"


class EntryKind(StrEnum):
    FACT = "fact"
    DECISION = "decision"
    ACTION = "action"
    NOTE = "note"


class ApiScope(StrEnum):
    """What a key to the JSON API may do."""

    READ = "read"
    WRITE = "write"


class Role(StrEnum):
    OWNER = "owner"
    MEMBER = "member"
    ANALYST = "analyst"


ENDED_SUBSCRIPTIONS = frozenset({"canceled", "incomplete_expired"})
"""Stripe's states of a subscription to which nothing can be done any more."""

OPEN_CASE_STATES = (CaseState.WAITING, CaseState.CHARGING, CaseState.NEEDS_CUSTOMER)
OPEN_STEP_STATES = (StepState.PLANNED, StepState.CLAIMED, StepState.RUNNING)
OPEN_ATTEMPT_STATES = (AttemptState.CHARGING, AttemptState.UNKNOWN)
