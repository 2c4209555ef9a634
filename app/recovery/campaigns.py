"""Campaigns: what is done about a failed payment, as unchanging versions of a validated definition.

Finds the one campaign that covers a subscription, and gives a new organization its defaults: monthly plans are
followed for 28 days and annual ones for 60, within the billing cycle (docs/campaigns.md has the evidence).
"""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import RecoupError
from app.models import Campaign, CampaignVersion
from app.vocabulary import DebtAfterwards, FinalActionKind

MessageKind = Literal["payment_failed", "action_required", "reminder", "final_notice"]


class CampaignInvalid(RecoupError):
    """A campaign definition cannot be used; the text names the field."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RetrySettings(_Strict):
    """How the card is tried in drive mode: by the planner's own plan or on fixed days, and how often at most.

    `ladder_days` are days after the failure, for the fixed ladder alone. `min_gap_hours` lie between two tries of an
    invoice. To learn, another slot than the best is tried now and then; that may cost `exploration_loss` of what a plan
    is worth, and is never done with amounts above `explore_up_to_dollars` (converted roughly; None knows no limit).
    """

    timing: Literal["planned", "ladder"] = "planned"
    ladder_days: tuple[float, ...] = (1, 3, 5, 7, 14, 21)
    max_attempts: int = Field(6, ge=0, le=8)
    min_gap_hours: float = Field(48, ge=24)
    exploration_loss: float = Field(0.01, ge=0, le=0.01)
    explore_up_to_dollars: float | None = Field(200, ge=0)


class MessageStep(_Strict):
    """One mail: `days` after the failure, or before the end of the window where `anchor` is `end`.

    `soft_delay_hours` is the silence kept for soft declines, in which a quiet retry may settle it unasked.
    """

    key: str = Field(pattern=r"^[a-z0-9_]{1,40}$")
    kind: MessageKind
    days: float = Field(ge=0)
    anchor: Literal["failure", "end"] = "failure"
    soft_delay_hours: float = Field(0, ge=0)


class FinalActionSettings(_Strict):
    """What ends a case that nothing helped, and what becomes of the debt.

    A price has one currency, so a downgrade names one price for each currency it is billed in (lower-case ISO).
    """

    kind: FinalActionKind = FinalActionKind.CANCEL_NOW
    prices: dict[str, str] = {}
    debt: DebtAfterwards = DebtAfterwards.KEEP

    @model_validator(mode="after")
    def _prices_go_with_downgrade(self) -> "FinalActionSettings":
        if (self.kind is FinalActionKind.DOWNGRADE) != bool(self.prices):
            raise ValueError("prices (currency to price id) are needed for a downgrade, and for nothing else")
        return self

    def for_currency(self, currency: str) -> tuple[FinalActionKind, str | None]:
        """The action for a subscription billed in `currency`: a downgrade without a price in it cancels at the end."""
        price_id = self.prices.get(currency)
        if self.kind is FinalActionKind.DOWNGRADE and price_id is None:
            return FinalActionKind.CANCEL_AT_PERIOD_END, None
        return self.kind, price_id


class CampaignDefinition(_Strict):
    """One version's whole content. `intervals` says which billing intervals it is for; empty means any."""

    intervals: tuple[Literal["day", "week", "month", "year"], ...] = ()
    window_days: int = Field(28, gt=0, le=90)
    grace_days: float = Field(0, ge=0, le=60)
    retries: RetrySettings = RetrySettings()
    messages: tuple[MessageStep, ...] = ()
    final_action: FinalActionSettings = FinalActionSettings()

    @model_validator(mode="after")
    def _messages_fit(self) -> "CampaignDefinition":
        keys = [message.key for message in self.messages]
        if len(set(keys)) != len(keys):
            raise ValueError("two messages have the same key")
        for message in self.messages:
            if message.days > self.window_days:
                raise ValueError(f"message {message.key} is {message.days} days away, outside the window")
        return self


def _default_messages(last_reminder_days: tuple[float, ...]) -> tuple[MessageStep, ...]:
    reminders = tuple(
        MessageStep(key=f"reminder_{index}", kind="reminder", days=days)
        for index, days in enumerate(last_reminder_days, start=1)
    )
    return (
        MessageStep(key="payment_failed", kind="payment_failed", days=0, soft_delay_hours=48),
        *reminders,
        MessageStep(key="final_notice", kind="final_notice", days=2, anchor="end"),
    )


MONTHLY = CampaignDefinition(intervals=("day", "week", "month"), messages=_default_messages((3, 7, 14)))
ANNUAL = CampaignDefinition(
    intervals=("year",),
    window_days=60,
    retries=RetrySettings(ladder_days=(1, 3, 7, 14, 21, 28, 42), max_attempts=7),
    messages=_default_messages((3, 7, 14, 30)),
)


def window_end(definition: CampaignDefinition, failed_at: datetime) -> datetime:
    """When the campaign has run out of time for a payment that first failed at `failed_at`."""
    return failed_at + timedelta(days=definition.window_days)


def add_version(
    session: Session, *, slug: str, name: str, definition: CampaignDefinition, is_default: bool, now: datetime, by: str
) -> CampaignVersion:
    """Write a new version of campaign `slug`, making the campaign if it is not there yet."""
    organization_id: UUID = session.info["organization_id"]
    campaign = session.scalar(select(Campaign).where(Campaign.slug == slug).with_for_update())
    if campaign is None:
        position = len(session.scalars(select(Campaign.id)).all()) + 1
        campaign = Campaign(
            organization_id=organization_id,
            slug=slug,
            name=name,
            position=position,
            is_default=is_default,
            created_at=now,
        )
        session.add(campaign)
        session.flush()
    numbers = session.scalars(select(CampaignVersion.number).where(CampaignVersion.campaign_id == campaign.id)).all()
    version = CampaignVersion(
        organization_id=organization_id,
        campaign_id=campaign.id,
        number=max(numbers, default=0) + 1,
        definition=definition.model_dump(mode="json"),
        created_at=now,
        created_by=by,
    )
    session.add(version)
    session.flush()
    return version


def add_defaults(session: Session, now: datetime, by: str) -> None:
    """Give an organization the two campaigns every one begins with; does nothing where they stand already."""
    if session.scalar(select(Campaign.id).limit(1)):
        return
    add_version(session, slug="annual", name="Annual plans", definition=ANNUAL, is_default=False, now=now, by=by)
    add_version(session, slug="monthly", name="Monthly plans", definition=MONTHLY, is_default=True, now=now, by=by)


def read_definition(version: CampaignVersion) -> CampaignDefinition:
    """The typed content of a stored version. One from before there were plans keeps to its ladder."""
    retries = {"timing": "ladder", **version.definition.get("retries", {})}
    return CampaignDefinition.model_validate({**version.definition, "retries": retries})


def find_version_for(session: Session, interval: str | None) -> CampaignVersion:
    """The newest version of the first campaign, in order, that covers `interval`; else of the default one.

    Raises `CampaignInvalid` when the organization has no campaign at all.
    """
    campaigns = session.scalars(
        select(Campaign).where(Campaign.archived_at.is_(None)).order_by(Campaign.position)
    ).all()
    fallback: CampaignVersion | None = None
    for campaign in campaigns:
        version = newest_version(session, campaign.id)
        if interval is not None and interval in read_definition(version).intervals:
            return version
        if campaign.is_default:
            fallback = version
    if fallback is None:
        raise CampaignInvalid(
            "no campaign covers this case and no default is set; add one with `recoup campaigns apply`"
        )
    return fallback


def newest_version(session: Session, campaign_id: UUID) -> CampaignVersion:
    """The version that new cases of this campaign begin with."""
    return session.scalars(
        select(CampaignVersion)
        .where(CampaignVersion.campaign_id == campaign_id)
        .order_by(CampaignVersion.number.desc())
        .limit(1)
    ).one()
