"""One charge, twice committed: the intention before Stripe is called, the answer after. One charge for each decision.

The idempotency key comes from organization, invoice and attempt number, so that whoever repeats an unanswered call
repeats that very call. No transaction is open while Stripe works.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.context import Context
from app.db import get_row
from app.failpoints import failpoint, failpoint_during
from app.models import ChargeAttempt, Connection, Invoice, RecoveryCase
from app.recovery import cases, deciding, planning, steps
from app.recovery.attempts import method_columns, record_decline
from app.recovery.cases import Happened
from app.recovery.facts import find_method_in_force
from app.recovery.observing import observe_invoice
from app.retries.decisions import Decision, Reason, RetryAt
from app.stripe_gateway.errors import ChargeOutcomeUnknown, ConnectionBroken, KeyInUse, KeyUsedOtherwise, RateLimited
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.paying import ActionRequired, Declined, Paid, PayResult, Processing, Refused
from app.stripe_gateway.snapshots import Signals
from app.vocabulary import AttemptSource, AttemptState, CaseState, EntryKind, Fact, RecoveredBy, StepState

ANSWER_WITHIN = timedelta(seconds=45)  # Stripe answers within 15, so whoever asked is dead
ASK_AGAIN_SOON = timedelta(seconds=20)
ASK_AFTER = (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))


@dataclass(frozen=True)
class Intention:
    """A charge that is committed and may now be asked of Stripe, any number of times, by its key."""

    attempt_id: UUID
    organization_id: UUID
    case_id: UUID
    invoice_stripe_id: str
    idempotency_key: str
    parameters: dict[str, Any]


def begin_charge(
    session: Session, claim: steps.Claim, case: RecoveryCase, decision: Decision, now: datetime
) -> Intention | None:
    """Commit to a charge under the step's lease, or None where the case no longer wants one. The case is locked."""
    if case.state is not CaseState.WAITING or not isinstance(decision, RetryAt) or decision.at > now:
        return None
    failpoint("charge.before_intention")
    invoice = get_row(session, Invoice, case.invoice_id)
    numbers = select(func.coalesce(func.max(ChargeAttempt.number), 0)).where(ChargeAttempt.case_id == case.id)
    number = (session.scalars(numbers).one() or 0) + 1
    method = find_method_in_force(session, case)
    method_id = method.stripe_id if method else None
    written = deciding.newest_decision(session, case.id)
    attempt = ChargeAttempt(
        organization_id=case.organization_id,
        connection_id=case.connection_id,
        case_id=case.id,
        step_id=claim.step_id,
        number=number,
        source=AttemptSource.RECOUP,
        state=AttemptState.CHARGING,
        idempotency_key=f"recoup:{case.organization_id}:{invoice.stripe_id}:{number}",
        parameters={"payment_method": case.new_card_id if decision.reason is Reason.NEW_CARD else None},
        payment_method_id=method_id,
        amount=invoice.amount_remaining,
        currency=invoice.currency,
        started_at=now,
        next_check_at=now + ANSWER_WITHIN,
        decision={
            "reason": str(decision.reason),
            "rules": list(decision.rules),
            "at": decision.at.isoformat(),
            "row": written.id if written else None,
        },
        **method_columns(session, case, method_id, None),
    )
    session.add(attempt)
    session.flush()
    summary = f"Try {number}: the card is charged."
    cases.record(session, case, Happened(Fact.RETRY_DUE, f"retry:{number}", now, summary, attempt.decision), now)
    steps.finish(session, claim, StepState.DONE, f"attempt {number}", now)
    return to_intention(attempt, invoice.stripe_id)


def to_intention(attempt: ChargeAttempt, invoice_stripe_id: str) -> Intention:
    """What is needed to ask Stripe for this attempt, the first time or again."""
    return Intention(
        attempt_id=attempt.id,
        organization_id=attempt.organization_id,
        case_id=attempt.case_id,
        invoice_stripe_id=invoice_stripe_id,
        idempotency_key=attempt.idempotency_key or "",
        parameters=attempt.parameters,
    )


def carry_out(context: Context, gateway: StripeGateway, connection: Connection, intention: Intention) -> None:
    """Ask Stripe for a committed charge and commit its answer; what stays unknown is left to the sweep."""
    failpoint("charge.intention_committed")
    try:
        result: PayResult | None = failpoint_during(
            "charge.request_left",
            lambda: gateway.pay_invoice(
                intention.invoice_stripe_id,
                idempotency_key=intention.idempotency_key,
                payment_method_id=intention.parameters.get("payment_method"),
            ),
        )
        wait = timedelta(0)
    except ChargeOutcomeUnknown:
        result, wait = None, ANSWER_WITHIN
    except KeyUsedOtherwise as problem:
        result, wait = Refused("key_used_otherwise", problem.detail), timedelta(0)
    except (KeyInUse, RateLimited):
        result, wait = None, ASK_AGAIN_SOON
    except ConnectionBroken as problem:
        leave_open(context, intention, ASK_AFTER[1], str(problem))
        raise
    failpoint("charge.answered")
    if result is None:
        leave_open(context, intention, wait, "no answer yet")
        return
    with context.database.organization(intention.organization_id) as session:
        write_answer(session, intention, result, context.clock.now())
        failpoint("charge.outcome_uncommitted")
    failpoint("charge.outcome_committed")
    # what Stripe did besides (charge ids, the paid invoice, the subscription) is read, not guessed
    observe_invoice(context, gateway, connection, intention.invoice_stripe_id)


def leave_open(context: Context, intention: Intention, wait: timedelta, why: str) -> None:
    """Nobody knows yet what came of the charge: note when to ask again. Nothing else may be tried meanwhile."""
    now = context.clock.now()
    with context.database.organization(intention.organization_id) as session:
        case = cases.lock_case(session, intention.case_id)
        attempt = _lock_open(session, intention.attempt_id)
        if attempt is None:
            return
        attempt.state = AttemptState.UNKNOWN
        attempt.checks += 1
        attempt.next_check_at = now + (wait if attempt.checks == 1 else ASK_AFTER[min(attempt.checks - 2, 2)])
        key = f"unanswered:{attempt.number}:{attempt.checks}"
        summary = f"Stripe has not answered try {attempt.number} ({why}); nothing else is tried until it is known."
        cases.append(session, case, EntryKind.NOTE, "unanswered", key, now, now, summary)


def write_answer(session: Session, intention: Intention, result: PayResult, now: datetime) -> None:
    """Record what Stripe answered, once: a second writer finds the attempt closed and changes nothing."""
    case = cases.lock_case(session, intention.case_id)
    attempt = _lock_open(session, intention.attempt_id)
    if attempt is None:
        return
    attempt.answered_at, attempt.next_check_at = now, None
    if isinstance(result, Paid):
        _write_paid(session, case, attempt, result, now)
    elif isinstance(result, Declined):
        _write_declined(session, case, attempt, result, now)
    elif isinstance(result, ActionRequired):
        _write_approval_wanted(session, case, attempt, result, now)
    elif isinstance(result, Processing):
        attempt.state, attempt.answered_at = AttemptState.UNKNOWN, None
        attempt.next_check_at = now + ASK_AFTER[2]
    elif isinstance(result, Refused):
        close_unexecuted(session, case, attempt, Fact.DEAD_CARD, f"Stripe did not charge: {result.reason}.", now)
    session.flush()
    planning.replan(session, case, now)


def close_unexecuted(
    session: Session, case: RecoveryCase, attempt: ChargeAttempt, fact: Fact, why: str, now: datetime
) -> None:
    """Nothing was charged. Refused (`DEAD_CARD`), only the payer can help; never heard (`DECLINED`), it is tried again.

    If the invoice has ended, the next reading says so.
    """
    attempt.state, attempt.next_check_at, attempt.answered_at = AttemptState.REFUSED, None, now
    attempt.reached_network = False
    told = {"customer_reason": case.customer_reason, "why": why}
    cases.record(session, case, Happened(fact, f"refused:{attempt.number}", now, why, told), now)


def _lock_open(session: Session, attempt_id: UUID) -> ChargeAttempt | None:
    return session.scalars(
        select(ChargeAttempt)
        .where(
            ChargeAttempt.id == attempt_id,
            ChargeAttempt.state.in_((AttemptState.CHARGING, AttemptState.UNKNOWN)),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def _write_paid(session: Session, case: RecoveryCase, attempt: ChargeAttempt, result: Paid, now: datetime) -> None:
    attempt.state = AttemptState.SUCCEEDED
    attempt.charge_id = result.invoice.charge_id
    attempt.payment_intent_id = result.invoice.payment_intent_id
    cause = RecoveredBy.NEW_CARD if attempt.decision.get("reason") == "new_card" else RecoveredBy.RETRY
    amount = cases.received(case, result.invoice.amount_paid) or attempt.amount
    data = {"amount": amount, "cause": cause, "currency": attempt.currency}
    summary = f"Paid: try {attempt.number} went through."
    at = min(result.invoice.paid_at or now, now)
    cases.record(session, case, Happened(Fact.PAID, "paid", at, summary, data), now)


def _write_declined(
    session: Session, case: RecoveryCase, attempt: ChargeAttempt, result: Declined, now: datetime
) -> None:
    attempt.state = AttemptState.DECLINED
    attempt.charge_id = result.charge_id
    attempt.payment_intent_id = result.payment_intent_id
    attempt.payment_method_id = result.payment_method_id or attempt.payment_method_id
    attempt.signals = asdict(result.signals)
    attempt.reached_network = result.signals.network_status != "not_sent_to_network"
    for column, value in method_columns(session, case, attempt.payment_method_id, result.card).items():
        setattr(attempt, column, value or getattr(attempt, column))
    session.flush()
    record_decline(session, case, attempt, now, now)


def _write_approval_wanted(
    session: Session, case: RecoveryCase, attempt: ChargeAttempt, result: ActionRequired, now: datetime
) -> None:
    attempt.state = AttemptState.REQUIRES_ACTION
    attempt.payment_intent_id = result.payment_intent_id
    attempt.signals = asdict(Signals(code="invoice_payment_intent_requires_action"))
    told = {"decline_class": "authentication", "customer_reason": "needs_approval", "ask": "approve"}
    summary = "The bank wants the customer to approve this payment."
    cases.record(session, case, Happened(Fact.DEAD_CARD, f"approval:try:{attempt.number}", now, summary, told), now)
    planning.write_at_once(session, case, now)
