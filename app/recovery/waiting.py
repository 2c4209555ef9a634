"""How long to wait for a charge whose answer is not there yet. Reads one row; knows nothing of who waits."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import ChargeAttempt, RecoveryCase
from app.vocabulary import OPEN_ATTEMPT_STATES

SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


def pause_for_charge(session: Session, case: RecoveryCase, now: datetime) -> timedelta:
    """A charge is over in a moment; one whose answer never came is asked after later, and no sooner than that."""
    open_attempt = (ChargeAttempt.case_id == case.id, ChargeAttempt.state.in_(OPEN_ATTEMPT_STATES))
    asked_at = session.scalar(select(func.max(ChargeAttempt.next_check_at)).where(*open_attempt))
    return min(max((asked_at or now) - now, SHORTEST_PAUSE), LONGEST_PAUSE)
