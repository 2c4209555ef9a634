"""What a hold keeps from happening, for whoever says what comes next. Pure; the holding back itself is done elsewhere:
tries by the planner, mails by the cadence."""

from datetime import datetime

from app.vocabulary import OPEN_CASE_STATES, CaseState, StepKind

HELD_BACK = (StepKind.RETRY, StepKind.MESSAGE, StepKind.WINDOW_END)


def is_stopped(state: CaseState, kind: StepKind, due_at: datetime, until: datetime | None) -> bool:
    """Whether a step of a case in `state` will not do its work at `due_at`, because a hold lasts until `until`; None
    is an end that nobody knows."""
    return state in OPEN_CASE_STATES and kind in HELD_BACK and (until is None or due_at < until)
