"""One version's whole content: for whom, how the card is tried, which mails go when, what happens at the end.

Values that check themselves; the messages of what they refuse name the field and say what to do.
"""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from app.campaigns.contact import ContactRules, PageOffers
from app.campaigns.segments import DeclineClass, Rule, check_size, intervals_named
from app.campaigns.strict import Strict, Wrong, as_list
from app.vocabulary import DebtAfterwards, FinalActionKind

MessageKind = Literal["payment_failed", "action_required", "reminder", "final_notice"]
StepEvent = Literal["soft_decline_twice", "promise_broken", "mail_bounced"]
SOFT_CLASSES = ("soft_fast", "soft_timed", "soft_opaque")
_Days = Annotated[float, Field(ge=0.5, le=90)]


class RetrySettings(Strict):
    """How the card is tried in drive mode: by the planner's own plan or on fixed days, and how often at most.

    `ladder_days` are days after the failure, for the fixed ladder alone. `min_gap_hours` lie between two tries of an
    invoice. To learn, another slot than the best is tried now and then; that may cost `exploration_loss` of what a plan
    is worth, and is never done with amounts above `explore_up_to_dollars` (converted roughly; None knows no limit).
    """

    timing: Literal["planned", "ladder"] = "planned"
    ladder_days: tuple[_Days, ...] = (1, 3, 5, 7, 14, 21)
    max_attempts: int = Field(6, ge=0, le=8)
    min_gap_hours: float = Field(48, ge=24, le=720)
    exploration_loss: float = Field(0.01, ge=0, le=0.01)
    explore_up_to_dollars: float | None = Field(200, ge=0)

    @field_validator("ladder_days")
    @classmethod
    def _rises(cls, days: tuple[float, ...]) -> tuple[float, ...]:
        if list(days) != sorted(set(days)):
            raise ValueError("each day has to come after the one before it, as in [1, 3, 7]; put them in order")
        return days


class MessageStep(Strict):
    """One mail: `days` after the failure, before the end of the window, or after a thing that happened (`on`).

    `soft_delay_hours` is the silence that this mail keeps for soft declines, in which a quiet retry may settle it
    unasked. With `decline_classes` it goes only to whom a payment was declined like that when it is due. `variants`
    are the names of its wordings, among which a lot decides for each customer.
    """

    key: str = Field(pattern=r"^[a-z0-9_]{1,40}$")
    kind: MessageKind
    days: float = Field(ge=0)
    anchor: Literal["failure", "end", "event"] = "failure"
    on: StepEvent | None = None
    soft_delay_hours: float = Field(0, ge=0, le=240)
    decline_classes: Annotated[tuple[DeclineClass, ...], BeforeValidator(as_list)] = ()
    variants: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")], ...] = ()

    @model_validator(mode="after")
    def _hangs_together(self) -> "MessageStep":
        if (self.anchor == "event") != (self.on is not None):
            raise ValueError("a step with anchor: event says which event by `on:`, and no other step has one")
        if self.soft_delay_hours and self.anchor != "failure":
            raise ValueError("soft_delay_hours is for steps that are counted from the failure; take it out here")
        if len(set(self.variants)) != len(self.variants) or len(self.variants) == 1:
            raise ValueError("name at least two different variants, or none")
        return self


class FinalActionSettings(Strict):
    """What ends a case that nothing helped, and what becomes of the debt.

    A price has one currency, so a downgrade names one price for each currency it is billed in (lower-case ISO).
    """

    kind: FinalActionKind = FinalActionKind.CANCEL_NOW
    prices: dict[str, str] = Field(default_factory=dict)
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


class CampaignDefinition(Strict):
    """One version's whole content.

    `segment` says for whom it is; without one it gets nobody but what falls to it as the default. Whom `exclude` fits
    is left alone: the card is tried quietly, but no mail goes and the final action is not taken. `silent_hours` after
    the failure nobody whose decline is soft is written to, unless only they can help.
    """

    segment: Annotated[Rule, AfterValidator(check_size)] | None = None
    exclude: Annotated[Rule, AfterValidator(check_size)] | None = None
    window_days: int = Field(28, gt=0, le=90)
    grace_days: float = Field(0, ge=0, le=60)
    silent_hours: float = Field(0, ge=0, le=240)
    retries: RetrySettings = RetrySettings()
    messages: tuple[MessageStep, ...] = Field((), max_length=20)
    final_action: FinalActionSettings = FinalActionSettings()
    contact: ContactRules = ContactRules()
    page: PageOffers = PageOffers()

    @property
    def intervals(self) -> tuple[str, ...]:
        """The billing intervals that the segment names; empty where it names none."""
        return intervals_named(self.segment)

    @model_validator(mode="after")
    def _messages_fit(self) -> "CampaignDefinition":
        wrong: list[tuple[tuple[str | int, ...], str]] = []
        seen: set[str] = set()
        for place, message in enumerate(self.messages):
            if message.key in seen:
                told = f"two messages have the key {message.key}; give one of them another"
                wrong.append((("messages", place, "key"), told))
            if message.days > self.window_days:
                told = (
                    f"message {message.key} is {message.days:g} days away, outside the window of {self.window_days}"
                    " days; move it, or make the window longer"
                )
                wrong.append((("messages", place, "days"), told))
            seen.add(message.key)
        if wrong:
            raise Wrong(wrong)
        return self


def _default_messages(last_reminder_days: tuple[float, ...]) -> tuple[MessageStep, ...]:
    reminders = tuple(
        MessageStep(key=f"reminder_{index}", kind="reminder", days=days)
        for index, days in enumerate(last_reminder_days, start=1)
    )
    return (
        MessageStep(key="payment_failed", kind="payment_failed", days=0),
        *reminders,
        MessageStep(key="final_notice", kind="final_notice", days=2, anchor="end"),
    )


MONTHLY = CampaignDefinition(
    segment=Rule(interval=("day", "week", "month")), silent_hours=48, messages=_default_messages((3, 7, 14))
)
ANNUAL = CampaignDefinition(
    segment=Rule(interval=("year",)),
    window_days=60,
    silent_hours=48,
    retries=RetrySettings(ladder_days=(1, 3, 7, 14, 21, 28, 42), max_attempts=7),
    messages=_default_messages((3, 7, 14, 30)),
)


def window_end(definition: CampaignDefinition, failed_at: datetime) -> datetime:
    """When the campaign has run out of time for a payment that first failed at `failed_at`."""
    return failed_at + timedelta(days=definition.window_days)
