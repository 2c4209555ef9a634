"""What may not be meant in a campaign, as far as today's customers and Stripe's prices tell. Reads only.

What the definition alone tells is in `app.campaigns.cautions`.
"""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.accounts.connections import gateway_for
from app.campaigns.cautions import cautions, currencies_dropped
from app.campaigns.definition import CampaignDefinition
from app.context import Context
from app.crypto import SecretUnreadable
from app.models import Connection, Subscription
from app.stripe_gateway.errors import GatewayError, Permanent
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.prices import Plan
from app.vocabulary import ENDED_SUBSCRIPTIONS, ConnectionStatus

Price = tuple[str, str, str]  # the field, the currency, the price's id


def told_by_rows(session: Session, before: CampaignDefinition | None, after: CampaignDefinition) -> tuple[str, ...]:
    """Cautions about a definition, with how many living subscriptions a price that is taken away concerns."""
    return (*cautions(before, after), *_concerned(session, currencies_dropped(before, after)))


def told_by_stripe(context: Context, organization_id: UUID, definition: CampaignDefinition) -> tuple[str, ...]:
    """Cautions about the prices of a definition, asked at Stripe: call it outside of any transaction.

    Where Stripe cannot be asked just now, nothing is said.
    """
    prices = _prices(definition)
    if not prices:
        return ()
    with context.database.organization(organization_id) as session:
        active = select(Connection).where(Connection.status == ConnectionStatus.ACTIVE)
        connections = session.scalars(active).all()
    try:
        gateways = [gateway_for(context, connection) for connection in connections]
    except SecretUnreadable:
        return ()
    return tuple(told for price in prices if (told := _about(price, gateways))) if gateways else ()


def _prices(definition: CampaignDefinition) -> list[Price]:
    final = [("final_action.prices", *each) for each in definition.final_action.prices.items()]
    offers = [("page.retention", *each) for offer in definition.page.retention for each in offer.prices.items()]
    return [*final, *offers]


def _about(price: Price, gateways: Sequence[StripeGateway]) -> str | None:
    field, currency, price_id = price
    try:
        plan = next(_found(price_id, gateways), None)
    except GatewayError:
        return None  # no answer is no news of the price
    if plan is None:
        return f"{field}: Stripe knows no price {price_id}; a downgrade to it would be refused"
    if plan.interval is None:
        return f"{field}: {price_id} is paid once, so no subscription can be on it"
    if plan.amount is not None and plan.amount.currency != currency:
        own = plan.amount.currency.upper()
        return f"{field}: {price_id} is in {own} at Stripe, and here it stands for {currency.upper()}"
    return None


def _found(price_id: str, gateways: Sequence[StripeGateway]) -> Iterator[Plan]:
    """What the connected accounts say of it; each knows its own prices only."""
    for gateway in gateways:
        try:
            yield gateway.get_plan(price_id)
        except Permanent:
            continue


def _concerned(session: Session, currencies: Sequence[str]) -> Iterator[str]:
    for currency in currencies:
        living = select(func.count()).select_from(Subscription)
        count = session.scalar(
            living.where(Subscription.currency == currency, Subscription.status.not_in(ENDED_SUBSCRIPTIONS))
        )
        if count:
            were = "living subscription is" if count == 1 else "living subscriptions are"
            yield f"{count} {were} billed in {currency.upper()} today"
