"""What the embedded notice says to one customer, from rows: nothing, or one sentence and where it is fixed.

Quiet wherever the mails are quiet: in the silence kept for soft declines, while a hold lasts, for whom the campaign
leaves alone, and while a try or a new card is under way.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from uuid import UUID

import yaml
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.campaigns.definition import SOFT_CLASSES, CampaignDefinition
from app.links import PayLink, make_pay_url
from app.models import (
    ChargeAttempt,
    Connection,
    Customer,
    Invoice,
    Organization,
    RecoveryCase,
    Step,
    SubscriptionSnapshot,
)
from app.recovery import mail_steps, planning
from app.recovery.facts import find_hold
from app.settings import Settings
from app.vocabulary import (
    OPEN_STEP_STATES,
    CaseState,
    ConnectionStatus,
    FinalActionState,
    StepKind,
)
from emails import choose_locale
from emails.locales import FALLBACK, language_of

WORDS = Path(__file__).parent / "translations"
RIGHT_TO_LEFT = frozenset({"ar"})
SPOKEN_OF = (CaseState.WAITING, CaseState.NEEDS_CUSTOMER, CaseState.EXHAUSTED)


class Kind(StrEnum):
    """What there is to say."""

    FAILED = "failed"
    NEEDS_APPROVAL = "needs_approval"
    OPEN = "open"


@dataclass(frozen=True)
class Notice:
    """One notice in one language. `id` stays the same as long as it would say the same of the same payments."""

    id: str
    kind: Kind
    language: str
    direction: str
    text: str
    action: str
    dismiss: str
    url: str


def find_notice(
    session: Session, settings: Settings, stripe_id: str, language: str | None, now: datetime
) -> Notice | None:
    """What to show to the customer called `stripe_id` at Stripe, if anything; in `language` where it is spoken here."""
    query = (
        select(RecoveryCase, Customer)
        .join(Customer, Customer.id == RecoveryCase.customer_id)
        .join(Invoice, Invoice.id == RecoveryCase.invoice_id)
        .join(Connection, Connection.id == RecoveryCase.connection_id)
        .where(Customer.stripe_id == stripe_id, RecoveryCase.state.in_(SPOKEN_OF))
        .where(Invoice.status == "open", Invoice.amount_remaining > 0)
        .where(Connection.status == ConnectionStatus.ACTIVE)
        .order_by(RecoveryCase.failed_at, RecoveryCase.id)
    )
    found = [(case, customer) for case, customer in session.execute(query) if _is_worth_saying(session, case, now)]
    if not found:
        return None
    case, customer = found[0]
    organization = session.get_one(Organization, case.organization_id)
    asked = [language] if language else []
    spoken = language_of(choose_locale([*asked, *customer.locales], organization.default_locale)) or FALLBACK
    return _put(settings, [row for row, _ in found], _kind(case), spoken, now)


def languages() -> list[str]:
    """The languages notices are written in, as BCP 47."""
    return sorted(path.stem for path in WORDS.glob("*.yaml"))


@lru_cache
def texts(language: str) -> dict[str, str]:
    """The words of one language."""
    found: dict[str, str] = yaml.safe_load((WORDS / f"{language}.yaml").read_text(encoding="utf-8"))
    return found


def _put(settings: Settings, cases: list[RecoveryCase], kind: Kind, language: str, now: datetime) -> Notice:
    words, case = texts(language), cases[0]
    link = PayLink(case.organization_id, case.id, case.link_version)
    return Notice(
        id=_mark([row.id for row in cases], kind),
        kind=kind,
        language=language,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        text=words[kind],
        action=words[f"{kind}_action"],
        dismiss=words["dismiss"],
        url=make_pay_url(settings.base_url(), settings.require("secret_key"), link, now),
    )


def _mark(ids: list[UUID], kind: Kind) -> str:
    """Tells one problem from the next without naming it, so that one that was dismissed does not hide another."""
    content = kind.encode() + b"".join(sorted(each.bytes for each in ids))
    return hashlib.sha256(content).hexdigest()[:16]


def _kind(case: RecoveryCase) -> Kind:
    if case.state is CaseState.NEEDS_CUSTOMER and case.customer_reason == "needs_approval":
        return Kind.NEEDS_APPROVAL
    return Kind.OPEN if case.state is CaseState.EXHAUSTED else Kind.FAILED


def _is_worth_saying(session: Session, case: RecoveryCase, now: datetime) -> bool:
    definition = planning.definition_of(session, case)
    return not (
        _is_silent(case, definition, now)
        or _is_under_way(session, case, now)
        or _has_chosen(session, case)
        or find_hold(session, case, now)
        or mail_steps.is_excluded(session, case, definition)
    )


def _is_silent(case: RecoveryCase, definition: CampaignDefinition, now: datetime) -> bool:
    is_soft = case.state is CaseState.WAITING and case.decline_class in SOFT_CLASSES
    return is_soft and now < case.failed_at + timedelta(hours=definition.silent_hours)


def _is_under_way(session: Session, case: RecoveryCase, now: datetime) -> bool:
    """Whether a try is due now, or a card that was given since the last try waits for its own."""
    due = select(Step.id).where(
        Step.case_id == case.id, Step.kind == StepKind.RETRY, Step.state.in_(OPEN_STEP_STATES), Step.due_at <= now
    )
    if session.scalar(due.limit(1)) is not None:
        return True
    if case.new_card_at is None or case.state is not CaseState.WAITING:
        return False
    tried = select(ChargeAttempt.id).where(
        ChargeAttempt.case_id == case.id, ChargeAttempt.started_at >= case.new_card_at
    )
    return session.scalar(tried.limit(1)) is None


def _has_chosen(session: Session, case: RecoveryCase) -> bool:
    """Whether the customer chose a pause, a smaller plan or the end instead: they know, and are not asked again."""
    done = or_(
        SubscriptionSnapshot.state == FinalActionState.DONE, SubscriptionSnapshot.state == FinalActionState.INTENDED
    )
    row = session.scalar(select(SubscriptionSnapshot).where(SubscriptionSnapshot.case_id == case.id, done))
    return row is not None and row.is_chosen
