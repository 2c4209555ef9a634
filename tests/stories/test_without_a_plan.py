"""Debts with no subscription to lose: nothing is announced that will not happen, by mail, page or timeline."""

from collections.abc import Iterator

import pytest

from app.campaigns.definition import MONTHLY, FinalActionSettings
from app.recovery.invariants import find_offences
from app.vocabulary import CaseOrigin, CaseState, DebtAfterwards, FinalActionKind, StepKind, StepState
from tests.stage import Stage
from tests.stories.customer import Browser, link_in, newest_mail
from tests.stories.test_late_news import hear_of
from tests.stories.test_plan_names import fall_to

PLAN_TALK = ("subscription", "plan ", "Free", "to keep", "with us")


@pytest.fixture(autouse=True)
def _everything_is_as_promised(stage: Stage) -> Iterator[None]:
    yield
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []


def one_off(stage: Stage) -> str:
    """An invoice without a subscription whose card is declined for ever; its id, once Recoup has heard of it."""
    made = stage.stripe("POST", "customers", email="robin@example.com")
    method = stage.stripe("POST", "payment_methods/pm_card_visa/attach", customer=made["id"])["id"]
    stage.control(f"cards/{method}/script", script=["generic_decline"])
    stage.stripe("POST", f"customers/{made['id']}", **{"invoice_settings[default_payment_method]": method})
    invoice = stage.stripe("POST", "invoices", customer=made["id"], auto_advance="true")["id"]
    item = {"customer": made["id"], "invoice": invoice, "amount": "4900", "currency": "usd"}
    stage.stripe("POST", "invoiceitems", description="Setup of your workspace", **item)
    stage.stripe("POST", f"invoices/{invoice}/finalize")
    stage.advance(hours=2)
    return str(invoice)


def words_to_customer(stage: Stage, invoice: str) -> str:
    """Everything the mails of a case said, without their links."""
    sent = [mail for mail in stage.messages(invoice) if mail.accepted_at]
    assert sent
    return " ".join(f"{mail.subject} {mail.text_body} {mail.html_body}".replace(link_in(mail), "") for mail in sent)


def test_a_one_off_invoice_is_spoken_of_as_an_invoice_and_nothing_is_threatened(stage: Stage) -> None:
    fall_to(stage)
    invoice = one_off(stage)
    stage.advance(days=3)
    link = link_in(newest_mail(stage, invoice, "payment_failed"))
    page = Browser().open(link).text
    assert "for invoice " in page
    assert "We stop trying to collect this payment." in page
    assert "ubscription" not in page
    stage.advance(days=24)
    assert [word for word in PLAN_TALK if word in words_to_customer(stage, invoice)] == []
    notice = newest_mail(stage, invoice, "final_notice")
    assert str(notice.subject).startswith("Our last reminder about your payment for invoice ")
    assert "Setup of your workspace" in str(notice.text_body)
    stage.advance(days=2)
    (end,) = [step for step in stage.steps(invoice) if step.kind is StepKind.FINAL_ACTION]
    assert (end.state, end.problem) == (StepState.SKIPPED, "there is no subscription to act on")
    assert {"plan_named", "final_action"}.isdisjoint(entry.name for entry in stage.timeline(invoice))
    after = Browser().open(link)
    assert "What happens next" not in after.text
    assert "We’ve stopped trying your card." in after.text
    after.submit("/card").submit("", card="pm_card_mastercard")
    stage.settle()
    assert stage.case(invoice).state is CaseState.RECOVERED


@pytest.mark.long
def test_a_one_off_invoice_that_the_campaign_writes_off_is_announced_and_written_off(stage: Stage) -> None:
    action = FinalActionSettings(kind=FinalActionKind.CANCEL_NOW, debt=DebtAfterwards.MARK_UNCOLLECTIBLE)
    stage.use_campaign(MONTHLY.model_copy(update={"final_action": action}))
    invoice = one_off(stage)
    stage.advance(days=29)
    assert "we’ll stop trying to collect it" in " ".join(words_to_customer(stage, invoice).split())
    assert stage.stripe("GET", f"invoices/{invoice}")["status"] == "uncollectible"


@pytest.mark.long
def test_an_old_debt_leaves_a_subscription_alone_that_has_gone_on_since(stage: Stage) -> None:
    stage.control("settings", end_behavior="past_due", retries="smart")
    robin = stage.customer(email="robin@example.com")
    stage.control("faults", kind="lost_webhook", count=500)
    invoice = stage.control("fail", customer=robin["customer"], script=["generic_decline"] * 9 + ["approve"])["invoice"]
    stage.advance(days=70)
    assert stage.stripe("GET", f"subscriptions/{robin['subscription']}")["status"] == "active"
    hear_of(stage, robin["customer"])
    stage.control(f"cards/{robin['payment_method']}/script", script=["generic_decline"])
    case = stage.case(invoice)
    assert (case.origin, case.subscription_id) == (CaseOrigin.OLD_DEBT, None)
    stage.advance(days=27)
    said = words_to_customer(stage, invoice)
    assert [word for word in PLAN_TALK if word in said] == []
    stage.advance(days=3)
    assert stage.case(invoice).state is CaseState.EXHAUSTED
    assert stage.stripe("GET", f"subscriptions/{robin['subscription']}")["status"] != "canceled"
