"""What a hold keeps from happening, for whoever says what comes next. Pure; the holding back itself is done elsewhere:
tries by the planner, mails by the cadence."""

from datetime import datetime

from app.vocabulary import OPEN_CASE_STATES, CaseState, HoldKind, StepKind

HELD_BACK = (StepKind.RETRY, StepKind.MESSAGE, StepKind.WINDOW_END)


def is_stopped(state: CaseState, kind: StepKind, due_at: datetime, hold: HoldKind, until: datetime | None) -> bool:
    """Whether a step of a case in `state` will not do its work at `due_at`, because a hold lasts until `until`; None
    is an end that nobody knows. A promise stops mails, while its try is put on its own day."""
    if hold is HoldKind.PROMISE and kind is StepKind.RETRY:
        return False
    return state in OPEN_CASE_STATES and kind in HELD_BACK and (until is None or due_at < until)
