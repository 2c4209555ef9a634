"""Why a mail does not go, and why an address is not written to: the words that are stored and shown. Names only."""

from enum import StrEnum


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
    PROMISE_OVER = "promise_over"
    CHARGING = "charging"
    IN_RECOVERY = "in_recovery"
    CARD_IS_GOOD = "card_is_good"
    NO_LONGER_DUE = "no_longer_due"
    SWITCHED_OFF = "switched_off"
    NO_ADDRESS = "no_address"
    INVALID_ADDRESS = "invalid_address"
    NO_LONGER_A_CONTACT = "no_longer_a_contact"
    SUPPRESSED = "suppressed"
    UNSUBSCRIBED = "unsubscribed"
    CUSTOMER_DELETED = "customer_deleted"
    DISCONNECTED = "disconnected"
    CONNECTION_BROKEN = "connection_broken"
    WRITTEN_TO_RECENTLY = "written_to_recently"
    ENOUGH_THIS_WEEK = "enough_this_week"
    QUIET_HOURS = "quiet_hours"
    NAMED_ELSEWHERE = "named_elsewhere"
    STALE = "stale"


class SuppressedBecause(StrEnum):
    """Why an address is not written to."""

    BOUNCED = "bounced"
    INVALID = "invalid"
    SPAM_REPORT = "spam_report"
    UNSUBSCRIBED = "unsubscribed"
    OPERATOR = "operator"
