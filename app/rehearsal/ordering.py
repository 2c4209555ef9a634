"""From an organization's rows to the order of a rehearsal: its campaign, its looks, its mix of failures. Reads only."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.definition import CampaignDefinition
from app.campaigns.matching import matches
from app.campaigns.segments import INTERVALS
from app.messages.wording import all_texts
from app.models import Campaign, Connection, Organization, RetryKnowledge, Subscription
from app.money import Money
from app.recovery.campaigns import choose, in_force, newest_version, read_definition
from app.recovery.coverage import coverage, preview
from app.recovery.segment_facts import read_past
from app.rehearsal.errors import RehearsalFailed
from app.rehearsal.orders import Order
from app.rehearsal.population import LEAST, Failure, draw_people, real_mix
from app.rehearsal.words import many
from app.vocabulary import ConnectionMode, ConnectionStatus

MOST_CASES, MOST_DAYS = 2000, 180
USUAL_DAYS, MARGIN_DAYS = 40, 12
MOST_TOLD = 10
_SHOWN = (
    "slug name support_email support_url sender_name sender_email reply_to website postal_address brand_color logo_url"
    " timezone default_locale"
).split()
_LEARNT = "by version is_used reason cases gain content".split()
_OTHERS_CALLED = "Smaller plan"


def make_order(
    session: Session, slug: str, *, cases: int, days: int, seed: int, mode: ConnectionMode | None, now: datetime
) -> Order:
    """The order for the newest version of campaign `slug`; raises `RehearsalFailed`.

    `mode` says who retries; None means as the organization's account is set now, and Recoup where none is connected.
    """
    check(cases, days)
    organization = session.scalars(select(Organization)).one()
    campaign = _campaign(session, slug)
    version = newest_version(session, campaign.id)
    definition = read_definition(version)
    intervals, told = _covered(session, campaign, now)
    traits = real_mix(session, _theirs(session, campaign, now), now)
    known = len(traits) >= LEAST
    begins = now.replace(microsecond=0)
    return Order(
        campaign=campaign.name,
        slug=campaign.slug,
        version=version.number,
        definition=version.definition,
        organization={column: getattr(organization, column) for column in _SHOWN},
        mode=mode or _mode(session),
        begins=begins,
        days=days,
        seed=seed,
        people=draw_people(traits if known else (), intervals, begins, cases, days, seed),
        population=_population(len(traits), known),
        prices=_prices(session, definition),
        coverage=tuple(told),
        knowledge=_knowledge(session),
        wordings=all_texts(session),
    )


def fitting_days(definition: CampaignDefinition) -> int:
    """So many days that every case of a rehearsal can come to its end: failures lie in its first quarter or week."""
    return min(max(USUAL_DAYS, definition.window_days + MARGIN_DAYS), MOST_DAYS)


def shares(order: Order, parts: int) -> list[Order]:
    """The order for each of so many processes: everybody in exactly one of them."""
    return [replace(order, people=order.people[place::parts]) for place in range(min(parts, len(order.people)))]


def check(cases: int, days: int) -> None:
    """Raises `RehearsalFailed` for a size that is not rehearsed."""
    if not 1 <= cases <= MOST_CASES:
        raise RehearsalFailed(f"a rehearsal has from 1 to {MOST_CASES} cases")
    if not 1 <= days <= MOST_DAYS:
        raise RehearsalFailed(f"a rehearsal lasts from 1 to {MOST_DAYS} days")


def _campaign(session: Session, slug: str) -> Campaign:
    found = {row.slug: row for row in session.scalars(select(Campaign).order_by(Campaign.position))}
    if slug not in found:
        raise RehearsalFailed(f"there is no campaign {slug}; there are: {', '.join(found) or 'none'}")
    return found[slug]


def _covered(session: Session, campaign: Campaign, now: datetime) -> tuple[Sequence[str], list[str]]:
    """By what the plans are billed whose failures this campaign gets, and what is odd about that, as sentences."""
    definition = read_definition(newest_version(session, campaign.id))
    found = coverage(session, now)
    said = [
        f"No segment fits {plan.by_default} of the {many(plan.subscriptions, 'subscription')} to {plan.plan}:"
        " their failures fall to the default campaign."
        for plan in found.plans[:MOST_TOLD]
        if plan.by_default
    ]
    gets = found.campaigns.get(campaign.slug, 0)
    beaten = preview(session, definition.segment, now).fits - gets if not campaign.is_default else 0
    if campaign.archived_at is not None:
        said.append("This campaign is archived: no new case follows it.")
    elif found.subscriptions and not gets:
        said.append("No plan reaches this campaign as things stand; it was rehearsed with whom its segment fits.")
    elif beaten > 0:
        never = "never reaches" if beaten == 1 else "never reach"
        said.append(f"{many(beaten, 'subscription')} that its segment fits {never} this campaign, another comes first.")
    theirs = [plan.interval for plan in found.plans if plan.campaigns[campaign.slug] and plan.interval in INTERVALS]
    return list(dict.fromkeys(filter(None, theirs))) or definition.intervals or ["month"], said


def _theirs(session: Session, campaign: Campaign, now: datetime) -> Callable[[Failure], bool]:
    """Whether a failure of the past would come to this campaign now, or fits it if nothing comes to it."""
    standing, past = in_force(session), read_past(session, now)
    segment = read_definition(newest_version(session, campaign.id)).segment
    is_reached = campaign.is_default or coverage(session, now).campaigns.get(campaign.slug, 0) > 0

    def comes(failure: Failure) -> bool:
        case, customer, subscription = failure
        amount = Money(case.amount_due, case.currency)
        facts = past.facts(customer, subscription, amount, case.decline_class, case.failed_at)
        if is_reached:
            return choose(standing, facts).chosen.campaign.id == campaign.id
        return segment is not None and bool(matches(segment, facts))

    return comes


def _mode(session: Session) -> ConnectionMode:
    active = select(Connection.mode).where(Connection.status == ConnectionStatus.ACTIVE)
    found: ConnectionMode | None = session.scalar(active.order_by(Connection.created_at.desc()).limit(1))
    return found or ConnectionMode.DRIVE


def _population(known: int, is_enough: bool) -> str:
    if is_enough:
        return f"drawn after {known} failures of your own from the last twelve months"
    return (
        f"invented after assumed shares of plans, places and declines, because only {known} failures of the last"
        f" twelve months are known that this campaign would get (at least {LEAST} are needed)"
    )


def _knowledge(session: Session) -> dict[str, Any] | None:
    """What the planner has learnt here, newest first; None where it goes by what is shipped."""
    row = session.scalars(select(RetryKnowledge).order_by(RetryKnowledge.id.desc()).limit(1)).first()
    return {name: getattr(row, name) for name in _LEARNT} if row else None


def _prices(session: Session, definition: CampaignDefinition) -> dict[str, dict[str, Any]]:
    """What is known of the prices that a downgrade leads to."""
    prices: dict[str, dict[str, Any]] = {}
    for currency, price_id in definition.final_action.prices.items():
        known = session.scalars(select(Subscription).where(Subscription.price_id == price_id).limit(1)).first()
        prices[price_id] = {
            "name": (known and known.plan_name) or _OTHERS_CALLED,
            "currency": currency,
            "amount": (known and known.unit_amount) or 0,
            "interval": (known and known.interval) or "month",
        }
    return prices
