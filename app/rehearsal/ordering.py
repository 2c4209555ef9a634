"""From an organization's rows to the order of a rehearsal: its campaign, its looks, its mix of failures. Reads only."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.campaigns.definition import CampaignDefinition
from app.campaigns.segments import INTERVALS
from app.models import Campaign, Connection, Organization, RetryKnowledge, Subscription
from app.recovery.campaigns import newest_version, read_definition
from app.rehearsal.errors import RehearsalFailed
from app.rehearsal.orders import Order
from app.rehearsal.population import LEAST, draw_people, real_mix
from app.vocabulary import ConnectionMode, ConnectionStatus

MOST_CASES, MOST_DAYS = 2000, 180
_SHOWN = (
    "slug name support_email sender_name sender_email reply_to website postal_address brand_color logo_url timezone"
    " default_locale"
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
    intervals, coverage = _covered(session, campaign)
    traits = real_mix(session, intervals, now)
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
        coverage=tuple(coverage),
        knowledge=_knowledge(session),
    )


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


def _covered(session: Session, campaign: Campaign) -> tuple[Sequence[str], list[str]]:
    """The billing intervals whose failures this campaign gets, and what is odd about that, as sentences.

    A campaign gets the intervals that it names and no campaign before it does; the default one what nobody names.
    """
    claimed: dict[str, Campaign] = {}
    for row in session.scalars(select(Campaign).where(Campaign.archived_at.is_(None)).order_by(Campaign.position)):
        for interval in read_definition(newest_version(session, row.id)).intervals:
            claimed.setdefault(interval, row)
    unclaimed = [interval for interval in INTERVALS if interval not in claimed]
    gets = [interval for interval, row in claimed.items() if row.id == campaign.id]
    said = _uncovered_plans(session, unclaimed)
    own = list(read_definition(newest_version(session, campaign.id)).intervals)
    taken = [interval for interval in own if claimed.get(interval, campaign).id != campaign.id]
    if taken:
        names = ", ".join(f"{interval} ({claimed[interval].slug})" for interval in taken)
        said.append(f"Plans billed by these intervals never reach this campaign, another comes first: {names}.")
    if campaign.archived_at is not None:
        said.append("This campaign is archived: no new case follows it.")
    if campaign.is_default:
        gets += unclaimed
    elif not gets:
        said.append("No plan reaches this campaign as things stand; it was rehearsed with the intervals it names.")
    return gets or own or ["month"], said


def _uncovered_plans(session: Session, unclaimed: Sequence[str]) -> list[str]:
    query = (
        select(func.coalesce(Subscription.plan_name, "a plan without a name"), Subscription.interval, func.count())
        .where(Subscription.interval.in_(unclaimed), Subscription.status.not_in(("canceled", "incomplete_expired")))
        .group_by(Subscription.plan_name, Subscription.interval)
        .order_by(func.count().desc())
        .limit(10)
    )
    return [
        f"No campaign names the interval of {plan} (billed by the {interval}, {count} subscriptions):"
        " its failures fall to the default campaign."
        for plan, interval, count in session.execute(query)
    ]


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
    return row and {name: getattr(row, name) for name in _LEARNT}


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
