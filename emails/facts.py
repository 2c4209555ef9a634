"""What a mail may know about a case. Plain values only: no record, no state, no clock.

The caller decides who is written to and when; these facts decide only what the letter can truthfully say.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from app.errors import RecoupError
from app.money import Money


class UnsafeLink(RecoupError):
    """A link that must not stand in a mail: neither https nor http with a host."""


class NaiveMoment(RecoupError):
    """A moment without a time zone; a mail cannot tell the customer which day that is."""


class DeclineReason(StrEnum):
    """As much of the decline as the customer may be told. Lost, stolen and suspected fraud are all `bank_declined`."""

    NO_FUNDS = "no_funds"
    BANK_DECLINED = "bank_declined"
    DETAILS_OUTDATED = "details_outdated"
    TEMPORARY = "temporary"
    NEEDS_APPROVAL = "needs_approval"
    UNKNOWN = "unknown"


class FinalAction(StrEnum):
    """How the subscription ends when nothing helped; the same words as the case's own final actions."""

    CANCEL_NOW = "cancel_now"
    CANCEL_AT_PERIOD_END = "cancel_at_period_end"
    DOWNGRADE = "downgrade"
    PAUSE = "pause"
    MARK_UNCOLLECTIBLE = "mark_uncollectible"
    LEAVE = "leave"


@dataclass(frozen=True)
class Merchant:
    """Who writes. A brand colour that is not `#rgb` or `#rrggbb`, and a logo, page with answers (`support_url`) or
    website that is no http(s) link, are left out of the mail: a mistyped colour is no reason to keep a customer
    uninformed."""

    name: str
    support_email: str | None = None
    support_url: str | None = None
    brand_color: str | None = None
    logo_url: str | None = None
    postal_address: str | None = None
    website: str | None = None


@dataclass(frozen=True)
class Owed:
    """One open invoice: what is still due on it, its number, and what it is for."""

    amount: Money
    invoice_number: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Card:
    """The card that was tried, as far as anyone may see it; `brand` is Stripe's word (`visa`, `unknown`). The month it
    expires in (1 to 12, and a year of four digits) is said only by the mail about that."""

    brand: str
    last4: str
    exp_month: int | None = None
    exp_year: int | None = None


@dataclass(frozen=True)
class MailFacts:
    """Everything a mail may say. Only the merchant and the link are needed; each missing fact shortens the letter.

    `locale` is BCP 47 (`fr-CA`), `timezone` IANA (`Europe/Paris`), all moments aware. `amounts` is what is owed (or was
    paid, in `recovered`). `product_name` is what the invoice billed; where the debt is no subscription's
    (`is_about_subscription`), texts speak of the invoice by its number. `final_action_at` is when the final action is
    due, or was done in `subscription_changed`.
    `access_until` is set only where access is promised until then. `has_debt_left` says whether the invoice can still
    be paid after the final action, `is_debt_dropped` that it was voided or written off with it; `resumes_at` is when a
    pause ends by itself. `promised_for` is the day that the customer chose to pay on, `invoice_due_at` when
    an invoice that is paid by hand is due, `next_charge_at` when a card is charged next that is about to expire.
    `unsubscribe_url` stops the mails that may be stopped; it stands small under the mail.

    Raises UnsafeLink for a `pay_url`, `receipt_url` or `unsubscribe_url` that is no http(s) link, and NaiveMoment.
    """

    merchant: Merchant
    pay_url: str
    amounts: tuple[Owed, ...] = ()
    customer_first_name: str | None = None
    locale: str = "en"
    timezone: str = "UTC"
    decline_reason: DeclineReason = DeclineReason.UNKNOWN
    card: Card | None = None
    product_name: str | None = None
    invoice_number: str | None = None
    is_about_subscription: bool = True
    next_attempt_at: datetime | None = None
    final_action: FinalAction | None = None
    final_action_at: datetime | None = None
    downgrade_to: str | None = None
    period_ends_at: datetime | None = None
    access_until: datetime | None = None
    has_debt_left: bool = True
    is_debt_dropped: bool = False
    is_restored: bool = False
    resumes_at: datetime | None = None
    paid_at: datetime | None = None
    receipt_url: str | None = None
    promised_for: datetime | None = None
    invoice_due_at: datetime | None = None
    next_charge_at: datetime | None = None
    unsubscribe_url: str | None = None

    def __post_init__(self) -> None:
        for link in (self.pay_url, self.receipt_url, self.unsubscribe_url):
            if link is not None and not is_web_link(link):
                raise UnsafeLink("a mail links to http(s) pages only; check the public URL and the receipt link")
        for name, value in vars(self).items():
            if isinstance(value, datetime) and value.tzinfo is None:
                raise NaiveMoment(f"{name} has no time zone; pass an aware datetime")


def is_web_link(link: str | None) -> bool:
    """Whether `link` is an absolute http or https address without blanks."""
    if not link or any(character.isspace() for character in link):
        return False
    parts = urlsplit(link)
    return parts.scheme in ("http", "https") and bool(parts.netloc)
