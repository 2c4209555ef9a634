"""What a final action means for this invoice and this subscription."""

from collections.abc import Callable
from itertools import product

import pytest

from app.outcomes.actions import SUBSCRIPTION_KINDS, FinalAction, Plan, PriceMissing, SkipReason, plan
from app.stripe_gateway.snapshots import InvoiceSnapshot, SubscriptionSnapshot
from app.vocabulary import DebtAfterwards, FinalActionKind

Invoices = Callable[..., InvoiceSnapshot]
Subscriptions = Callable[..., SubscriptionSnapshot]
KINDS = list(FinalActionKind)


def action(kind: FinalActionKind, debt: DebtAfterwards = DebtAfterwards.KEEP) -> FinalAction:
    return FinalAction(kind, "price_free" if kind is FinalActionKind.DOWNGRADE else None, debt)


@pytest.mark.parametrize(("kind", "debt"), list(product(FinalActionKind, DebtAfterwards)))
@pytest.mark.parametrize(("status", "reason"), [("paid", SkipReason.INVOICE_PAID), ("void", SkipReason.INVOICE_VOIDED)])
def test_nothing_is_ever_done_about_an_invoice_that_is_owed_no_more(
    kind: FinalActionKind,
    debt: DebtAfterwards,
    status: str,
    reason: SkipReason,
    make_invoice: Invoices,
    make_subscription: Subscriptions,
) -> None:
    planned = plan(action(kind, debt), make_invoice(status), make_subscription())

    assert planned == Plan(changes_subscription=False, changes_debt=False, reason=reason)


@pytest.mark.parametrize("kind", KINDS)
def test_an_invoice_that_is_gone_ends_it(kind: FinalActionKind, make_subscription: Subscriptions) -> None:
    assert plan(action(kind), None, make_subscription()).reason is SkipReason.INVOICE_GONE


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_the_subscription_or_the_debt_or_nothing(
    kind: FinalActionKind, make_invoice: Invoices, make_subscription: Subscriptions
) -> None:
    planned = plan(action(kind), make_invoice(), make_subscription())

    assert planned.reason is None
    assert planned.changes_subscription is (kind in SUBSCRIPTION_KINDS)
    assert planned.changes_debt is (kind is FinalActionKind.MARK_UNCOLLECTIBLE)


@pytest.mark.parametrize("kind", sorted(SUBSCRIPTION_KINDS))
def test_a_written_off_invoice_does_not_save_the_subscription(
    kind: FinalActionKind, make_invoice: Invoices, make_subscription: Subscriptions
) -> None:
    planned = plan(action(kind, DebtAfterwards.MARK_UNCOLLECTIBLE), make_invoice("uncollectible"), make_subscription())

    assert planned == Plan(changes_subscription=True, changes_debt=False)


def test_a_written_off_invoice_can_still_be_voided(make_invoice: Invoices, make_subscription: Subscriptions) -> None:
    planned = plan(
        action(FinalActionKind.LEAVE, DebtAfterwards.VOID), make_invoice("uncollectible"), make_subscription()
    )

    assert planned.changes_debt


def test_marking_uncollectible_twice_has_a_reason(make_invoice: Invoices, make_subscription: Subscriptions) -> None:
    planned = plan(action(FinalActionKind.MARK_UNCOLLECTIBLE), make_invoice("uncollectible"), make_subscription())

    assert planned == Plan(False, False, SkipReason.ALREADY_UNCOLLECTIBLE)


@pytest.mark.parametrize(
    ("subscription_of_invoice", "reason"), [(None, SkipReason.NO_SUBSCRIPTION), ("sub_1", SkipReason.SUBSCRIPTION_GONE)]
)
def test_no_subscription_and_one_that_is_gone_are_told_apart(
    subscription_of_invoice: str | None, reason: SkipReason, make_invoice: Invoices
) -> None:
    planned = plan(
        action(FinalActionKind.PAUSE, DebtAfterwards.VOID), make_invoice(subscription=subscription_of_invoice), None
    )

    assert planned == Plan(changes_subscription=False, changes_debt=True, reason=reason)


def test_a_downgrade_must_say_to_which_price() -> None:
    with pytest.raises(PriceMissing):
        FinalAction(FinalActionKind.DOWNGRADE)
