"""Rows turned into what the planner may know of a case, and campaigns and connections into its policy. Reads only."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.campaigns.definition import CampaignDefinition
from app.db import get_row, prepared
from app.models import ChargeAttempt, Connection, Customer, Hold, Invoice, PaymentMethod, RecoveryCase, Subscription
from app.money import exponent
from app.recovery import promise_rows, showing
from app.recovery.past import past_uses_of_card
from app.retries.facts import Attempt, Card, CardUse, CaseFacts, DeclineSignals, Outcome, RetryPolicy
from app.retries.knowledge import CURRENCIES
from app.stripe_gateway.snapshots import Signals
from app.vocabulary import AttemptState, CaseOrigin, HoldKind

_OUTCOMES: dict[AttemptState, Outcome] = {
    AttemptState.SUCCEEDED: "approved",
    AttemptState.DECLINED: "declined",
    AttemptState.REQUIRES_ACTION: "requires_action",
    AttemptState.CHARGING: "unknown",
    AttemptState.UNKNOWN: "unknown",
}  # what Stripe refused is not among them: it never was a try of the card, and the planner hears nothing of it
_CARD_BUDGET = timedelta(days=30)
_MOST_USES = 200  # more than any budget counts; what lies behind them changes no answer


def to_decline_signals(signals: Signals) -> DeclineSignals:
    """The gateway's signals as the planner's: the same eight words on either side of a wall."""
    return DeclineSignals(**asdict(signals))


def gather(session: Session, case: RecoveryCase, now: datetime) -> CaseFacts:
    """Everything the planner may know about `case` at `now`."""
    invoice = get_row(session, Invoice, case.invoice_id)
    customer = get_row(session, Customer, case.customer_id)
    method = find_method_in_force(session, case)
    unshown_until = showing.waits_until(session, case, invoice)
    attempts = attempts_of(session, case)
    holds = promise_rows.unreleased(session, case)
    hold_until, hold_reason = _latest(
        _held(holds, now),
        _promised(holds, case, attempts, now),
        (unshown_until, showing.NOT_SHOWN) if unshown_until and unshown_until > now else None,
    )
    subscription = get_row(session, Subscription, case.subscription_id) if case.subscription_id else None
    return CaseFacts(
        seed=str(case.id),
        failed_at=case.failed_at,
        amount_minor=case.amount_due,
        currency=case.currency,
        card=Card(method.brand, method.funding, method.country, method.fingerprint) if method else None,
        payment_method_id=method.stripe_id if method else None,
        attempts=tuple(_attempt(row, case) for row in attempts if row.state in _OUTCOMES),
        card_attempts=_card_uses(session, case, method, now),
        # a card that was not given for this invoice is in force, but no reason to charge at once
        new_card_at=None if unshown_until else case.new_card_at,
        new_card_by="updater" if case.new_card_by == "updater" else "payer",
        stripe_next_attempt_at=invoice.next_payment_attempt,
        stripe_gave_up=subscription is not None and subscription.status in ("canceled", "unpaid"),
        hold_until=hold_until,
        hold_reason=hold_reason,
        is_bank_debit=method is not None
        and method.type in ("us_bank_account", "sepa_debit", "bacs_debit", "au_becs_debit"),
        timezone=customer.timezone,
        promised_for=promise_rows.promised_in(holds, case.failed_at),
        tenure_days=(case.failed_at - customer.customer_since).days if customer.customer_since else None,
    )


def policy_for(connection: Connection, definition: CampaignDefinition, currency: str) -> RetryPolicy:
    """The planner's policy for an amount in `currency`: who retries from the connection, how from the campaign."""
    wanted = definition.retries
    return RetryPolicy(
        mode=connection.mode.value,
        timing=wanted.timing,
        ladder_days=wanted.ladder_days,
        window_days=definition.window_days,
        max_attempts=wanted.max_attempts,
        min_gap_hours=wanted.min_gap_hours,
        exploration_loss=wanted.exploration_loss,
        exploration_max_minor=_in_minor(wanted.explore_up_to_dollars, currency),
    )


def _in_minor(dollars: float | None, currency: str) -> int | None:
    """About so much in a currency's minor units; nothing where its rate is not known, so that nothing is risked."""
    if dollars is None:
        return None
    return int(dollars * CURRENCIES.get(currency, 0.0) * 10 ** exponent(currency))


def attempts_of(session: Session, case: RecoveryCase) -> list[ChargeAttempt]:
    """Every attempt of a case, oldest first."""
    return list(session.scalars(*_attempts_of(case.id)))


@prepared
def _attempts_of(case_id: UUID) -> Select[ChargeAttempt]:
    attempts = select(ChargeAttempt).where(ChargeAttempt.case_id == case_id)
    return attempts.order_by(ChargeAttempt.started_at, ChargeAttempt.id)


def find_hold(session: Session, case: RecoveryCase, now: datetime, but: HoldKind | None = None) -> Hold | None:
    """The hold that ends last of those in force for the case or its customer; one without an end counts as last.

    Holds of the kind `but` are passed over.
    """
    return _last_in_force(promise_rows.unreleased(session, case), now, but)


def _last_in_force(holds: Sequence[Hold], now: datetime, but: HoldKind | None) -> Hold | None:
    standing = [hold for hold in holds if hold.kind is not but and (hold.until is None or hold.until > now)]
    return max(standing, key=lambda hold: (hold.until is None, hold.until or now), default=None)


_Wait = tuple[datetime | None, str]
_NEVER = datetime.max.replace(tzinfo=UTC)


def _held(holds: Sequence[Hold], now: datetime) -> _Wait | None:
    hold = _last_in_force(holds, now, but=HoldKind.PROMISE)
    return (hold.until, hold.kind.value) if hold else None


def _promised(holds: Sequence[Hold], case: RecoveryCase, attempts: list[ChargeAttempt], now: datetime) -> _Wait | None:
    """A promise keeps tries back until its moment; a card that its maker gave since then may be charged before."""
    promise = promise_rows.standing_in(holds, now)
    if promise is None or promise_rows.may_try_from(promise) <= now:
        return None
    given = case.new_card_at if case.new_card_by == "payer" else None
    is_untried = given and given >= promise.begins_at and not any(one.started_at >= given for one in attempts)
    return None if is_untried else (promise_rows.may_try_from(promise), promise.kind.value)


def _latest(*waits: _Wait | None) -> tuple[datetime | None, str | None]:
    """Until when nothing is charged, and why: the wait that ends last, if there is any."""
    known = [wait for wait in waits if wait]
    endless = next((wait for wait in known if wait[0] is None), None)
    return endless or max(known, key=lambda wait: wait[0] or _NEVER, default=(None, None))


def find_method_in_force(session: Session, case: RecoveryCase) -> PaymentMethod | None:
    """The payment method Stripe would charge now, as far as it has been read."""
    customer = get_row(session, Customer, case.customer_id)
    subscription = get_row(session, Subscription, case.subscription_id) if case.subscription_id else None
    invoice = get_row(session, Invoice, case.invoice_id)
    wanted = (
        case.new_card_id
        or invoice.default_payment_method_id
        or (subscription.default_payment_method_id if subscription else None)
        or customer.default_payment_method_id
        or customer.default_source_id
    )
    return find_method(session, case, wanted)


def find_method(session: Session, case: RecoveryCase, stripe_id: str | None) -> PaymentMethod | None:
    """A payment method of the account that `case` belongs to, by its id at Stripe, if it has been read."""
    return session.scalar(*_method(case.connection_id, stripe_id)) if stripe_id else None


@prepared
def _method(connection_id: UUID, stripe_id: str) -> Select[PaymentMethod]:
    return select(PaymentMethod).where(
        PaymentMethod.connection_id == connection_id, PaymentMethod.stripe_id == stripe_id
    )


def _attempt(row: ChargeAttempt, case: RecoveryCase) -> Attempt:
    # The campaign of an old debt begins anew: earlier tries are seen, and stand in budgets, but are no rungs of its
    # ladder. Those of a bank debit (they bear no card's fingerprint) count for ever: Nacha allows so many and no more.
    is_of_the_past = case.origin is CaseOrigin.OLD_DEBT and row.started_at < case.opened_at and row.fingerprint
    return Attempt(
        at=row.started_at,
        source="customer" if is_of_the_past else row.source.value,
        outcome=_OUTCOMES[row.state],
        signals=DeclineSignals(**row.signals),
        reached_network=row.reached_network,
        payment_method_id=row.payment_method_id,
        fingerprint=row.fingerprint,
        brand=row.brand,
    )


def _card_uses(
    session: Session, case: RecoveryCase, method: PaymentMethod | None, now: datetime
) -> tuple[CardUse, ...]:
    if method is None or method.fingerprint is None:
        return ()
    card = case.connection_id, method.fingerprint, now - _CARD_BUDGET
    uses = [*session.scalars(*_uses_of_card(*card)), *past_uses_of_card(session, *card)]
    newest = sorted(uses, key=lambda row: row.started_at)[-_MOST_USES:]
    return tuple(CardUse(row.started_at, row.amount, DeclineSignals(**row.signals)) for row in newest)


@prepared
def _uses_of_card(connection_id: UUID, fingerprint: str, since: datetime) -> Select[ChargeAttempt]:
    return (
        select(ChargeAttempt)
        .where(
            ChargeAttempt.connection_id == connection_id,
            ChargeAttempt.fingerprint == fingerprint,
            ChargeAttempt.started_at > since,
            ChargeAttempt.reached_network,
            ChargeAttempt.state != AttemptState.REFUSED,
        )
        .order_by(ChargeAttempt.started_at)
    )
