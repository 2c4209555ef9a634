"""Whom campaigns would cover today: a segment tried on every living subscription, and which campaign gets which plan.

Counts and a few examples, for people who are about to change something. Reads only, and writes to nobody.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from app.campaigns.matching import SegmentFacts, matches
from app.campaigns.segments import Rule
from app.recovery.campaigns import InForce, choose, in_force
from app.recovery.segment_facts import Renewal, renewals

SAMPLE = 8
AT_ONCE = 5000  # so many subscriptions are asked about within a second, without anybody's asking for it


@dataclass(frozen=True)
class Preview:
    """How many of `of` living subscriptions a segment fits; `depends` is how many it may fit, by how they fail."""

    fits: int
    depends: int
    of: int
    sample: tuple[Renewal, ...]


@dataclass
class PlanCoverage:
    """One plan: how many subscriptions it has, which campaigns they would come to, and what is not as it seems.

    `by_default` fall to the default because no segment fits; `depends` may come to another campaign, by how they fail;
    `excluded` are left alone by the campaign they come to.
    """

    plan: str
    price_id: str | None
    interval: str | None
    subscriptions: int = 0
    by_default: int = 0
    depends: int = 0
    excluded: int = 0
    campaigns: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Coverage:
    """Every plan with its campaigns, those of the default first; and how many subscriptions come to each campaign."""

    plans: tuple[PlanCoverage, ...]
    campaigns: dict[str, int]
    default: str | None

    @property
    def subscriptions(self) -> int:
        """How many living subscriptions there are."""
        return sum(plan.subscriptions for plan in self.plans)

    @property
    def by_default(self) -> int:
        """How many of them no segment fits."""
        return sum(plan.by_default for plan in self.plans)


def preview(session: Session, segment: Rule | None, now: datetime) -> Preview:
    """Try a segment on today's customers. Without a segment nobody is in it."""
    fits, depends, of = 0, 0, 0
    sample: list[Renewal] = []
    for renewal in renewals(session, now):
        of += 1
        answer = matches(segment, renewal.facts) if segment is not None else False
        fits += answer is True
        depends += answer is None
        if answer and len(sample) < SAMPLE:
            sample.append(renewal)
    return Preview(fits, depends, of, tuple(sample))


def coverage(session: Session, now: datetime, campaigns: Sequence[InForce] | None = None) -> Coverage:
    """Which campaign each living subscription would come to; raises `CampaignInvalid` where there is no default.

    `campaigns` are those in force unless others are given, in their order.
    """
    asked = in_force(session) if campaigns is None else campaigns
    plans: dict[tuple[str, str | None], PlanCoverage] = {}
    reached: dict[str, int] = {each.campaign.slug: 0 for each in asked}
    for renewal in renewals(session, now):
        facts = renewal.facts
        name = facts.plan or facts.price_id or "a plan without a name"
        plan = plans.setdefault((name, facts.price_id), PlanCoverage(name, facts.price_id, facts.interval))
        reached[_count(plan, asked, facts)] += 1
    ordered = sorted(plans.values(), key=lambda plan: (-plan.by_default, -plan.subscriptions, plan.plan))
    return Coverage(
        tuple(ordered), reached, next((each.campaign.slug for each in asked if each.campaign.is_default), None)
    )


def _count(plan: PlanCoverage, asked: Sequence[InForce], facts: SegmentFacts) -> str:
    choice = choose(asked, facts)
    slug = choice.chosen.campaign.slug
    plan.subscriptions += 1
    plan.campaigns[slug] += 1
    plan.by_default += choice.by_default
    plan.depends += _depends(asked, choice.chosen, facts, by_default=choice.by_default)
    excluded = choice.chosen.definition.exclude
    plan.excluded += excluded is not None and matches(excluded, facts) is True
    return slug


def _depends(asked: Sequence[InForce], chosen: InForce, facts: SegmentFacts, *, by_default: bool) -> bool:
    """Whether a campaign that is asked before the chosen one could get this payment, by how it is declined."""
    for each in asked:
        if each is chosen and not by_default:
            return False
        segment = each.definition.segment
        if segment is not None and matches(segment, facts) is None:
            return True
    return False
