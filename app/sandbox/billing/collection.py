"""Collecting an open invoice: Stripe's own attempts by schedule, and attempts that somebody asks for.

Sources, as gathered from Stripe's documentation and recorded runs: the first attempt of any kind makes
`attempt_count` 1, afterwards only automatic ones count; attempts by hand never move `next_payment_attempt`; after one
of nine decline codes, and for cards issued in India, the count and the schedule go on without a charge until there is
another card; an attempt that wants 3-D Secure leaves `attempted` true and the count at 0; where billing automations are
on, `invoice.payment_failed` does not say when the next try is, the `invoice.updated` after it does. [unverified: that a
retry which is not executed announces `invoice.payment_failed`; it does here, because the count that it carries has
moved. Unverified too: that a number renewed by the card network counts as another card.]
"""

from app.sandbox import policy
from app.sandbox.billing import payments, standing
from app.sandbox.declines import NEVER_EXECUTED, Decline
from app.sandbox.issuer import Approved, NeedsAuthentication, Verdict
from app.sandbox.ledger import Ledger
from app.sandbox.store import Doc


def attempt_by_schedule(ledger: Ledger, invoice: Doc) -> None:
    """Stripe's own attempt: the first after finalization, or a retry that is due."""
    if invoice["status"] != "open" or not invoice["auto_advance"]:
        return
    memory = _memory(ledger, invoice)
    retry = memory["began"]
    method = payments.method_for(ledger, invoice)
    verdict = payments.charge(ledger, invoice, method) if method and _executes(memory, method) else None
    if isinstance(verdict, Approved):
        mark_paid(ledger, invoice, counts=True)
        return
    if verdict is not None and method is not None:
        memory.update(_remembered(verdict, method))
    memory.update(began=True, retries=memory["retries"] + retry)
    ledger.save(memory, "_collection")
    following = _next_attempt(ledger, invoice, memory["retries"])
    _failed(ledger, invoice, verdict, counts=True, next_attempt=following)
    if following is None and retry:
        standing.give_up(ledger, invoice, policy.load(ledger).end_behavior)


def attempt_by_hand(ledger: Ledger, invoice: Doc, method: Doc, *, authenticated: bool = False) -> Verdict:
    """An attempt that an API call or the payer asked for. The schedule stays as it is."""
    verdict = payments.charge(ledger, invoice, method, authenticated=authenticated)
    if isinstance(verdict, Approved):
        mark_paid(ledger, invoice)
        return verdict
    memory = _memory(ledger, invoice)
    first = not memory["began"]
    memory.update(_remembered(verdict, method), began=True)
    ledger.save(memory, "_collection")
    following = invoice["next_payment_attempt"]
    if first and invoice["auto_advance"] and invoice["collection_method"] == "charge_automatically":
        following = _next_attempt(ledger, invoice, 0)
    _failed(ledger, invoice, verdict, counts=first, next_attempt=following)
    return verdict


def _executes(memory: Doc, method: Doc) -> bool:
    """Whether an automatic attempt asks the issuer at all."""
    if not memory["began"]:
        return True
    same = (memory["method"], memory.get("fingerprint")) == (method["id"], method["card"]["fingerprint"])
    return method["card"]["country"] != "IN" and not (same and memory["decline_code"] in NEVER_EXECUTED)


def settle_by_credit(ledger: Ledger, invoice: Doc) -> None:
    """Nothing is left to pay of an open invoice: it is paid, and nobody was charged."""
    payments.cancel_intent(ledger, invoice)
    mark_paid(ledger, invoice)


def mark_paid(ledger: Ledger, invoice: Doc, *, out_of_band: bool = False, counts: bool = False) -> None:
    """Settle an invoice in full and tell everybody whom it concerns; `counts` for an attempt of Stripe's own."""
    for timer in standing.INVOICE_TIMERS:
        ledger.set_timer(timer, invoice["id"], None)
    due = invoice["amount_due"]
    if out_of_band:
        payments.cancel_intent(ledger, invoice)
    with ledger.changing(invoice, "invoice.updated"):
        invoice.update(
            amount_paid=due,
            amount_paid_off_stripe=due if out_of_band else 0,
            amount_remaining=0,
            attempted=True,
            attempt_count=(invoice["attempt_count"] + counts) or (0 if out_of_band or not due else 1),
            auto_advance=False,
            next_payment_attempt=None,
            status="paid",
        )
        invoice["status_transitions"]["paid_at"] = ledger.now
    record = payments.payment_of(ledger, invoice)
    if record is not None and record["status"] == "open":
        with ledger.changing(record):
            record.update(status="paid", amount_paid=due)
            record["status_transitions"]["paid_at"] = ledger.now
        ledger.emit("invoice_payment.paid", record)
    _keep_method(ledger, invoice)
    standing.catch_up(ledger, invoice)
    ledger.emit("invoice.paid", invoice)
    if not out_of_band:
        ledger.emit("invoice.payment_succeeded", invoice)


def resume(ledger: Ledger, invoice: Doc) -> None:
    """Automatic collection was switched on again for an open invoice."""
    memory = _memory(ledger, invoice)
    due = _next_attempt(ledger, invoice, memory["retries"]) if memory["began"] else ledger.now + policy.HOUR
    invoice["next_payment_attempt"] = due
    ledger.set_timer("collect", invoice["id"], due)


def _next_attempt(ledger: Ledger, invoice: Doc, retries_made: int) -> int | None:
    """When Stripe tries again; never by itself for a subscription's first payment, whose customer is still there."""
    settings = policy.load(ledger)
    gap = settings.gap_after(retries_made)
    if gap is None or invoice["billing_reason"] == "subscription_create":
        return None
    one_off = payments.subscription_of(invoice) is None
    return None if one_off and not settings.retry_one_off else ledger.now + gap


def _memory(ledger: Ledger, invoice: Doc) -> Doc:
    """What the collection of this invoice remembers: retries made, and the last decline with its payment method."""
    fresh = {
        "id": invoice["id"],
        "began": False,
        "retries": 0,
        "decline_code": None,
        "method": None,
        "fingerprint": None,
    }
    return ledger.find("_collection", invoice["id"]) or fresh


def _remembered(verdict: Verdict, method: Doc) -> Doc:
    code = verdict.decline_code if isinstance(verdict, Decline) else "authentication_required"
    return {"decline_code": code, "method": method["id"], "fingerprint": method["card"]["fingerprint"]}


def _failed(ledger: Ledger, invoice: Doc, verdict: Verdict | None, *, counts: bool, next_attempt: int | None) -> None:
    asks_payer = isinstance(verdict, NeedsAuthentication)
    told_later = policy.load(ledger).billing_automations
    standing.fall_behind(ledger, invoice)
    with ledger.changing(invoice, "invoice.updated"):
        invoice["attempted"] = True
        invoice["attempt_count"] += counts and not asks_payer
        invoice["next_payment_attempt"] = None if told_later else next_attempt
    ledger.set_timer("collect", invoice["id"], next_attempt)
    ledger.emit("invoice.payment_action_required" if asks_payer else "invoice.payment_failed", invoice)
    with ledger.changing(invoice, "invoice.updated"):
        invoice["next_payment_attempt"] = next_attempt


def _keep_method(ledger: Ledger, invoice: Doc) -> None:
    """`save_default_payment_method: on_subscription` keeps the card that worked."""
    subscription = ledger.find("subscription", payments.subscription_of(invoice))
    intent = payments.intent_of(ledger, invoice)
    if subscription is None or intent is None or intent["status"] != "succeeded":
        return
    if subscription["payment_settings"]["save_default_payment_method"] == "on_subscription":
        with ledger.changing(subscription, "customer.subscription.updated"):
            subscription["default_payment_method"] = intent["payment_method"]
