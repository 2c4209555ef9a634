"""One bill on the page: an unpaid invoice with its case, its stage as its payer sees it, what a new card would do.

Read from rows. Refuses to know wording, HTTP and Stripe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Invoice, RecoveryCase, Step
from app.money import Money
from app.payment_page import trying
from app.recovery import showing
from app.recovery.facts import attempts_of, find_hold
from app.recovery.questions import find_note, is_question
from app.vocabulary import OPEN_STEP_STATES, CaseState, HoldKind, StepKind

ANSWERS_WITHIN = timedelta(minutes=2)  # what takes longer is not worth watching
# beside the reasons of a decline: a new card was given, but not for this bill, or for another amount, or it is one that
# must not be tried
NOT_SHOWN, OTHER_AMOUNT, NOT_TRIED = "not_shown", "other_amount", "not_tried"


class Stage(StrEnum):
    """Where one bill is, as its payer sees it."""

    OWED = "owed"
    NEEDS_APPROVAL = "needs_approval"
    CARD_SAVED = "card_saved"
    WORKING = "working"
    SLOW = "slow"
    PAID = "paid"
    NOTHING_DUE = "nothing_due"


class CardUse(StrEnum):
    """When a card that is given on the page pays what the page shows."""

    NOW = "now"
    LATER = "later"
    AFTER_DISPUTE = "after_dispute"


TO_SETTLE = (Stage.OWED, Stage.NEEDS_APPROVAL)
UNDER_WAY = (Stage.WORKING, Stage.SLOW)
OVER = (Stage.PAID, Stage.NOTHING_DUE)


@dataclass(frozen=True)
class Bill:
    """One invoice on the page. `next_try_at` is set where a try lies ahead; `held` where a hold keeps every card from
    being charged, a new one included, with `held_until` as far as that is known. Stripe, where it retries, minds no
    hold: `their_try_at` is its next try. `is_asked` tells a hold that is the customer's own note, and `answer` what
    the last note was answered. A promise holds nobody back from paying before its day.
    """

    case_id: UUID
    invoice_stripe_id: str
    stage: Stage
    money: Money
    title: str | None
    number: str | None
    reason: str
    next_try_at: datetime | None
    refreshed_at: datetime
    receipt_url: str | None
    can_try_again: bool
    held: HoldKind | None
    held_until: datetime | None
    their_try_at: datetime | None
    is_asked: bool
    answer: str | None

    @property
    def rests(self) -> bool:
        """Whether it is still to be paid, and nothing is charged for it for the time being."""
        return self.held is not None and self.stage not in (*UNDER_WAY, *OVER)

    @property
    def is_news(self) -> bool:
        """Whether nothing was tried yet with the new card, because its holder must hear of this bill first."""
        return self.reason in (NOT_SHOWN, OTHER_AMOUNT)

    @property
    def waits_for_dispute(self) -> bool:
        """Whether nobody knows the end of its rest, because a bank has to say."""
        return self.held is HoldKind.DISPUTE and self.held_until is None and not self.is_asked


def spoken_of(bills: Sequence[Bill]) -> tuple[Bill, ...]:
    """The bills that the page asks its reader to settle, and its amounts are the sum of: what can be settled now; else
    what is under way; what rests only where there is nothing else.
    """
    owed = tuple(bill for bill in bills if bill.stage not in OVER)
    free = tuple(bill for bill in owed if not bill.rests)
    return tuple(bill for bill in free if bill.stage in TO_SETTLE) or free or owed


def card_use(bills: Sequence[Bill]) -> CardUse:
    """When a card given now would pay the bills that are spoken of."""
    if not any(bill.rests for bill in bills):
        return CardUse.NOW
    return CardUse.AFTER_DISPUTE if any(bill.waits_for_dispute for bill in bills) else CardUse.LATER


def read_bill(session: Session, case: RecoveryCase, invoice: Invoice, now: datetime) -> Bill:
    """How one bill stands at `now`."""
    retry = session.scalar(
        select(Step).where(Step.case_id == case.id, Step.kind == StepKind.RETRY, Step.state.in_(OPEN_STEP_STATES))
    )
    attempts = attempts_of(session, case)
    last_at = attempts[-1].started_at if attempts else None
    stage = _stage(case, invoice, retry, last_at, now)
    hold = find_hold(session, case, now, but=HoldKind.PROMISE) if stage not in OVER else None
    # while it rests nothing is asked for it, and so there is nothing to tell of a card that was not given for it
    news = _read_news(session, case, invoice, now) if stage is Stage.CARD_SAVED and hold is None else None
    stage = Stage.OWED if news else stage
    minor = invoice.amount_remaining if stage not in OVER else case.recovered_amount or case.amount_due
    theirs = _ahead(invoice.next_payment_attempt, now) if stage not in OVER else None
    # under a hold the calendar says when to look again, which is a try only for a card that was given meanwhile
    ours = retry.due_at if retry and (hold is None or stage is Stage.CARD_SAVED) else None
    return Bill(
        case_id=case.id,
        invoice_stripe_id=invoice.stripe_id,
        stage=stage,
        money=Money(minor, invoice.currency),
        title=case.billed_name or invoice.description,
        number=invoice.number,
        reason=news or (NOT_TRIED if _was_left_untried(case, last_at) else case.customer_reason),
        next_try_at=(_ahead(ours, now) or theirs) if case.state is CaseState.WAITING else None,
        refreshed_at=invoice.refreshed_at,
        receipt_url=invoice.hosted_invoice_url if stage is Stage.PAID else None,
        can_try_again=stage is Stage.OWED and trying.may_ask(session, case, attempts, now),
        held=hold.kind if hold else None,
        held_until=min(filter(None, (hold.until, theirs)), default=None) if hold else None,
        their_try_at=theirs,
        is_asked=hold is not None and is_question(hold),
        answer=find_note(session, case)[1] if stage not in OVER else None,
    )


def _ahead(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment and moment > now else None


def _stage(
    case: RecoveryCase, invoice: Invoice, retry: Step | None, last_try_at: datetime | None, now: datetime
) -> Stage:
    if case.state is CaseState.RECOVERED or invoice.status == "paid":
        return Stage.PAID
    if case.state is CaseState.CLOSED or invoice.status != "open" or invoice.amount_remaining <= 0:
        return Stage.NOTHING_DUE
    if case.state is CaseState.CHARGING:
        return _watched(last_try_at, now)
    if retry is not None and retry.due_at <= now:
        return _watched(retry.due_at, now)
    if _was_left_untried(case, last_try_at):
        return Stage.OWED
    if case.state in (CaseState.NEEDS_CUSTOMER, CaseState.EXHAUSTED) and case.customer_reason == "needs_approval":
        return Stage.NEEDS_APPROVAL
    return Stage.CARD_SAVED if _is_untried(case, last_try_at) and case.state is CaseState.WAITING else Stage.OWED


def _is_untried(case: RecoveryCase, last_try_at: datetime | None) -> bool:
    return case.new_card_at is not None and (last_try_at is None or last_try_at < case.new_card_at)


def _was_left_untried(case: RecoveryCase, last_try_at: datetime | None) -> bool:
    """Whether the new card is one that no rule lets us try, such as the number of a dead one given anew."""
    return case.state is CaseState.NEEDS_CUSTOMER and _is_untried(case, last_try_at)


def _read_news(session: Session, case: RecoveryCase, invoice: Invoice, now: datetime) -> str | None:
    """What the payer must hear first, where the new card was given on a page that did not show this invoice as it is
    now."""
    until = showing.waits_until(session, case, invoice)
    if until is None or until <= now:
        return None
    return OTHER_AMOUNT if showing.was_shown(session, case) else NOT_SHOWN


def _watched(since: datetime | None, now: datetime) -> Stage:
    return Stage.WORKING if since is None or now - since < ANSWERS_WITHIN else Stage.SLOW
