"""Final actions that Stripe refused for good: no subscription changed, though its customer was told that it would."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import SubscriptionSnapshot
from app.outcomes.actions import SkipReason
from app.vocabulary import FinalActionState


def cases_refused(session: Session, since: datetime) -> list[UUID]:
    """The cases whose final action was refused after `since`, the newest first."""
    query = select(SubscriptionSnapshot.case_id).where(
        SubscriptionSnapshot.state == FinalActionState.SKIPPED,
        SubscriptionSnapshot.reason == SkipReason.REFUSED_BY_STRIPE,
        SubscriptionSnapshot.done_at > since,
    )
    return list(session.scalars(query.order_by(SubscriptionSnapshot.done_at.desc())))
