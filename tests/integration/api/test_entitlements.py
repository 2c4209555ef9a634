"""Whether access should stay, over HTTP and from rows: every state of a case, several subscriptions, caching."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.api.entitlements import MAX_AGE
from app.context import Context
from app.models import Customer, Invoice, RecoveryCase, Subscription
from app.vocabulary import CaseState
from tests.integration.api.conftest import Program
from tests.integration.api.test_isolation import customer_of
from tests.integration.console.world import World, add_case

Change = Callable[[Subscription, Invoice], object]


@pytest.fixture
def in_trouble(context: Context, world: World, now: datetime) -> Callable[..., str]:
    """A customer with an open case, and something changed about their rows; gives their id at Stripe."""

    def make(change: Change | None = None) -> str:
        with context.database.organization(world.organization_id) as session:
            case = add_case(session, world, CaseState.NEEDS_CUSTOMER, now - timedelta(days=3), now, 70)
            if change:
                change(session.get_one(Subscription, case.subscription_id), session.get_one(Invoice, case.invoice_id))
            return session.get_one(Customer, case.customer_id).stripe_id

    return make


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (CaseState.WAITING, "on_hold"),  # a promise for tomorrow
        (CaseState.CHARGING, "in_recovery"),
        (CaseState.NEEDS_CUSTOMER, "in_recovery"),
        (CaseState.RECOVERED, "no_open_case"),
        (CaseState.EXHAUSTED, "left_alone"),  # its final action changed nothing
        (CaseState.CLOSED, "no_open_case"),
    ],
)
def test_access_is_kept_in_every_state_until_something_is_really_done(
    program: Program, context: Context, world: World, state: CaseState, reason: str
) -> None:
    found = program.get(f"/api/v1/entitlements/{customer_of(context, world, state)}").json
    assert (found["access"], found["reason"], found["is_known"]) == ("keep", reason, True)
    assert found["subscriptions"][0]["reason"] == reason
    if reason in ("on_hold", "in_recovery"):
        assert found["then"] == "end"
        with context.database.organization(world.organization_id) as session:
            ends_at = session.get_one(RecoveryCase, world.case_ids[state]).window_ends_at
        assert datetime.fromisoformat(found["until"]) == ends_at
        assert found["subscriptions"][0]["case"] == str(world.case_ids[state])


def test_a_cancelled_subscription_ends_access_and_a_second_one_keeps_it(
    program: Program, context: Context, world: World, now: datetime, in_trouble: Callable[..., str]
) -> None:
    customer = in_trouble(lambda subscription, _: setattr(subscription, "status", "canceled"))
    address = f"/api/v1/entitlements/{customer}"
    assert program.get(address).json["access"] == "end"
    with context.database.organization(world.organization_id) as session:
        session.add(
            Subscription(
                organization_id=world.organization_id, connection_id=world.connection_id, stripe_id=f"sub_2_{customer}",
                customer_stripe_id=customer, status="active", refreshed_at=now,
            )
        )  # fmt: skip
    found = program.get(address).json
    assert (found["access"], found["reason"]) == ("keep", "no_open_case")
    assert {row["access"] for row in found["subscriptions"]} == {"keep", "end"}
    one = program.get(f"{address}?subscription=sub_2_{customer}").json
    assert [row["access"] for row in one["subscriptions"]] == ["keep"]


def test_a_subscription_that_only_an_invoice_names_keeps_access(
    program: Program, in_trouble: Callable[..., str]
) -> None:
    def change(subscription: Subscription, invoice: Invoice) -> None:
        subscription.status = "canceled"
        invoice.subscription_stripe_id, invoice.status = f"sub_unheard_{invoice.stripe_id}", "paid"

    found = program.get(f"/api/v1/entitlements/{in_trouble(change)}").json
    assert (found["access"], found["reason"]) == ("keep", "unknown_subscription")


def test_an_answer_may_be_kept_a_moment_and_outlives_recoup_being_away(
    program: Program, in_trouble: Callable[..., str]
) -> None:
    address = f"/api/v1/entitlements/{in_trouble()}"
    first = program.get(address)
    assert first.headers["Cache-Control"] == f"private, max-age={MAX_AGE}, stale-if-error=86400"
    assert program.get(address, **{"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_a_customer_without_subscriptions_keeps_access(
    program: Program, context: Context, world: World, in_trouble: Callable[..., str]
) -> None:
    customer = in_trouble(lambda subscription, invoice: setattr(invoice, "subscription_stripe_id", None))
    with context.database.organization(world.organization_id) as session:
        for row in session.scalars(select(Subscription).where(Subscription.customer_stripe_id == customer)):
            session.delete(row)
    found = program.get(f"/api/v1/entitlements/{customer}").json
    assert (found["access"], found["reason"], found["subscriptions"]) == ("keep", "in_recovery", [])
