"""Which notice is due of a card or an invoice that nothing has failed with yet, and whether it is still true. Pure.

A card is good through the last day of its month, so it will not do for a charge in a later month; Stripe and the card
networks renew most cards by themselves, so nothing is said early (facts: 14 days before), and nothing at all about a
card that has been renewed by then.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Annotated

from pydantic import Field

from app.campaigns.strict import Strict
from app.messages.cadence import MailKind
from app.messages.words import Reason

CHARGED = ("active", "trialing")
BY_HAND = "send_invoice"
_WINDOW = timedelta(days=2)
"""For so long after its moment a notice is still begun; a clock that stood longer begins none that is stale."""

_A_DAY = timedelta(days=1)


class NoticeSettings(Strict):
    """What customers hear before anything fails. Days count from the charge or the due date; no days, no mail."""

    card_expiring: bool = True
    card_days: int = Field(14, ge=1, le=45)
    invoices: bool = True
    due_soon_days: int = Field(3, ge=0, le=30)
    on_due_date: bool = True
    overdue_days: tuple[Annotated[int, Field(ge=1, le=90)], ...] = Field((3, 10), max_length=6)


@dataclass(frozen=True)
class CardInUse:
    """A card that a subscription charges next at `charged_at`. `exp_month` counts from 1."""

    exp_month: int | None
    exp_year: int | None
    charged_at: datetime | None
    subscription_status: str
    is_ending: bool = False
    is_paused: bool = False
    is_by_hand: bool = False
    has_open_case: bool = False


@dataclass(frozen=True)
class InvoiceByHand:
    """An invoice that its customer, who lives in `zone`, pays by hand until `due_at`; amounts in minor units."""

    status: str
    amount_remaining: int
    due_at: datetime | None
    zone: tzinfo = UTC
    is_by_hand: bool = True
    has_case: bool = False


@dataclass(frozen=True)
class DueNotice:
    """A notice to begin now. `key` is its own for ever; `due_at` is when it should go."""

    kind: MailKind
    key: str
    due_at: datetime


def expires_at(year: int, month: int) -> datetime:
    """The first moment at which a card of that month is good no more, on a clock in UTC."""
    return datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


def card_notice(card: CardInUse, settings: NoticeSettings, now: datetime) -> DueNotice | None:
    """The notice that a card is about to expire, once its moment has come; its key names the charge and the card."""
    if why_card_is_no_news(card, settings, now) or card.charged_at is None:
        return None
    due_at = card.charged_at - timedelta(days=settings.card_days)
    if now < due_at:
        return None
    key = f"card_expiring:{card.charged_at:%Y-%m-%d}:{card.exp_year}-{card.exp_month}"
    return DueNotice(MailKind.CARD_EXPIRING, key, max(due_at, now - _WINDOW))


def why_card_is_no_news(card: CardInUse, settings: NoticeSettings, now: datetime) -> Reason | None:
    """Why nothing has to be said of a card (any more); None where it expires before it is charged next."""
    if not settings.card_expiring:
        return Reason.SWITCHED_OFF
    if card.has_open_case:
        return Reason.IN_RECOVERY
    goes_on = card.subscription_status in CHARGED and not (card.is_ending or card.is_paused or card.is_by_hand)
    if not goes_on or card.charged_at is None or card.charged_at <= now:
        return Reason.NO_LONGER_DUE
    if not card.exp_year or not card.exp_month or expires_at(card.exp_year, card.exp_month) > card.charged_at:
        return Reason.CARD_IS_GOOD
    return None


def may_want_notice(invoice: InvoiceByHand, settings: NoticeSettings, now: datetime) -> bool:
    """Whether a notice may be due for an invoice of which nobody has asked yet where its customer lives."""
    is_due_somewhere = invoice.due_at is not None and abs(now - invoice.due_at) <= _A_DAY
    return (is_due_somewhere and settings.on_due_date) or invoice_notice(invoice, settings, now) is not None


def invoice_notice(invoice: InvoiceByHand, settings: NoticeSettings, now: datetime) -> DueNotice | None:
    """The notice that an invoice is due for now: the newest of its moments, unless that is too long ago."""
    if why_invoice_is_no_news(invoice, settings) or invoice.due_at is None:
        return None
    moments = _moments(invoice.due_at, settings, invoice.zone)
    begun = [one for one in moments if one.due_at <= now <= one.due_at + _WINDOW]
    begun = [one for one in begun if not why_kind_is_over(one.kind, invoice.due_at, now, invoice.zone)]
    return max(begun, key=lambda one: one.due_at, default=None)


def why_invoice_is_no_news(invoice: InvoiceByHand, settings: NoticeSettings) -> Reason | None:
    """Why nothing has to be said of an invoice (any more)."""
    if not settings.invoices:
        return Reason.SWITCHED_OFF
    if invoice.status == "paid" or (invoice.status == "open" and invoice.amount_remaining <= 0):
        return Reason.PAID
    if invoice.status != "open":
        return Reason.STOPPED
    if invoice.has_case:
        return Reason.IN_RECOVERY
    return None if invoice.is_by_hand and invoice.due_at else Reason.NO_LONGER_DUE


def why_kind_is_over(kind: MailKind, due_at: datetime | None, now: datetime, zone: tzinfo = UTC) -> Reason | None:
    """Why a notice about an invoice says what is not so any more: "due soon" of what is overdue by now, or "is due" on
    another day than that, on the clock where its reader lives.
    """
    if due_at is None:
        return Reason.NO_LONGER_DUE
    is_over = {
        MailKind.INVOICE_DUE_SOON: now >= due_at,
        MailKind.INVOICE_DUE: now.astimezone(zone).date() != due_at.astimezone(zone).date(),
        MailKind.INVOICE_OVERDUE: now < due_at,
    }
    return Reason.NO_LONGER_DUE if is_over.get(kind, False) else None


def _moments(due_at: datetime, settings: NoticeSettings, zone: tzinfo) -> list[DueNotice]:
    """Every notice of an invoice; the day it is due begins at midnight in the customer's zone."""
    day = f"{due_at:%Y-%m-%d}"
    found = []
    if settings.due_soon_days:
        soon = due_at - timedelta(days=settings.due_soon_days)
        found.append(DueNotice(MailKind.INVOICE_DUE_SOON, f"invoice_due_soon:{day}", soon))
    if settings.on_due_date:
        begins = datetime.combine(due_at.astimezone(zone), time(), tzinfo=zone).astimezone(UTC)
        found.append(DueNotice(MailKind.INVOICE_DUE, f"invoice_due:{day}", begins))
    for number, days in enumerate(settings.overdue_days, start=1):
        key = f"invoice_overdue:{number}:{day}"
        found.append(DueNotice(MailKind.INVOICE_OVERDUE, key, due_at + timedelta(days=days)))
    return found
