"""A try of the card on file because its holder asks for it: when that is offered, and asking for it.

What stands against a charge is said by `recovery.by_hand`; this adds that one click is one try, with pauses between.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.context import Context
from app.models import CaseEntry, ChargeAttempt, RecoveryCase
from app.money import Money
from app.payment_page.tickets import Click
from app.recovery import by_hand, cases, planning, steps
from app.recovery.facts import attempts_of
from app.vocabulary import AttemptState, EntryKind, StepKind, StepState

PAUSE = timedelta(minutes=10)
MOST_A_DAY = 3
ACTOR = "the customer"
ASKED = "asked_for_a_try"


def may_ask(session: Session, case: RecoveryCase, attempts: list[ChargeAttempt], now: datetime) -> bool:
    """Whether the card on file may be charged for this case now because the customer asks for it."""
    if not planning.definition_of(session, case).page.pay_now:
        return False
    if by_hand.obstacle(session, case, now, minds_promise=False) is not None:
        return False
    # what an earlier card was answered is nothing to the one in force
    present = [attempt for attempt in attempts if case.new_card_at is None or attempt.started_at >= case.new_card_at]
    if any(now - attempt.started_at < PAUSE for attempt in present) or _was_declined(session, case, now - PAUSE):
        return False
    asked = select(func.count()).where(
        CaseEntry.case_id == case.id, CaseEntry.name == ASKED, CaseEntry.happened_at > now - timedelta(days=1)
    )
    return session.scalars(asked).one() < MOST_A_DAY


def _was_declined(session: Session, case: RecoveryCase, since: datetime) -> bool:
    """Whether the card in force was declined since then for any debt of its holder: for another it would be, too."""
    since = max(since, case.new_card_at) if case.new_card_at else since
    declined = (
        select(ChargeAttempt.id)
        .join(RecoveryCase, RecoveryCase.id == ChargeAttempt.case_id)
        .where(
            RecoveryCase.customer_id == case.customer_id,
            ChargeAttempt.state == AttemptState.DECLINED,
            ChargeAttempt.started_at > since,
        )
    )
    return session.scalar(declined.limit(1)) is not None


def ask(context: Context, organization_id: UUID, case_id: UUID, click: Click, shown: Money) -> bool:
    """Put the case's next try onto the calendar for this moment; False where that may not be, or was done already.

    The case stays locked meanwhile, and the click's name is written with it: one form is one try. `shown` is what the
    page said would be charged; a try for any other amount is not the one that was asked for.
    """
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        case = cases.lock_case(session, case_id)
        if not may_ask(session, case, attempts_of(session, case), now):
            return False
        standing = steps.open_steps(session, case.id, StepKind.RETRY)
        if standing and standing[0].state is not StepState.PLANNED:
            return False
        summary = "The customer asked on the payment page to try the card on file again."
        if not cases.append(session, case, EntryKind.FACT, ASKED, f"asked:{click.name}", now, now, summary):
            return False
        why, content = f"asked for by {ACTOR}", {"by": ACTOR, "shown": shown.minor}
        if standing:
            standing[0].due_at, standing[0].why, standing[0].plan = now, why, content
        else:
            steps.plan(session, case, StepKind.RETRY, f"retry:asked:{click.name}", now, why, content)
    return True
