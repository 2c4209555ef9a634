"""What a customer chose instead of paying, as it travels in a step's plan. Pure."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.outcomes.actions import FinalAction
from app.vocabulary import DebtAfterwards, FinalActionKind

CHOSEN = "final_action:chosen"  # the key of the step that carries a choice out
UNDO = "restore:asked"  # and of the one that takes it back
CHOICE_DONE, CHOICE_UNDONE = "message:choice_done", "message:choice_undone"  # the keys of the mails that say so
CHOICE_TOLD = (CHOICE_DONE, CHOICE_UNDONE)


def write_choice(action: FinalAction) -> dict[str, Any]:
    """The plan that `read_choice` takes."""
    resumes_at = action.resumes_at.isoformat() if action.resumes_at else None
    choice = {"kind": action.kind, "price": action.price_id, "debt": action.debt, "resumes_at": resumes_at}
    return {"choice": choice}


def read_choice(plan: Mapping[str, Any]) -> FinalAction | None:
    """The chosen action; None for a step that carries out the campaign's."""
    choice = plan.get("choice")
    if choice is None:
        return None
    resumes_at = choice["resumes_at"]
    return FinalAction(
        FinalActionKind(choice["kind"]),
        choice["price"],
        DebtAfterwards(choice["debt"]),
        resumes_at=datetime.fromisoformat(resumes_at) if resumes_at else None,
        is_chosen=True,
    )


def months_later(moment: datetime, months: int) -> datetime:
    """The same day so many months on; the last of a shorter month."""
    years, month = divmod(moment.month - 1 + months, 12)
    year, month = moment.year + years, month + 1
    return moment.replace(year=year, month=month, day=min(moment.day, monthrange(year, month)[1]))
