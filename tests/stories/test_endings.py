"""Cases that end without money, decently: nothing is charged and nobody is written to after the end."""

import pytest

from app.campaigns.definition import MONTHLY, FinalActionSettings, RetrySettings
from app.models import RecoveryCase, SubscriptionSnapshot
from app.recovery.foreseeing import NOTHING_TO_END
from app.recovery.invariants import find_offences
from app.stripe_gateway.gateway import StripeGateway
from app.stripe_gateway.paying import Refused
from app.vocabulary import CaseState, FinalActionKind, FinalActionState, StepKind, StepState, StopReason
from tests.stage import Stage
from tests.stories.customer import newest_mail

CHASES = ("payment_failed", "reminder", "final_notice", "action_required")


def chases_after(stage: Stage, invoice: str, count: int) -> list[str]:
    """Kinds of the chasing mails beyond the first `count`."""
    return [mail.kind for mail in stage.messages(invoice) if mail.accepted_at and mail.kind in CHASES][count:]


def test_a_voided_invoice_closes_its_case_and_ends_all_mail(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "expired_card")
    stage.stripe("POST", f"invoices/{invoice}/void")
    stage.advance(days=30)
    case = stage.case(invoice)
    assert (case.state, case.stop_reason) == (CaseState.CLOSED, StopReason.VOIDED)
    assert chases_after(stage, invoice, 1) == []
    assert len(stage.attempts(invoice)) == 1


def test_a_customer_who_cancels_midway_is_left_alone(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "insufficient_funds")
    stage.advance(days=4)
    tried, written = len(stage.attempts(invoice)), len(chases_after(stage, invoice, 0))
    stage.stripe("DELETE", f"subscriptions/{robin['subscription']}")
    stage.advance(days=30)
    case = stage.case(invoice)
    assert (case.state, case.stop_reason) == (CaseState.CLOSED, StopReason.CANCELLED)
    assert len(stage.attempts(invoice)) == tried
    assert chases_after(stage, invoice, written) == []


def test_a_lost_card_is_never_tried_again_and_the_customer_is_written_to_at_once(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "lost_card")
    first = newest_mail(stage, invoice, "payment_failed")
    assert "lost" not in f"{first.subject} {first.text_body} {first.html_body}".lower()
    stage.advance(days=27)
    assert len(stage.attempts(invoice)) == 1
    assert newest_mail(stage, invoice, "final_notice")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FinalActionKind.CANCEL_NOW, "canceled"),
        (FinalActionKind.PAUSE, "past_due"),
        (FinalActionKind.CANCEL_AT_PERIOD_END, "past_due"),
        (FinalActionKind.LEAVE, "past_due"),
    ],
)
def test_a_case_that_runs_out_gets_the_final_action_of_its_campaign(
    stage: Stage, kind: FinalActionKind, status: str
) -> None:
    stage.use_campaign(
        MONTHLY.model_copy(update={"window_days": 6, "messages": (), "final_action": FinalActionSettings(kind=kind)})
    )
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "generic_decline")
    stage.advance(days=7)
    assert stage.case(invoice).state is CaseState.EXHAUSTED
    subscription = stage.stripe("GET", f"subscriptions/{robin['subscription']}")
    assert subscription["status"] == status
    assert bool(subscription["pause_collection"]) == (kind is FinalActionKind.PAUSE)
    assert subscription["cancel_at_period_end"] == (kind is FinalActionKind.CANCEL_AT_PERIOD_END)
    assert [row.state for row in stage.rows(SubscriptionSnapshot)] in (
        [FinalActionState.DONE],
        [FinalActionState.SKIPPED],
    )


def test_what_recoup_cancels_for_one_invoice_is_no_wish_of_a_customer_who_owes_another(stage: Stage) -> None:
    ends = FinalActionSettings(kind=FinalActionKind.CANCEL_NOW)
    short = MONTHLY.model_copy(update={"window_days": 2, "messages": (), "final_action": ends})
    robin = stage.customer(name="Robin", email="robin@example.com")
    stage.use_campaign(short)
    first = stage.fail(robin["customer"], *["generic_decline"] * 20)
    stage.use_campaign(short.model_copy(update={"window_days": 5}))
    second = stage.fail(robin["customer"], *["generic_decline"] * 20)
    stage.advance(days=2, hours=1)
    subscription = stage.stripe("GET", f"subscriptions/{robin['subscription']}")
    assert subscription["status"] == "canceled"
    assert (stage.case(first).state, stage.case(second).state) == (CaseState.EXHAUSTED, CaseState.EXHAUSTED)
    last = next(step for step in stage.steps(second) if step.kind is StepKind.FINAL_ACTION)
    assert (last.state, last.problem) == (StepState.SKIPPED, NOTHING_TO_END)


def test_a_disputing_customer_is_left_in_peace_until_the_dispute_is_settled(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    paid = robin["invoice"]
    invoice = stage.fail(robin["customer"], "insufficient_funds", "approve")
    dispute = stage.control(f"invoices/{paid}/dispute")
    stage.advance(days=8)
    assert stage.case(invoice).state is CaseState.WAITING
    assert len(stage.attempts(invoice)) == 1
    assert chases_after(stage, invoice, 0) == []
    stage.control(f"disputes/{dispute['id']}/close", status="won")
    stage.advance(days=3)
    assert stage.case(invoice).state is CaseState.RECOVERED


def test_an_abandoned_first_payment_is_no_case(stage: Stage) -> None:
    customer = stage.stripe("POST", "customers", email="new@example.com")
    method = stage.stripe("POST", "payment_methods/pm_card_chargeDeclined/attach", customer=customer["id"])
    price = stage.customer()["price"]
    stage.stripe(
        "POST",
        "subscriptions",
        **{"customer": customer["id"], "items[0][price]": price, "default_payment_method": method["id"]},
    )
    stage.settle()
    assert stage.rows(RecoveryCase) == []


def test_a_card_that_comes_after_the_end_and_that_stripe_will_not_charge_leaves_no_case_behind(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tuple(message for message in MONTHLY.messages if message.kind == "payment_failed")
    retries = RetrySettings(timing="ladder", ladder_days=(1,), max_attempts=2)
    short = MONTHLY.model_copy(update={"window_days": 2, "messages": first, "retries": retries})
    stage.use_campaign(short)
    made = stage.customer()
    invoice = stage.fail(made["customer"], "insufficient_funds")
    stage.advance(days=short.window_days + 0.5)
    assert stage.case(invoice).state is CaseState.EXHAUSTED
    refused = Refused("payment_method_not_available", None)
    monkeypatch.setattr(StripeGateway, "pay_invoice", lambda *_args, **_named: refused)
    stage.control(f"customers/{made['customer']}/new-card", on_subscriptions=True)
    stage.settle()
    case = stage.case(invoice)
    assert case.state is CaseState.NEEDS_CUSTOMER
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []
    stage.advance(days=1)
    assert stage.case(invoice).state is CaseState.EXHAUSTED
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []
