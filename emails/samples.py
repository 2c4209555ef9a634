"""Every mail in every state it can be in, about invented customers: for pictures, previews and tests that want one of
each. Refuses to know real customers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from app.money import Money
from emails import kinds
from emails.facts import Card, DeclineReason, FinalAction, MailFacts, Merchant, Owed
from emails.layout import lay_out
from emails.letter import Letter, Voice
from emails.locales import FALLBACK, language_for
from emails.parts import ENDINGS, REVERSIBLE
from emails.wording import OwnTexts

MERCHANT = Merchant(
    name="Fernweh Studio",
    support_email="help@fernweh.example",
    support_url="https://fernweh.example/help",
    brand_color="#0f766e",
    postal_address="Torstraße 1, 10119 Berlin",
    website="https://fernweh.example/",
)
WRITTEN_AT = datetime(2026, 3, 24, 9, 5, tzinfo=UTC)
# What people pay where the language is at home; a first name as mails greet it, zone and currency.
_PEOPLE = {
    "ar": ("سارة", "Asia/Dubai", Money(18900, "aed")),
    "de": ("Jana", "Europe/Berlin", Money(4900, "eur")),
    "en": ("Ana", "America/New_York", Money(4900, "usd")),
    "es": ("Lucía", "Europe/Madrid", Money(124900, "eur")),
    "fr": ("Chloé", "Europe/Paris", Money(124900, "eur")),
    "it": ("Giulia", "Europe/Rome", Money(4900, "eur")),
    "ja": (None, "Asia/Tokyo", Money(4900, "jpy")),
    "nl": ("Sanne", "Europe/Amsterdam", Money(4900, "eur")),
    "pl": ("Zofia", "Europe/Warsaw", Money(124900, "pln")),
    "pt-BR": ("Beatriz", "America/Sao_Paulo", Money(24900, "brl")),
    "sv": ("Elsa", "Europe/Stockholm", Money(149900, "sek")),
    "zh-Hans": (None, "Asia/Shanghai", Money(19900, "cny")),
}
_RETRIED = (DeclineReason.NO_FUNDS, DeclineReason.BANK_DECLINED, DeclineReason.TEMPORARY, DeclineReason.UNKNOWN)


@dataclass(frozen=True)
class Sample:
    """One mail in one state: a kind, what the state is called, the facts."""

    kind: str
    state: str
    facts: MailFacts


def samples(
    locale: str = FALLBACK, merchant: Merchant = MERCHANT, written_at: datetime = WRITTEN_AT
) -> tuple[Sample, ...]:
    """Every kind in every state for an invented customer of this BCP 47 locale, as if written at that moment."""
    facts = _customer(locale, merchant, written_at)
    return tuple(_states(facts, written_at))


@lru_cache
def texts_of(kind: str) -> tuple[str, ...]:
    """The keys of the texts that a mail of this kind is made of, in the order they are said, whatever its state.

    Plural texts are named without their forms. Raises KeyError for a kind that does not exist.
    """
    generate = kinds[kind]
    return tuple(dict.fromkeys(key for each in samples() if each.kind == kind for key in _heard(each, generate)))


def texts_in(sample: Sample) -> tuple[str, ...]:
    """The keys of the texts that one mail in one state is made of, in the order they are said.

    Plural texts are named without their forms.
    """
    return tuple(dict.fromkeys(_heard(sample, kinds[sample.kind])))


def _heard(sample: Sample, generate: Callable[[Voice], Letter]) -> list[str]:
    heard = _Heard()
    voice = Voice(sample.facts, heard)
    lay_out(generate(voice), voice)
    return heard.keys


class _Heard(OwnTexts):
    """Has no texts, but remembers which were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []

    def find(self, language: str, key: str, form: str | None, known: frozenset[str]) -> str | None:
        self.keys.append(key)
        return super().find(language, key, form, known)


def _customer(locale: str, merchant: Merchant, written_at: datetime) -> MailFacts:
    name, zone, money = _PEOPLE[language_for(locale)]
    return MailFacts(
        merchant=merchant,
        pay_url="https://recoup.example/pay/sample",
        amounts=(Owed(money, "FW-0042", "Fernweh Pro"),),
        customer_first_name=name,
        locale=locale,
        timezone=zone,
        card=Card("visa", "4242", 3, 2026),
        product_name="Fernweh Pro",
        invoice_number="FW-0042",
        final_action_at=written_at + timedelta(days=8),
        period_ends_at=written_at + timedelta(days=37),
        downgrade_to="Fernweh Free",
    )


def _states(facts: MailFacts, now: datetime) -> Iterator[Sample]:
    yield from _first_mails(facts, now)
    yield from _reminders(facts, now)
    yield from _ends(facts, now)
    yield from _promises(facts, now)
    yield from _notices(facts, now)


def _first_mails(facts: MailFacts, now: datetime) -> Iterator[Sample]:
    later = now + timedelta(days=3)
    for reason in DeclineReason:
        retry = later if reason in _RETRIED else None
        yield Sample("payment_failed", reason.value, replace(facts, decline_reason=reason, next_attempt_at=retry))
    one_off: dict[str, Any] = {"is_about_subscription": False, "product_name": None, "final_action_at": None}
    own = facts.amounts[0]
    yield Sample("payment_failed", "one_off", replace(facts, **one_off, amounts=(replace(own, description=None),)))
    yield Sample("action_required", "asked", facts)
    yield Sample("fresh_link", "asked", facts)


def _reminders(facts: MailFacts, now: datetime) -> Iterator[Sample]:
    later = now + timedelta(days=3)
    for reason in DeclineReason:
        retry = later if reason in _RETRIED else None
        yield Sample("reminder", reason.value, replace(facts, decline_reason=reason, next_attempt_at=retry))
    known = replace(facts, next_attempt_at=later, unsubscribe_url="https://recoup.example/stop/sample")
    for action in sorted(ENDINGS):
        yield Sample("reminder", f"before_{action}", replace(known, final_action=action))
    bills = tuple(Owed(facts.amounts[0].amount, f"FW-00{number}", "Fernweh Pro") for number in range(42, 53))
    yield Sample("reminder", "several", replace(known, amounts=bills[:4], final_action=FinalAction.PAUSE))
    yield Sample("reminder", "many", replace(known, amounts=bills, final_action=FinalAction.PAUSE))


def _ends(facts: MailFacts, now: datetime) -> Iterator[Sample]:
    for action in FinalAction:
        known = replace(facts, final_action=action, decline_reason=DeclineReason.BANK_DECLINED)
        lasts = facts.period_ends_at if action is FinalAction.CANCEL_AT_PERIOD_END else None
        last_days = replace(known, access_until=lasts, next_attempt_at=now + timedelta(days=6))
        yield Sample("final_notice", action.value, last_days)
        yield Sample("subscription_changed", action.value, known)
    paid = replace(facts, paid_at=facts.final_action_at, receipt_url="https://recoup.example/receipt/sample")
    yield Sample("subscription_changed", "restored", replace(paid, is_restored=True))
    yield Sample("recovered", "paid", paid)
    yield from _choices(facts, now)


def _choices(facts: MailFacts, now: datetime) -> Iterator[Sample]:
    """What was chosen instead of paying; the debt is kept or dropped by the offer."""
    done = replace(facts, final_action_at=now, resumes_at=now + timedelta(days=61))
    for action in sorted(REVERSIBLE):
        yield Sample("choice_confirmed", action.value, replace(done, final_action=action))
    dropped = replace(done, final_action=FinalAction.CANCEL_NOW, has_debt_left=False, is_debt_dropped=True)
    yield Sample("choice_confirmed", "cancel_now", dropped)
    undone = replace(done, final_action=FinalAction.PAUSE, has_debt_left=False, is_restored=True)
    yield Sample("choice_confirmed", "undone", undone)


def _promises(facts: MailFacts, now: datetime) -> Iterator[Sample]:
    day = now + timedelta(days=3)
    ended = replace(facts, final_action=FinalAction.CANCEL_NOW, decline_reason=DeclineReason.NO_FUNDS)
    yield Sample("promise_confirmed", "tried", replace(ended, promised_for=day, next_attempt_at=day))
    yield Sample("promise_confirmed", "awaited", replace(ended, promised_for=day))
    yield Sample("promise_broken", "open", replace(ended, promised_for=now - timedelta(days=1), next_attempt_at=day))


def _notices(facts: MailFacts, now: datetime) -> Iterator[Sample]:
    yield Sample("card_expiring", "soon", replace(facts, amounts=(), next_charge_at=now + timedelta(days=14)))
    by_hand = replace(facts, card=None, final_action_at=None, is_about_subscription=False, product_name=None)
    bills = tuple(replace(facts.amounts[0], invoice_number=f"FW-00{number}") for number in (42, 47, 51))
    for kind, days in (("invoice_due_soon", 3), ("invoice_due", 0), ("invoice_overdue", -6)):
        due = replace(by_hand, invoice_due_at=now + timedelta(days=days))
        way_out = None if kind == "invoice_due" else "https://recoup.example/stop/sample"
        yield Sample(kind, "open", replace(due, unsubscribe_url=way_out))
        yield Sample(kind, "several", replace(due, amounts=bills, unsubscribe_url=way_out))
