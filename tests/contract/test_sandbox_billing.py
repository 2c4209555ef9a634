"""Facts of Stripe's billing, through its own client: saving cards, disputes, credit notes, coupons, wrong states."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from app.clock import SandboxClock
from app.sandbox.server import RunningSandbox, run_in_thread


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    home: Path = tmp_path_factory.mktemp("billing")
    running = run_in_thread(home, SandboxClock(home / "clock.json"))
    yield running
    running.stop()


@pytest.fixture
def client(sandbox: RunningSandbox) -> stripe.StripeClient:
    return stripe.StripeClient("sk_test_sandbox", base_addresses={"api": sandbox.url}, max_network_retries=0)


def control(sandbox: RunningSandbox, path: str, /, **body: Any) -> dict[str, Any]:
    answer = requests.post(f"{sandbox.url}/_sandbox/{path}", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def turn(sandbox: RunningSandbox, **by: float) -> None:
    control(sandbox, "clock", to=(sandbox.world.clock.now() + timedelta(**by)).isoformat())


def failing(sandbox: RunningSandbox, *script: str, **wanted: Any) -> dict[str, Any]:
    made = control(sandbox, "customers", **wanted)
    return made | control(sandbox, "fail", customer=made["customer"], script=list(script or ("insufficient_funds",)))


def told(client: stripe.StripeClient, *types: str, about: str) -> list[str]:
    """The types among `types` that were announced about an object, the oldest first."""
    events = client.v1.events.list({"types": list(types), "limit": 100}).to_dict()["data"]
    mine = [event for event in events if about in str(event["data"]["object"])]
    return [event["type"] for event in mine[::-1]]


# Saving a card.


@pytest.mark.parametrize(
    ("token", "decline_code"),
    [("pm_card_chargeDeclined", "generic_decline"), ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds")],
)
def test_a_setup_intent_is_declined_and_wants_another_card(
    sandbox: RunningSandbox, client: stripe.StripeClient, token: str, decline_code: str
) -> None:
    customer = client.v1.customers.create({"name": "Declined at setup"})
    intent = client.v1.setup_intents.create({"customer": customer.id})
    with pytest.raises(stripe.CardError) as caught:
        client.v1.setup_intents.confirm(intent.id, {"payment_method": token})
    error = caught.value.error
    assert (caught.value.http_status, error.code, error.decline_code) == (402, "card_declined", decline_code)
    assert error.setup_intent.status == "requires_payment_method"
    kept = client.v1.setup_intents.retrieve(intent.id)
    assert (kept.status, kept.last_setup_error.decline_code) == ("requires_payment_method", decline_code)
    assert told(client, "setup_intent.setup_failed", about=intent.id) == ["setup_intent.setup_failed"]
    assert client.v1.payment_methods.list({"customer": customer.id}).data == []
    done = client.v1.setup_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (done.status, done.last_setup_error) == ("succeeded", None)


@pytest.mark.parametrize("approved", [True, False])
def test_three_d_secure_at_setup_is_answered_on_the_banks_page(
    sandbox: RunningSandbox, client: stripe.StripeClient, approved: bool
) -> None:
    customer = client.v1.customers.create({"name": "Asked at setup"})
    intent = client.v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_authenticationRequiredOnSetup",
            "confirm": True,
            "return_url": "http://127.0.0.1:9/back",
        }
    )
    assert intent.status == "requires_action"
    page = str(intent.next_action.redirect_to_url.url)
    assert "Approve" in requests.get(page, timeout=10).text
    answer = {"answer": "approve" if approved else "refuse"}
    back = requests.post(page, data=answer, allow_redirects=False, timeout=10)
    outcome = "succeeded" if approved else "failed"
    assert back.headers["Location"] == (f"http://127.0.0.1:9/back?setup_intent={intent.id}&redirect_status={outcome}")
    kept = client.v1.setup_intents.retrieve(intent.id)
    assert kept.status == ("succeeded" if approved else "requires_payment_method")
    if not approved:
        assert kept.last_setup_error.code == "setup_intent_authentication_failure"
    assert "Nothing to confirm" in requests.post(page, data=answer, timeout=10).text
    assert len(client.v1.payment_methods.list({"customer": customer.id}).data) == approved


def test_a_card_that_was_confirmed_when_it_was_saved_pays_later_without_a_question(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    owed = failing(sandbox, "lost_card")
    confirmed = client.v1.setup_intents.create(
        {"customer": owed["customer"], "payment_method": "pm_card_authenticationRequiredOnSetup", "confirm": True}
    )
    requests.post(str(confirmed.next_action.redirect_to_url.url), data={"answer": "approve"}, timeout=10)
    client.v1.invoices.pay(owed["invoice"], {"payment_method": str(confirmed.payment_method)})
    other = failing(sandbox, "lost_card")
    unconfirmed = client.v1.payment_methods.attach(
        "pm_card_authenticationRequiredOnSetup", {"customer": other["customer"]}
    )
    with pytest.raises(stripe.CardError) as caught:
        client.v1.invoices.pay(other["invoice"], {"payment_method": unconfirmed.id})
    assert caught.value.error.code == "invoice_payment_intent_requires_action"


def test_a_payment_is_confirmed_by_the_secret_that_the_invoice_expands(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    owed = failing(sandbox, "lost_card")
    invoice = client.v1.invoices.retrieve(owed["invoice"], {"expand": ["confirmation_secret", "payments"]})
    intent = str(invoice.payments.data[0].payment.payment_intent)
    assert str(invoice.confirmation_secret.client_secret).startswith(f"{intent}_secret_")
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_chargeDeclined"})
    asked = client.v1.payment_intents.confirm(
        intent, {"payment_method": "pm_card_authenticationRequired", "return_url": "http://127.0.0.1:9/paid"}
    )
    assert asked.status == "requires_action"
    page = str(asked.next_action.redirect_to_url.url)
    assert "$49.00" in requests.get(page, timeout=10).text
    back = requests.post(page, data={"answer": "approve"}, allow_redirects=False, timeout=10)
    assert back.headers["Location"].startswith(f"http://127.0.0.1:9/paid?payment_intent={intent}")
    assert client.v1.invoices.retrieve(owed["invoice"]).status == "paid"
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})


# Money that goes back.


@pytest.mark.parametrize(
    ("token", "events"),
    [
        ("pm_card_createDispute", ["charge.dispute.created", "charge.dispute.funds_withdrawn"]),
        ("pm_card_createDisputeInquiry", ["charge.dispute.created"]),
        ("pm_card_createIssuerFraudRecord", ["radar.early_fraud_warning.created"]),
    ],
)
def test_some_cards_bring_trouble_a_minute_after_they_paid(
    sandbox: RunningSandbox, client: stripe.StripeClient, token: str, events: list[str]
) -> None:
    owed = failing(sandbox, "lost_card")
    method = client.v1.payment_methods.attach(token, {"customer": owed["customer"]})
    client.v1.invoices.pay(owed["invoice"], {"payment_method": method.id})
    charge = client.v1.charges.list({"customer": owed["customer"]}).data[0]
    assert told(client, *events, about=charge.id) == []
    turn(sandbox, minutes=2)
    assert told(client, *events, about=charge.id) == events


@pytest.mark.parametrize(("words", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_evidence_decides_a_dispute(
    sandbox: RunningSandbox, client: stripe.StripeClient, words: str, status: str
) -> None:
    made = control(sandbox, "customers")
    dispute = control(sandbox, f"invoices/{made['invoice']}/dispute")
    draft = client.v1.disputes.update(dispute["id"], {"evidence": {"uncategorized_text": "Soon"}, "submit": False})
    assert (draft.status, draft.evidence_details.has_evidence) == ("needs_response", True)
    assert client.v1.disputes.update(dispute["id"], {"evidence": {"uncategorized_text": words}}).status == status
    with pytest.raises(stripe.InvalidRequestError, match="closed already"):
        client.v1.disputes.close(dispute["id"])
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create({"charge": dispute["charge"]})
    assert caught.value.code == "charge_disputed"


def test_a_dispute_ends_its_subscription_where_the_account_says_so(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    # "cancellation_details.reason ∈ cancellation_requested, payment_failed, payment_disputed, …"
    control(sandbox, "settings", on_dispute="cancel")
    made = control(sandbox, "customers")
    control(sandbox, f"invoices/{made['invoice']}/dispute", reason="fraudulent")
    control(sandbox, "settings", on_dispute="nothing")
    ended = client.v1.subscriptions.retrieve(made["subscription"])
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_disputed")


def test_a_warning_is_answered_by_a_full_refund(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    # "An EFW is actionable if it has not received a dispute and has not been fully refunded."
    made = control(sandbox, "customers", amount=4900)
    warning = control(sandbox, f"invoices/{made['invoice']}/fraud-warning")
    client.v1.refunds.create({"charge": warning["charge"], "amount": 900})
    assert client.v1.radar.early_fraud_warnings.retrieve(warning["id"]).actionable
    client.v1.refunds.create({"charge": warning["charge"]})
    listed = client.v1.radar.early_fraud_warnings.list({"charge": warning["charge"]}).data
    assert [(entry.id, entry.actionable) for entry in listed] == [(warning["id"], False)]


def test_a_credit_note_lowers_what_is_charged_and_one_over_the_rest_settles_it(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    owed = failing(sandbox, "insufficient_funds", "approve", amount=4900)
    note = client.v1.credit_notes.create({"invoice": owed["invoice"], "amount": 900, "reason": "order_change"})
    assert (note.type, note.pre_payment_amount) == ("pre_payment", 900)
    invoice = client.v1.invoices.retrieve(owed["invoice"], {"expand": ["payments.data.payment.payment_intent"]})
    assert (invoice.amount_due, invoice.amount_remaining, invoice.total) == (4000, 4000, 4900)
    assert invoice.payments.data[0].payment.payment_intent.amount == 4000
    with pytest.raises(stripe.InvalidRequestError, match="at most 4000"):
        client.v1.credit_notes.create({"invoice": owed["invoice"], "amount": 4001})
    voided = client.v1.credit_notes.void_credit_note(note.id)
    assert (voided.status, client.v1.invoices.retrieve(owed["invoice"]).amount_due) == ("void", 4900)
    client.v1.credit_notes.create({"invoice": owed["invoice"], "amount": 4900})
    settled = client.v1.invoices.retrieve(owed["invoice"])
    assert (settled.status, settled.amount_paid, settled.auto_advance) == ("paid", 0, False)
    assert client.v1.subscriptions.retrieve(owed["subscription"]).status == "active"
    assert all(not charge.paid for charge in client.v1.charges.list({"customer": owed["customer"]}).data[:1])


def test_a_credit_note_on_a_paid_invoice_goes_back_in_parts(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    made = control(sandbox, "customers", amount=4900)
    with pytest.raises(stripe.InvalidRequestError, match="must equal"):
        client.v1.credit_notes.create({"invoice": made["invoice"], "amount": 1000})
    parts: Any = {"refund_amount": 1000, "credit_amount": 500, "out_of_band_amount": 100}
    note = client.v1.credit_notes.create({"invoice": made["invoice"], **parts}, {"idempotency_key": "parts"})
    assert (note.amount, note.type, note.refunds[0].amount_refunded) == (1600, "post_payment", 1000)
    assert client.v1.charges.list({"customer": made["customer"]}).data[0].amount_refunded == 1000
    entries = client.v1.customers.balance_transactions.list(made["customer"]).data
    assert [(entry.type, entry.amount, entry.id) for entry in entries] == [
        ("credit_note", -500, note.customer_balance_transaction)
    ]
    assert client.v1.customers.retrieve(made["customer"]).balance == -500


# Coupons.


def test_a_coupon_stands_on_the_subscription_its_invoices_and_their_preview(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    coupon = client.v1.coupons.create(
        {"id": "SPRING", "percent_off": 20, "duration": "repeating", "duration_in_months": 2}
    )
    made = control(sandbox, "customers", amount=4900)
    changed = client.v1.subscriptions.update(
        made["subscription"], {"discounts": [{"coupon": coupon.id}], "expand": ["discounts.source.coupon"]}
    )
    discount = changed.discounts[0].to_dict()
    assert (discount["source"]["coupon"]["percent_off"], discount["subscription"]) == (20, made["subscription"])
    assert client.v1.coupons.retrieve("SPRING").times_redeemed == 1
    preview = client.v1.invoices.create_preview({"subscription": made["subscription"]})
    assert (preview.total, preview.subtotal, preview.id.startswith("upcoming_in_")) == (3920, 4900, True)
    client.v1.coupons.delete("SPRING")
    turn(sandbox, days=32)
    newest = client.v1.invoices.list({"subscription": made["subscription"]}).data[0]
    assert (newest.amount_paid, newest.total_discount_amounts[0].amount) == (3920, 980)
    removed: Any = client.v1.subscriptions.delete_discount(made["subscription"])
    assert removed.deleted
    assert client.v1.subscriptions.retrieve(made["subscription"]).discounts == []


def test_a_coupon_that_is_used_up_or_over_is_refused(sandbox: RunningSandbox, client: stripe.StripeClient) -> None:
    client.v1.coupons.create({"id": "ONE", "amount_off": 500, "currency": "usd", "max_redemptions": 1})
    made, other = control(sandbox, "customers"), control(sandbox, "customers")
    client.v1.subscriptions.update(made["subscription"], {"discounts": [{"coupon": "ONE"}]})
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.subscriptions.update(other["subscription"], {"discounts": [{"coupon": "ONE"}]})
    assert caught.value.code == "coupon_expired"
    with pytest.raises(stripe.InvalidRequestError, match="No such coupon"):
        client.v1.subscriptions.update(other["subscription"], {"discounts": [{"coupon": "NONE"}]})
    for wrong in ({"percent_off": 101}, {"amount_off": 5}, {}, {"percent_off": 10, "duration": "repeating"}):
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.coupons.create(wrong)  # type: ignore[arg-type]


def test_a_draft_takes_a_discount_and_a_finalized_one_does_not(
    sandbox: RunningSandbox, client: stripe.StripeClient
) -> None:
    coupon = client.v1.coupons.create({"percent_off": 10})
    customer = client.v1.customers.create({"name": "Draft", "source": "tok_visa"})
    invoice = client.v1.invoices.create({"customer": customer.id, "discounts": [{"coupon": coupon.id}]})
    client.v1.invoice_items.create({"customer": customer.id, "invoice": invoice.id, "amount": 2000, "currency": "usd"})
    assert client.v1.invoices.retrieve(invoice.id).total == 1800
    assert client.v1.invoices.pay(invoice.id).amount_paid == 1800
    with pytest.raises(stripe.InvalidRequestError, match="Finalized invoices can't be updated in this way"):
        client.v1.invoices.update(invoice.id, {"discounts": ""})


# What cannot be done, in the words that real accounts were seen to send: HTTP 400 without a code.

_PAID, _VOID, _LOST = "paid", "void", "uncollectible"
WRONG: list[tuple[str, str, Callable[[stripe.StripeClient, str], Any]]] = [
    (_PAID, "Invoice is already paid", lambda client, invoice: client.v1.invoices.pay(invoice)),
    (
        _VOID,
        "You can only pass in open invoices. This invoice isn't open.",
        lambda client, invoice: client.v1.invoices.pay(invoice),
    ),
    (
        _LOST,
        "You can only pass in open invoices. This invoice isn't open.",
        lambda client, invoice: client.v1.invoices.pay(invoice),
    ),
    (
        _LOST,
        "This invoice has already been marked uncollectible.",
        lambda client, invoice: client.v1.invoices.mark_uncollectible(invoice),
    ),
    (
        _PAID,
        "Invoices with `paid` payments cannot be voided.",
        lambda client, invoice: client.v1.invoices.void_invoice(invoice),
    ),
    (
        "open",
        "This invoice is already finalized, you can't re-finalize a non-draft invoice.",
        lambda client, invoice: client.v1.invoices.finalize_invoice(invoice),
    ),
    (
        "open",
        "Finalized invoices can't be updated in this way",
        lambda client, invoice: client.v1.invoices.update(invoice, {"description": "Other words"}),
    ),
    ("open", "You can only delete draft invoices.", lambda client, invoice: client.v1.invoices.delete(invoice)),
]


@pytest.mark.parametrize(("status", "message", "action"), WRONG)
def test_a_wrong_state_is_refused_in_the_recorded_words(
    sandbox: RunningSandbox,
    client: stripe.StripeClient,
    status: str,
    message: str,
    action: Callable[[stripe.StripeClient, str], Any],
) -> None:
    invoice = failing(sandbox)["invoice"]
    if status == _PAID:
        client.v1.invoices.pay(invoice, {"paid_out_of_band": True})
    elif status == _VOID:
        client.v1.invoices.void_invoice(invoice)
    elif status == _LOST:
        client.v1.invoices.mark_uncollectible(invoice)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        action(client, invoice)
    assert (caught.value.http_status, caught.value.code, str(caught.value.user_message)) == (400, None, message)
    assert client.v1.invoices.retrieve(invoice).status == status
