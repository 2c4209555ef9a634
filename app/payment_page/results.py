"""What came of it, bill by bill: which of the endings is said, and of which bills. Refuses to know wording and HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.payment_page.bills import Bill, Stage


class Result(StrEnum):
    """How the outcome is called on the page."""

    WORKING = "working"
    APPROVE = "approve"
    PARTLY = "partly"
    DECLINED = "declined"
    SAVED = "saved"
    SLOW = "slow"
    PAID = "paid"
    PAID_BUT = "paid_but"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Outcome:
    """A result with the bills that it is said of, and those listed with it; `resting` ones are listed apart."""

    result: Result
    about: tuple[Bill, ...]
    listed: tuple[Bill, ...]
    resting: tuple[Bill, ...]


def read_outcome(bills: Sequence[Bill]) -> Outcome:
    """What is to be said of these bills: what needs somebody comes before what is good."""
    free = tuple(bill for bill in bills if not bill.rests)
    is_all_at_rest = not any(bill.stage is not Stage.NOTHING_DUE for bill in free)
    told_of = tuple(bills) if is_all_at_rest else free
    resting = () if is_all_at_rest else tuple(bill for bill in bills if bill.rests)
    result, stage = _result({bill.stage for bill in told_of}, is_something_at_rest=bool(resting))
    return Outcome(result, tuple(bill for bill in told_of if bill.stage is stage), told_of, resting)


def _result(stages: set[Stage], *, is_something_at_rest: bool) -> tuple[Result, Stage]:
    paid = Result.PAID_BUT if is_something_at_rest else Result.PAID
    owed = Result.PARTLY if Stage.PAID in stages else Result.DECLINED
    ranked = {
        Stage.WORKING: Result.WORKING,
        Stage.NEEDS_APPROVAL: Result.APPROVE,
        Stage.OWED: owed,
        Stage.CARD_SAVED: Result.SAVED,
        Stage.SLOW: Result.SLOW,
        Stage.PAID: paid,
    }
    found = next((stage for stage in ranked if stage in stages), Stage.NOTHING_DUE)
    return ranked.get(found, Result.NOTHING), found
