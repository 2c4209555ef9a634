"""What a customer chose instead of paying, as the mail that confirms it sees it. How one is made is `recovery`'s.

A choice is about a subscription, so it ends every case of it that was open; all of them have it on their timeline.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import CaseEntry, RecoveryCase

TOLD = "chosen_instead"  # the key of the entry that knows what was chosen, as it was shown


def cases_of_choice(session: Session, case: RecoveryCase) -> list[RecoveryCase]:
    """`case` and the others that the same choice ended, the oldest debt first; none where there was no choice."""
    own = select(CaseEntry.happened_at).where(CaseEntry.case_id == case.id, CaseEntry.key == TOLD).scalar_subquery()
    found = (
        select(RecoveryCase)
        .join(CaseEntry, CaseEntry.case_id == RecoveryCase.id)
        .where(
            RecoveryCase.customer_id == case.customer_id,
            RecoveryCase.subscription_id == case.subscription_id,
            CaseEntry.key == TOLD,
            CaseEntry.happened_at == own,
        )
        .order_by(RecoveryCase.failed_at, RecoveryCase.id)
    )
    return list(session.scalars(found))


def plan_chosen(session: Session, case: RecoveryCase) -> str | None:
    """What the smaller plan was called that the customer chose, as far as it could be said to them."""
    told = select(CaseEntry.data["plan"].astext).where(CaseEntry.case_id == case.id, CaseEntry.key == TOLD)
    return session.scalar(told)
