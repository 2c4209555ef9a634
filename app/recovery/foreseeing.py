"""What the final action of a case comes to before it is taken: nothing that cannot happen is planned or announced."""

from sqlalchemy.orm import Session

from app.campaigns.definition import FinalActionSettings
from app.db import get_row
from app.messages.endings import LEAVES_SUBSCRIPTION, foreseen, has_stake
from app.models import RecoveryCase, Subscription
from app.recovery.campaigns import definition_of
from app.vocabulary import DebtAfterwards, FinalActionKind

NOTHING_TO_END = "there is no subscription to act on"


def find_price_to_fall_to(session: Session, case: RecoveryCase) -> str | None:
    """The price of the smaller plan, where a downgrade is what the case would end with as things stand."""
    settings = _settings(session, case)
    kind, price_id = settings.for_currency(case.currency)
    end = foreseen(kind, price_id, settings.debt, _subscription(session, case))
    return price_id if end is FinalActionKind.DOWNGRADE else None


def is_anything_to_end(session: Session, case: RecoveryCase) -> bool:
    """Whether the final action could find anything to do; a subscription that is over does not come back."""
    settings = _settings(session, case)
    changes_debt = settings.debt is not DebtAfterwards.KEEP
    return changes_debt or settings.kind in LEAVES_SUBSCRIPTION or has_stake(_subscription(session, case))


def _settings(session: Session, case: RecoveryCase) -> FinalActionSettings:
    return definition_of(session, case.campaign_version_id).final_action


def _subscription(session: Session, case: RecoveryCase) -> Subscription | None:
    return get_row(session, Subscription, case.subscription_id) if case.subscription_id else None
