"""What each final action does at Stripe, what it leaves alone, and that it does it once."""

from uuid import uuid4

import pytest

from app.outcomes.actions import FinalAction, SkipReason
from app.outcomes.final import run_final_action
from app.outcomes.ledger import CaseMissing
from app.vocabulary import DebtAfterwards, FinalActionKind, FinalActionState
from tests.integration.outcomes.conftest import Scene

DONE, SKIPPED = FinalActionState.DONE, FinalActionState.SKIPPED


def test_cancelling_now_ends_the_subscription_and_leaves_the_debt(scene: Scene) -> None:
    assert scene.take(FinalActionKind.CANCEL_NOW).state is DONE

    assert scene.subscription().status == "canceled"
    assert scene.invoice().status == "open"


def test_cancelling_at_period_end_lets_it_run_till_then(scene: Scene) -> None:
    assert scene.take(FinalActionKind.CANCEL_AT_PERIOD_END).state is DONE

    assert scene.subscription().cancel_at_period_end
    assert scene.subscription().status == "past_due"


def test_a_downgrade_keeps_the_subscription_on_another_price_and_charges_nothing(scene: Scene) -> None:
    result = scene.take(FinalActionKind.DOWNGRADE)

    assert result.state is DONE
    assert result.changed_subscription
    assert scene.free_price_id in result.summary
    assert scene.prices() == [scene.free_price_id]
    invoices = scene.stripe.ask(f"invoices?subscription={scene.subscription_id}", method="GET")["data"]
    assert len(invoices) == 2  # the first, and the one that failed


def test_a_pause_stops_collecting_coming_invoices(scene: Scene) -> None:
    assert scene.take(FinalActionKind.PAUSE).state is DONE

    pause = scene.subscription().pause_collection
    assert pause is not None
    assert pause["behavior"] == "void"


def test_marking_uncollectible_writes_the_debt_off_and_leaves_the_subscription(scene: Scene) -> None:
    result = scene.take(FinalActionKind.MARK_UNCOLLECTIBLE)

    assert result.summary == "The subscription was left as it is; the invoice was marked uncollectible."
    assert scene.invoice().status == "uncollectible"
    assert scene.prices() == [scene.price_id]


def test_leaving_it_writes_nothing_at_stripe(scene: Scene) -> None:
    before = len(scene.stripe.recorder.writes)

    assert scene.take(FinalActionKind.LEAVE).state is DONE

    assert len(scene.stripe.recorder.writes) == before


@pytest.mark.parametrize(
    ("debt", "status"),
    [
        (DebtAfterwards.KEEP, "open"),
        (DebtAfterwards.VOID, "void"),
        (DebtAfterwards.MARK_UNCOLLECTIBLE, "uncollectible"),
    ],
)
def test_the_debt_afterwards_is_a_decision_of_its_own(scene: Scene, debt: DebtAfterwards, status: str) -> None:
    scene.take(FinalActionKind.DOWNGRADE, debt)

    assert scene.invoice().status == status
    assert scene.prices() == [scene.free_price_id]


def test_what_the_subscription_was_is_kept_before_it_is_touched(scene: Scene) -> None:
    before = scene.subscription().raw

    scene.take(FinalActionKind.DOWNGRADE)

    assert scene.row().before == before
    assert scene.row().subscription_stripe_id == scene.subscription_id


def test_every_item_of_a_subscription_gives_way_to_the_one_price(scene: Scene) -> None:
    extra = scene.stripe.ask(
        "prices",
        {"currency": "eur", "unit_amount": 900, "recurring[interval]": "month", "product_data[name]": "Support"},
    )
    scene.stripe.ask(
        f"subscriptions/{scene.subscription_id}", {"items[0][price]": extra["id"], "proration_behavior": "none"}
    )

    scene.take(FinalActionKind.DOWNGRADE)

    assert scene.prices() == [scene.free_price_id]


def test_a_finished_action_is_reported_and_not_repeated(scene: Scene) -> None:
    first = scene.take(FinalActionKind.DOWNGRADE)
    writes = list(scene.stripe.recorder.writes)

    assert scene.take(FinalActionKind.CANCEL_NOW) == first
    assert scene.stripe.recorder.writes == writes


def test_a_payment_wins_over_any_action(scene: Scene) -> None:
    scene.pay()

    result = scene.take(FinalActionKind.CANCEL_NOW, DebtAfterwards.VOID)

    assert (result.state, result.reason) == (SKIPPED, SkipReason.INVOICE_PAID)
    assert scene.subscription().status == "active"


def test_a_voided_invoice_costs_nobody_a_subscription(scene: Scene) -> None:
    scene.stripe.ask(f"invoices/{scene.invoice_id}/void")

    result = scene.take(FinalActionKind.CANCEL_NOW)

    assert (result.state, result.reason) == (SKIPPED, SkipReason.INVOICE_VOIDED)
    assert scene.subscription().status != "canceled"


def test_an_invoice_without_subscription_leaves_nothing_to_cancel(scene: Scene) -> None:
    customer = scene.subscription().customer_id
    scene.stripe.ask("invoiceitems", {"customer": customer, "amount": 700, "currency": "eur"})
    invoice = scene.stripe.ask(
        "invoices", {"customer": customer, "currency": "eur", "pending_invoice_items_behavior": "include"}
    )
    scene.stripe.ask(f"invoices/{invoice['id']}/finalize")
    scene.be_about(invoice["id"])

    result = scene.take(FinalActionKind.CANCEL_NOW)

    assert (result.state, result.reason) == (SKIPPED, SkipReason.NO_SUBSCRIPTION)
    assert result.summary == "The final action was not taken: the invoice belongs to no subscription."


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (FinalActionKind.DOWNGRADE, SkipReason.ALREADY_CANCELLED),
        (FinalActionKind.PAUSE, SkipReason.ALREADY_CANCELLED),
        (FinalActionKind.CANCEL_NOW, SkipReason.ALREADY_CANCELLED),
        (FinalActionKind.CANCEL_AT_PERIOD_END, SkipReason.ALREADY_CANCELLED),
    ],
)
def test_a_cancelled_subscription_is_let_be(scene: Scene, kind: FinalActionKind, reason: SkipReason) -> None:
    scene.stripe.ask(f"subscriptions/{scene.subscription_id}", method="DELETE")

    result = scene.take(kind)

    assert (result.state, result.reason) == (SKIPPED, reason)


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        (FinalActionKind.PAUSE, {"pause_collection[behavior]": "keep_as_draft"}, SkipReason.ALREADY_PAUSED),
        (FinalActionKind.CANCEL_AT_PERIOD_END, {"cancel_at_period_end": "true"}, SkipReason.ALREADY_ENDING),
    ],
)
def test_what_is_so_already_is_not_done_again(
    scene: Scene, kind: FinalActionKind, change: dict[str, str], reason: SkipReason
) -> None:
    scene.stripe.ask(f"subscriptions/{scene.subscription_id}", change)

    assert scene.take(kind).reason == reason


def test_the_debt_is_still_dealt_with_where_the_subscription_needs_nothing(scene: Scene) -> None:
    result = scene.take(FinalActionKind.DOWNGRADE, DebtAfterwards.VOID, price_id=scene.price_id)

    assert (result.state, result.reason) == (DONE, SkipReason.ALREADY_ON_PRICE)
    assert not result.changed_subscription
    assert scene.invoice().status == "void"
    assert result.summary == (
        "The subscription was left as it is, because the subscription is on that price already; the invoice was voided."
    )


def test_a_price_that_stripe_refuses_leaves_everything_as_it_was_and_says_so(scene: Scene) -> None:
    result = scene.take(FinalActionKind.DOWNGRADE, DebtAfterwards.VOID, price_id="price_of_no_one")

    assert (result.state, result.reason) == (SKIPPED, SkipReason.REFUSED_BY_STRIPE)
    assert "resource_missing" in result.summary
    assert scene.prices() == [scene.price_id]
    assert scene.invoice().status == "open"


def test_a_subscription_that_stripe_does_not_know_is_a_reason_and_no_crash(scene: Scene) -> None:
    scene.be_about(subscription_id="sub_of_no_one")

    assert scene.take(FinalActionKind.DOWNGRADE).reason == SkipReason.SUBSCRIPTION_GONE


def test_an_unknown_case_is_an_error(scene: Scene) -> None:
    with pytest.raises(CaseMissing):
        run_final_action(
            scene.context,
            scene.gateway,
            organization_id=scene.organization_id,
            case_id=uuid4(),
            action=FinalAction(FinalActionKind.LEAVE),
        )


def test_a_case_of_another_organization_is_not_there(scene: Scene) -> None:
    with pytest.raises(CaseMissing):
        run_final_action(
            scene.context,
            scene.gateway,
            organization_id=uuid4(),
            case_id=scene.case_id,
            action=FinalAction(FinalActionKind.LEAVE),
        )


@pytest.mark.parametrize(
    ("action", "is_ours"),
    [
        (FinalAction(FinalActionKind.CANCEL_NOW), True),
        (FinalAction(FinalActionKind.CANCEL_AT_PERIOD_END), True),
        (FinalAction(FinalActionKind.PAUSE), False),
        (FinalAction(FinalActionKind.CANCEL_NOW, is_chosen=True), False),
    ],
)
def test_an_end_is_ours_unless_it_was_chosen_or_is_none(scene: Scene, action: FinalAction, is_ours: bool) -> None:
    run_final_action(
        scene.context, scene.gateway, organization_id=scene.organization_id, case_id=scene.case_id, action=action
    )

    assert scene.has_ended() == is_ours


def test_an_end_that_was_undone_is_ours_no_longer(scene: Scene) -> None:
    scene.take(FinalActionKind.CANCEL_AT_PERIOD_END)
    scene.pay()
    assert scene.restore().is_restored

    assert not scene.has_ended()
