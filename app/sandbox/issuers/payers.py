"""One payer: a person, an account, a card and its bank, and what they answer to a charge.

The answer depends on the moment and on earlier charges only where banks count them; luck belongs to the payer and the
hour, so that nobody is luckier for having asked in another order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from app.sandbox.issuers import obstacles
from app.sandbox.issuers.accounts import Account
from app.sandbox.issuers.cards import Card, Holder
from app.sandbox.issuers.luck import luck
from app.sandbox.issuers.obstacles import Asked, Moment, Obstacle
from app.sandbox.issuers.parameters import segment, table
from app.sandbox.issuers.words import Words, say

PAID_BEFORE = timedelta(days=30)  # a payer who fails was good for so long


@dataclass(frozen=True)
class Answer:
    """A bank's answer: the charge is approved, or its holder is wanted, or declined in `words`, for `reason`."""

    approved: bool = False
    wants_holder: bool = False
    words: Words | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Payer:
    """Somebody of a segment. `wallet` counts the cards that they bring, `number` those that a network's updater puts in
    the place of one of them: another number has another life and the same money, another card often other money.
    """

    seed: int
    segment: str
    since: datetime
    number: int = 1
    wallet: int = 0

    @classmethod
    def drawn(cls, seed: int, segment_name: str, since: datetime) -> "Payer":
        """The payer that `seed` stands for, whose card was good at `since` (aware); raises `UnknownSegment`."""
        segment(segment_name)
        return cls(seed, segment_name, since.astimezone(UTC))

    @classmethod
    def failing(cls, segment_name: str, at: datetime, dice: Random) -> "Payer":
        """A payer whose renewal went through a month before `at` and does not at `at`."""
        while True:
            payer = cls.drawn(dice.getrandbits(62), segment_name, at - PAID_BEFORE)
            if not payer.answer(at).approved and payer.answer(at - PAID_BEFORE).approved:
                return payer

    def with_next_card(self, since: datetime) -> "Payer":
        """The same card with another number, good from `since` on."""
        return replace(self, number=self.number + 1, since=since.astimezone(UTC))

    def by(self, at: datetime) -> "Payer":
        """The payer as they stand at `at`: with the card that the network's updater has put in the place of earlier
        ones."""
        payer = self
        while payer.card.renewed_at is not None and payer.card.renewed_at <= at:
            payer = payer.with_next_card(max(payer.card.renewed_at, payer.since))
        return payer

    @cached_property
    def holder(self) -> Holder:
        """The person."""
        return Holder.drawn(self.seed, self._parameters)

    @cached_property
    def card(self) -> Card:
        """Their present card."""
        return Card.drawn(self._card_seed, self.holder, self._parameters, self.since)

    @cached_property
    def account(self) -> Account | None:
        """What they live on; None in a world in which nothing has a reason."""
        if "wages" not in self._parameters:
            return None
        same = luck(self.seed, "same account", self.wallet) >= table("accounts")["another_account"]
        whose = self.seed if same or not self.wallet else int(luck(self.seed, "account", self.wallet) * (1 << 62))
        return Account.drawn(whose, self._parameters, self.holder.funding)

    def answer(self, at: datetime, history: Sequence[Asked] = ()) -> Answer:
        """What becomes of a charge at `at` (aware), after the charges in `history`."""
        payer, moment = self.by(at), self._moment(at, history)
        for obstacle in payer._obstacles(moment):
            if not payer._passes(obstacle, moment):
                return payer._declined(obstacle, moment)
        return Answer(approved=True)

    def approval_probability(self, at: datetime, history: Sequence[Asked] = ()) -> float:
        """The chance of an approval at `at`, for somebody who knows all about the payer but the luck of the hour."""
        chance = 1.0
        for obstacle in self.by(at)._obstacles(self._moment(at, history)):
            chance *= obstacle.chance
        return chance

    @property
    def _parameters(self) -> dict[str, Any]:
        return segment(self.segment)

    @cached_property
    def _card_seed(self) -> int:
        return int(luck(self.seed, "card", self.wallet, self.number) * (1 << 62))

    def _moment(self, at: datetime, history: Sequence[Asked]) -> Moment:
        local = at.astimezone(ZoneInfo(self.holder.timezone)).replace(tzinfo=None)
        return Moment(at.astimezone(UTC), local, history)

    def _obstacles(self, moment: Moment) -> Iterator[Obstacle]:
        of_segment = self._parameters
        yield from obstacles.stripes_block(self._card_seed, moment)
        if self.account is None:
            yield from obstacles.even_refusals(self._card_seed, of_segment, of_segment["chance"], moment)
            return
        yield from obstacles.outage(self.card, moment)
        yield from obstacles.card_itself(self.card, moment)
        yield from obstacles.holder_wanted(self.card, of_segment["asks_holder_per_year"], moment)
        yield from obstacles.limits(self.card, of_segment["limits_per_year"], moment)
        yield from obstacles.suspicion(self.card, of_segment["suspicious_per_year"], moment)
        yield from obstacles.money(self.account, moment)
        yield from obstacles.night(moment)

    def _passes(self, obstacle: Obstacle, moment: Moment) -> bool:
        if obstacle.reason == "money" and self.account is not None:
            return self.account.actual(moment.local) > 0
        return luck(self._card_seed, obstacle.reason, _hour(moment)) < obstacle.chance

    def _declined(self, obstacle: Obstacle, moment: Moment) -> Answer:
        if obstacle.reason == "holder":
            return Answer(wants_holder=True, reason="holder")
        wage_in = None
        if obstacle.reason == "money" and self.account is not None:
            wage_in = self.account.next_wage(moment.local) - moment.local
        whose = obstacle.whose or (self._card_seed, obstacle.reason)
        return Answer(
            words=say(obstacle.reason, self.card.brand, whose, _hour(moment), wage_in), reason=obstacle.reason
        )


def _hour(moment: Moment) -> int:
    return int(moment.at.timestamp() // (60 * table("banks")["lucky_minutes"]))
