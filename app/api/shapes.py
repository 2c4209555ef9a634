"""What the API answers, as pydantic models: the JSON and its documentation in one place. Shows no card's number, and of
customers nothing but their ids at Stripe.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.api.access import Access, Why
from app.models import ChargeAttempt, RecoveryCase
from app.money import Money
from app.recovery.weighing import Weighing
from app.vocabulary import (
    AttemptSource,
    AttemptState,
    CaseState,
    EntryKind,
    FinalActionKind,
    FinalActionState,
    HoldKind,
    MessageState,
    RecoveredBy,
    StepKind,
    StepState,
    StopReason,
)


class Shape(BaseModel):
    """Read from the attributes of rows."""

    model_config = ConfigDict(from_attributes=True)

    @classmethod
    def read(cls, row: object) -> Self:
        """One whose fields are all called as the row's own attributes are."""
        return cls.model_validate(row)


class Amount(Shape):
    """Money in minor units (cents) of a lower-case ISO 4217 currency."""

    minor: int
    currency: str
    decimal: str = Field(description="The same in major units: 49.00.")

    @classmethod
    def of(cls, minor: int, currency: str) -> "Amount":
        return cls(minor=minor, currency=currency, decimal=str(Money(minor, currency).decimal()))


class CaseBrief(Shape):
    """One unpaid invoice from its first failure to its outcome."""

    id: UUID
    state: CaseState
    why: str = Field(description="Why it is in this state and what comes next, in a sentence for the operator.")
    customer: str = Field(description="Stripe's id of the customer.")
    invoice: str = Field(description="Stripe's id of the invoice.")
    subscription: str | None = Field(description="Stripe's id of the subscription.")
    amount: Amount
    decline_class: str | None
    failed_at: datetime
    window_ends_at: datetime
    grace_until: datetime
    recovered_at: datetime | None
    recovered_by: RecoveredBy | None
    recovered: Amount | None
    exhausted_at: datetime | None
    closed_at: datetime | None
    stop_reason: StopReason | None

    @classmethod
    def of(cls, case: RecoveryCase, customer: str, invoice: str, subscription: str | None) -> "CaseBrief":
        names = {name: getattr(case, name) for name in cls.model_fields if name in _COLUMNS}
        paid = Amount.of(case.recovered_amount, case.currency) if case.recovered_at else None
        due = Amount.of(case.amount_due, case.currency)
        return cls(**names, customer=customer, invoice=invoice, subscription=subscription, amount=due, recovered=paid)


_COLUMNS = frozenset(RecoveryCase.__table__.columns.keys())


class StepShape(Shape):
    """One planned thing of a case."""

    kind: StepKind
    due_at: datetime
    state: StepState
    why: str


class AttemptShape(Shape):
    """One charge asked of Stripe."""

    source: AttemptSource
    state: AttemptState
    amount: Amount
    started_at: datetime
    answered_at: datetime | None
    charge: str | None = Field(description="Stripe's id of the charge.")
    signals: dict[str, Any] = Field(description="What the bank and Stripe said: decline codes and advice.")

    @classmethod
    def of(cls, attempt: ChargeAttempt) -> "AttemptShape":
        return cls(
            source=attempt.source,
            state=attempt.state,
            amount=Amount.of(attempt.amount, attempt.currency),
            started_at=attempt.started_at,
            answered_at=attempt.answered_at,
            charge=attempt.charge_id,
            signals={name: value for name, value in attempt.signals.items() if value is not None},
        )


class MessageShape(Shape):
    """One mail to the customer; its address and its text are not shown here."""

    kind: str
    state: MessageState
    reason: str | None = Field(description="Why it was skipped or failed.")
    planned_at: datetime
    accepted_at: datetime | None
    delivered_at: datetime | None
    bounced_at: datetime | None


class HoldShape(Shape):
    """A reason to wait. Without `until` nobody knows its end."""

    kind: HoldKind
    reason: str
    begins_at: datetime
    until: datetime | None
    promised_for: datetime | None
    released_at: datetime | None


class EntryShape(Shape):
    """A line of the timeline."""

    kind: EntryKind
    name: str
    happened_at: datetime
    from_state: CaseState | None
    to_state: CaseState | None
    summary: str


class CampaignShape(Shape):
    """The campaign and the version that a case stays on."""

    slug: str
    name: str
    version: int


class FinalActionShape(Shape):
    """What ended the case. `restored` once a late payment brought it back."""

    action: FinalActionKind
    state: FinalActionState
    reason: str | None
    is_chosen: bool = Field(description="Whether the customer chose it instead of paying.")
    done_at: datetime | None
    restored_at: datetime | None


class CaseFull(CaseBrief):
    """A case with its whole history; plans are oldest first, the timeline newest first."""

    campaign: CampaignShape
    next_step: StepShape | None = Field(description="What comes next, and why; of what no hold stops.")
    hold: HoldShape | None = Field(description="The hold in force that ends last.")
    plan: Weighing | None = Field(description="What the retry planner weighed for its newest answer.")
    final_action: FinalActionShape | None
    steps: list[StepShape]
    attempts: list[AttemptShape]
    messages: list[MessageShape]
    holds: list[HoldShape]
    timeline: list[EntryShape]


class CaseList(Shape):
    """One page of cases, newest failure first."""

    cases: list[CaseBrief]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last.")


class CustomerStatus(Shape):
    """How things stand between a customer and their payments."""

    customer: str
    status: Literal["ok", "recovering", "needs_customer", "lost"] = Field(
        description="ok: nothing is open; recovering: Recoup or Stripe is at it; needs_customer: only the payer can go"
        " on; lost: out of tries and time, a payment is still welcome."
    )
    owed: list[Amount] = Field(description="What is open, one sum for each currency.")
    open_cases: list[CaseBrief]
    next_step: StepShape | None
    hold: HoldShape | None
    pay_url: str | None = Field(
        description="The customer's own page, where they fix it without signing in: hand it to nobody else. Only with"
        " the scope `write`, and while something is open."
    )


class SubscriptionAccess(Shape):
    """Whether access should stay as far as one subscription goes."""

    subscription: str
    status: str | None = Field(description="Stripe's status when it was last heard of.")
    plan: str | None
    price: str | None = Field(description="Stripe's id of the price it is on; with `limit`, the smaller plan's.")
    access: Access
    until: datetime | None = Field(description="Until when this holds as things stand; null where no end is known.")
    then: Access | None = Field(description="What follows at `until`.")
    reason: Why
    explanation: str
    case: UUID | None = Field(description="The case behind it.")


class Entitlement(Shape):
    """Whether a customer's access should stay, as far as payments go: the kindest over their subscriptions."""

    customer: str
    is_known: bool
    access: Access
    until: datetime | None
    then: Access | None
    reason: Why
    explanation: str
    subscriptions: list[SubscriptionAccess]


class EmbedToken(Shape):
    """A token for the embedded notice; it may be given to that customer's browser."""

    token: str
    expires_at: datetime


def sums(amounts: Iterable[tuple[int, str]]) -> list[Amount]:
    """One amount for each currency, in the order of their names."""
    found: dict[str, int] = {}
    for minor, currency in amounts:
        found[currency] = found.get(currency, 0) + minor
    return [Amount.of(found[currency], currency) for currency in sorted(found)]
