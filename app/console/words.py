"""Stored words in plain English: a label, and a sentence that says what it means. No rule is decided here."""

from enum import StrEnum

from app.accounts import conflicts
from app.campaigns.words import EVENTS
from app.cards import brand_name
from app.vocabulary import (
    ApiScope,
    AttemptSource,
    AttemptState,
    CaseOrigin,
    CaseState,
    ConflictKind,
    ConnectionMode,
    ConnectionStatus,
    DebtAfterwards,
    Enforcement,
    EntryKind,
    ErrandKind,
    ErrandState,
    EventOrigin,
    FinalActionKind,
    FinalActionState,
    FindingKind,
    HoldKind,
    InboxState,
    MessageState,
    PastOutcome,
    RecoveredBy,
    RehearsalState,
    Role,
    StepKind,
    StepState,
    StopReason,
)

STEP_EVENTS = EVENTS  # what a campaign's mail may answer

# By class first: members of different classes that are stored as the same word are equal to Python.
LABELS: dict[type[StrEnum], dict[StrEnum, str]] = {
    CaseState: {
        CaseState.WAITING: "Waiting",
        CaseState.CHARGING: "Charging",
        CaseState.NEEDS_CUSTOMER: "Needs customer",
        CaseState.RECOVERED: "Recovered",
        CaseState.EXHAUSTED: "Exhausted",
        CaseState.CLOSED: "Closed",
    },
    RecoveredBy: {
        RecoveredBy.RETRY: "Our retry",
        RecoveredBy.NEW_CARD: "New card",
        RecoveredBy.AUTHENTICATION: "3-D Secure approval",
        RecoveredBy.STRIPE_RETRY: "Stripe's own retry",
        RecoveredBy.CUSTOMER: "Customer, elsewhere",
        RecoveredBy.OUT_OF_BAND: "Paid outside Stripe",
    },
    StopReason: {
        StopReason.VOIDED: "Invoice voided",
        StopReason.UNCOLLECTIBLE: "Marked uncollectible",
        StopReason.CANCELLED: "Subscription cancelled",
        StopReason.CUSTOMER_DELETED: "Customer deleted",
        StopReason.OPERATOR: "Stopped by hand",
    },
    ConnectionMode: {
        ConnectionMode.OBSERVE: "Observe",
        ConnectionMode.DRIVE: "Drive",
    },
    Enforcement: {
        Enforcement.ENFORCE: "Take each invoice from Stripe",
        Enforcement.WARN: "Only point it out",
    },
    ConflictKind: conflicts.TITLES,
    ConnectionStatus: {
        ConnectionStatus.ACTIVE: "Active",
        ConnectionStatus.BROKEN: "Broken",
        ConnectionStatus.DISCONNECTED: "Disconnected",
    },
    InboxState: {
        InboxState.RECEIVED: "Not handled yet",
        InboxState.HANDLED: "Handled",
        InboxState.PARKED: "Parked",
    },
    EventOrigin: {
        EventOrigin.WEBHOOK: "Sent by Stripe",
        EventOrigin.RECONCILE: "Fetched, because it never arrived",
    },
    CaseOrigin: {
        CaseOrigin.FAILURE: "A payment that failed",
        CaseOrigin.OLD_DEBT: "A debt from before the connection",
    },
    ErrandKind: {
        ErrandKind.RECONCILE: "Looking for what was missed",
        ErrandKind.BACKFILL: "Reading the past",
        ErrandKind.OLD_DEBTS: "Opening cases for old debts",
        ErrandKind.NOTICES: "Looking for what is due soon",
    },
    PastOutcome: {
        PastOutcome.PAID: "Paid",
        PastOutcome.OPEN: "Open",
        PastOutcome.WRITTEN_OFF: "Written off",
        PastOutcome.VOIDED: "Voided",
    },
    ErrandState: {
        ErrandState.RUNNING: "Under way",
        ErrandState.DONE: "Done",
        ErrandState.FAILED: "Ended early",
    },
    RehearsalState: {
        RehearsalState.RUNNING: "Playing",
        RehearsalState.DONE: "Done",
        RehearsalState.FAILED: "Failed",
        RehearsalState.CANCELLED: "Cancelled",
    },
    FindingKind: {
        FindingKind.MISSED_EVENT: "Event that never arrived",
        FindingKind.FAILURE_WITHOUT_CASE: "Failure without a case",
        FindingKind.INVOICE_CHANGED: "Invoice changed unheard",
        FindingKind.INVOICE_ENDED: "Invoice no longer open",
        FindingKind.INVOICE_GONE: "Invoice gone from Stripe",
        FindingKind.ENDPOINT: "Webhook endpoint",
    },
    StepKind: {
        StepKind.SWITCH: "Change who retries",
        StepKind.TAKE_OVER: "Take over from Stripe",
        StepKind.GIVE_BACK: "Give back to Stripe",
        StepKind.RETRY: "Try the card",
        StepKind.PROMISE: "See whether a promise was kept",
        StepKind.MESSAGE: "Send a mail",
        StepKind.WINDOW_END: "End of the window",
        StepKind.FINAL_ACTION: "Final action",
        StepKind.RESTORE: "Restore the subscription",
    },
    StepState: {
        StepState.PLANNED: "Planned",
        StepState.CLAIMED: "Starting",
        StepState.RUNNING: "Running",
        StepState.DONE: "Done",
        StepState.SKIPPED: "Skipped",
        StepState.CANCELLED: "Cancelled",
        StepState.FAILED: "Failed",
    },
    AttemptSource: {
        AttemptSource.RECOUP: "Recoup",
        AttemptSource.STRIPE: "Stripe",
        AttemptSource.CUSTOMER: "Customer",
        AttemptSource.ELSEWHERE: "Elsewhere",
    },
    AttemptState: {
        AttemptState.CHARGING: "Charging",
        AttemptState.UNKNOWN: "Answer unknown",
        AttemptState.SUCCEEDED: "Succeeded",
        AttemptState.DECLINED: "Declined",
        AttemptState.REQUIRES_ACTION: "Needs approval",
        AttemptState.REFUSED: "Refused",
    },
    MessageState: {
        MessageState.PLANNED: "Planned",
        MessageState.CLAIMED: "Sending",
        MessageState.ACCEPTED: "Accepted",
        MessageState.DELIVERED: "Delivered",
        MessageState.BOUNCED: "Bounced",
        MessageState.SKIPPED: "Skipped",
        MessageState.FAILED: "Failed",
        MessageState.UNKNOWN: "Answer unknown",
    },
    HoldKind: {
        HoldKind.SNOOZE: "Snoozed",
        HoldKind.PROMISE: "Promised to pay",
        HoldKind.DISPUTE: "In dispute",
    },
    FinalActionKind: {
        FinalActionKind.CANCEL_NOW: "Cancel the subscription now",
        FinalActionKind.CANCEL_AT_PERIOD_END: "Cancel at the end of the period",
        FinalActionKind.DOWNGRADE: "Downgrade",
        FinalActionKind.PAUSE: "Pause the subscription",
        FinalActionKind.MARK_UNCOLLECTIBLE: "Mark the invoice uncollectible",
        FinalActionKind.LEAVE: "Leave the subscription as it is",
    },
    FinalActionState: {
        FinalActionState.INTENDED: "Under way",
        FinalActionState.DONE: "Done",
        FinalActionState.SKIPPED: "Skipped",
        FinalActionState.RESTORED: "Undone after a late payment",
    },
    DebtAfterwards: {
        DebtAfterwards.KEEP: "keep the invoice open",
        DebtAfterwards.VOID: "void the invoice",
        DebtAfterwards.MARK_UNCOLLECTIBLE: "mark the invoice uncollectible",
    },
    EntryKind: {
        EntryKind.FACT: "Fact",
        EntryKind.DECISION: "Decision",
        EntryKind.ACTION: "Action",
        EntryKind.NOTE: "Note",
    },
    ApiScope: {
        ApiScope.READ: "Read",
        ApiScope.WRITE: "Write",
    },
    Role: {
        Role.OWNER: "Owner",
        Role.MEMBER: "Member",
        Role.ANALYST: "Analyst",
    },
}

MEANINGS: dict[type[StrEnum], dict[StrEnum, str]] = {
    CaseState: {
        CaseState.WAITING: "The payment failed and the next try is on the calendar.",
        CaseState.CHARGING: "Stripe has our request and has not answered yet. Nothing else may try the card meanwhile.",
        CaseState.NEEDS_CUSTOMER: "Only the customer can go on from here, with a new card or by approving.",
        CaseState.RECOVERED: "The invoice is paid.",
        CaseState.EXHAUSTED: "There are no tries and no time left. A payment still counts and is still welcome.",
        CaseState.CLOSED: "The case ended without a payment. Nothing more is done about it.",
    },
    ConnectionMode: {
        ConnectionMode.OBSERVE: "Stripe retries. Recoup writes to customers and charges at once after a card change.",
        ConnectionMode.DRIVE: "Recoup plans every try. Stripe's own retries must be off.",
    },
    Enforcement: {
        Enforcement.ENFORCE: "Recoup turns automatic collection off on each invoice that it retries (auto_advance).",
        Enforcement.WARN: "Recoup changes nothing at Stripe. What Stripe retries is left to Stripe, and said here.",
    },
    ApiScope: {
        ApiScope.READ: "See cases, customers and whether access should stay.",
        ApiScope.WRITE: "Also hand out payment links and show the notice in your app.",
    },
    ConnectionStatus: {
        ConnectionStatus.ACTIVE: "Recoup can read and charge through this connection.",
        ConnectionStatus.BROKEN: "Stripe refuses the key or a permission. What needs it waits; it is asked hourly.",
        ConnectionStatus.DISCONNECTED: "Recoup was told to leave this account alone.",
    },
}

# How a word is coloured; what is not listed stays neutral.
TONES: dict[type[StrEnum], dict[StrEnum, str]] = {
    CaseState: {
        CaseState.WAITING: "info",
        CaseState.CHARGING: "info",
        CaseState.NEEDS_CUSTOMER: "warn",
        CaseState.RECOVERED: "good",
        CaseState.EXHAUSTED: "bad",
    },
    AttemptState: {
        AttemptState.SUCCEEDED: "good",
        AttemptState.DECLINED: "bad",
        AttemptState.REFUSED: "bad",
        AttemptState.REQUIRES_ACTION: "warn",
        AttemptState.UNKNOWN: "warn",
        AttemptState.CHARGING: "info",
    },
    MessageState: {
        MessageState.DELIVERED: "good",
        MessageState.ACCEPTED: "good",
        MessageState.BOUNCED: "bad",
        MessageState.FAILED: "bad",
        MessageState.UNKNOWN: "warn",
        MessageState.PLANNED: "info",
        MessageState.CLAIMED: "info",
    },
    InboxState: {
        InboxState.PARKED: "bad",
        InboxState.RECEIVED: "info",
    },
    ConnectionStatus: {
        ConnectionStatus.ACTIVE: "good",
        ConnectionStatus.BROKEN: "bad",
    },
    StepState: {
        StepState.PLANNED: "info",
        StepState.CLAIMED: "info",
        StepState.RUNNING: "info",
        StepState.FAILED: "bad",
    },
    ErrandState: {
        ErrandState.RUNNING: "info",
        ErrandState.DONE: "good",
        ErrandState.FAILED: "bad",
    },
    RehearsalState: {
        RehearsalState.RUNNING: "info",
        RehearsalState.DONE: "good",
        RehearsalState.FAILED: "bad",
    },
    FinalActionState: {
        FinalActionState.INTENDED: "info",
        FinalActionState.RESTORED: "good",
    },
    HoldKind: {
        HoldKind.SNOOZE: "warn",
        HoldKind.PROMISE: "info",
        HoldKind.DISPUTE: "bad",
    },
}

# What the bank said, and no advice: what is done about it is the planner's word alone, and stands beside it.
DECLINE_CLASSES: dict[str, tuple[str, str]] = {
    "network_never": ("Never retry", "The card network forbids another try with this card."),
    "hard": ("Card unusable", "The card is closed, lost, stolen or invalid."),
    "authentication": ("Approval needed", "The bank wants the customer to approve the payment (3-D Secure)."),
    "customer_action": ("Customer must act", "A number, a date or a limit is not as the bank has it."),
    "fraud": ("Suspected fraud", "Stripe or the bank suspects fraud. The customer is not told so."),
    "soft_fast": ("Passing trouble", "A technical trouble that is usually gone within hours."),
    "soft_timed": ("No money right now", "The account lacked money or was over a limit."),
    "soft_opaque": ("No reason given", "The bank declined without a usable reason."),
    "merchant_config": ("Set-up problem", "Something is set up wrongly at Stripe; the card is not the cause."),
}

MESSAGE_KINDS = {
    "payment_failed": "Payment failed",
    "action_required": "Approval needed",
    "reminder": "Reminder",
    "fresh_link": "Fresh link, asked for",
    "final_notice": "Final notice",
    "recovered": "Thank you",
    "subscription_changed": "Subscription changed",
    "choice_confirmed": "Choice confirmed",
    "card_expiring": "Card expires soon",
    "promise_confirmed": "Day chosen",
    "promise_broken": "Chosen day passed",
    "invoice_due_soon": "Invoice due soon",
    "invoice_due": "Invoice due",
    "invoice_overdue": "Invoice overdue",
}


def label(word: StrEnum | str | None) -> str:
    """What people call `word`; a word that is only stored as text is shown with its underscores gone."""
    if word is None:
        return "–"
    if isinstance(word, StrEnum):
        return LABELS[type(word)][word]
    return MESSAGE_KINDS.get(word) or word.replace("_", " ").replace(".", " · ").capitalize()


def payment_method(kind: str, brand: str | None) -> str:
    """A card by its brand as that writes itself, everything else by what it is."""
    return brand_name(brand) or label(kind)


def meaning(word: StrEnum) -> str:
    """One sentence on `word`, empty where the label says it all."""
    return MEANINGS.get(type(word), {}).get(word, "")


def tone(word: StrEnum) -> str:
    """The colour class of `word`'s badge."""
    return TONES.get(type(word), {}).get(word, "plain")


def decline(decline_class: str | None) -> tuple[str, str]:
    """Label and meaning of a decline class."""
    if decline_class is None:
        return "Not known yet", "No decline has been read for this case yet."
    return DECLINE_CLASSES.get(decline_class, (label(decline_class), ""))
