"""What else the page offers beside a card: another day, a word to the merchant, another address, something instead.

Read from rows, within what the operator allows in the campaign. Refuses to know wording, HTTP and Stripe.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.contact import PageOffers
from app.models import CaseEntry, Connection, RecoveryCase
from app.payment_page.bills import OVER, TO_SETTLE, Bill, spoken_of
from app.recovery import planning, promises, questions, retention
from app.recovery.promises import Promise
from app.recovery.retention import Offer
from app.vocabulary import DebtAfterwards, FinalActionKind, FinalActionState


@dataclass(frozen=True)
class Chosen:
    """What the customer chose instead of paying. `is_done` is False while it is still being carried out."""

    kind: FinalActionKind
    is_done: bool
    is_undone: bool
    resumes_at: datetime | None
    plan: str | None
    can_undo: bool


@dataclass(frozen=True)
class Offers:
    """What may be offered now. `days` can be promised for everything that the page asks to be settled; `promises` stand
    already, by case, and `promise` where they do for all of it. `askable` are the bills about which something may be
    wrong; `ends` are those that are settled by choosing something `instead`.
    """

    days: tuple[date, ...]
    tries_on_day: bool
    promise: Promise | None
    promises: Mapping[UUID, Promise]
    askable: tuple[Bill, ...]
    contact: bool
    instead: tuple[Offer, ...]
    ends: tuple[Bill, ...]
    chosen: Chosen | None
    publishable_key: str | None

    @property
    def is_anything(self) -> bool:
        """Whether there is any other way to show."""
        return bool(self.days or self.askable or self.contact or self.instead)


def read_offers(session: Session, case: RecoveryCase, bills: Sequence[Bill], now: datetime) -> Offers:
    """What the page of `case` may offer about `bills`, oldest first."""
    allowed = planning.definition_of(session, case).page
    to_settle = [bill for bill in bills if bill.stage in TO_SETTLE]
    cases = [session.get_one(RecoveryCase, bill.case_id) for bill in spoken_of(bills) if bill in to_settle]
    ends = _in_one_subscription(session, case, bills)
    made = {one.id: promise for one in cases if (promise := promises.find_promise(session, one, now))}
    is_one = len(made) == len(cases)
    return Offers(
        days=_days(session, cases, now) if allowed.pick_a_day else (),
        tries_on_day=any(promises.tries_card(session, one, now) for one in cases),
        promise=min(made.values(), key=lambda one: one.promised_for, default=None) if is_one else None,
        promises=made,
        askable=_askable(session, to_settle) if allowed.wrong_invoice else (),
        contact=allowed.billing_contact and bool(to_settle),
        instead=retention.offers(session, case, now) if case.id in {bill.case_id for bill in ends} else (),
        ends=ends,
        chosen=_chosen(session, case),
        publishable_key=_publishable_key(session, case, allowed),
    )


def _in_one_subscription(session: Session, case: RecoveryCase, bills: Sequence[Bill]) -> tuple[Bill, ...]:
    """The bills that a choice about the subscription of `case` would end: all that is owed, if it is all of it."""
    owed = tuple(bill for bill in bills if bill.stage not in OVER)
    subscriptions = {session.get_one(RecoveryCase, bill.case_id).subscription_id for bill in owed}
    return owed if case.subscription_id is not None and subscriptions == {case.subscription_id} else ()


def _days(session: Session, cases: Sequence[RecoveryCase], now: datetime) -> tuple[date, ...]:
    possible = [promises.possible_days(session, one, now) for one in cases]
    return tuple(day for day in possible[0] if all(day in days for days in possible)) if possible else ()


def _askable(session: Session, bills: Sequence[Bill]) -> tuple[Bill, ...]:
    return tuple(bill for bill in bills if questions.can_ask(session, session.get_one(RecoveryCase, bill.case_id)))


def _chosen(session: Session, case: RecoveryCase) -> Chosen | None:
    told = select(CaseEntry.data).where(CaseEntry.case_id == case.id, CaseEntry.key == retention.TOLD)
    data = session.scalar(told)
    row = retention.find_choice(session, case)
    if data is None or (row is not None and row.state is FinalActionState.SKIPPED):
        return None  # Stripe refused it, or there was nothing to change: an operator sees why, and nothing is claimed
    resumes_at = data.get("resumes_at")
    return Chosen(
        kind=FinalActionKind(data["choice"]),
        is_done=row is not None and row.state is not FinalActionState.INTENDED,
        is_undone=row is not None and row.state is FinalActionState.RESTORED,
        resumes_at=datetime.fromisoformat(resumes_at) if resumes_at else None,
        plan=data.get("plan"),
        can_undo=retention.can_undo(session, case),
    )


def _publishable_key(session: Session, case: RecoveryCase, allowed: PageOffers) -> str | None:
    return session.get_one(Connection, case.connection_id).publishable_key if allowed.payment_element else None


def debt_word(offer: Offer) -> str:
    """What becomes of the open amount, as the texts call it."""
    return "keep" if offer.action.debt is DebtAfterwards.KEEP else "drop"
