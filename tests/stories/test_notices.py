"""Before anything fails: a card that will have expired, an invoice that is paid by hand, over the pretend Stripe."""

import re
from datetime import timedelta

import pytest

from app.inbox.errands.running import begin, carry_on
from app.models import Connection, Customer, Message, Organization, PaymentMethod
from app.recovery.invariants import find_offences
from app.vocabulary import ErrandKind, MessageState
from tests.stage import Stage
from tests.stories.customer import Browser

LINK = re.compile(r"https?://\S+/notice/[\w.-]+")
DAY = timedelta(days=1)


def look(stage: Stage) -> list[Message]:
    """Look for what is due soon, let the mails leave, and give those about no case, oldest first."""
    connection = stage.rows(Connection)[0]
    errand = begin(stage.context, connection, ErrandKind.NOTICES, "test")
    progress = carry_on(stage.context, stage.organization_id, errand, pace=lambda: None)
    assert progress.standing == "done", progress
    stage.advance(minutes=1)
    found = stage.rows(Message, Message.case_id.is_(None))
    return sorted(found, key=lambda message: (message.planned_at, message.kind))


def expire(stage: Stage, customer: dict[str, str], months: int = -1) -> None:
    """Have the customer's card be good until so many months from the month of its next charge."""
    charged = stage.now + 30 * DAY
    month = charged.year * 12 + charged.month - 1 + months
    card = stage.stripe("get", f"customers/{customer['customer']}")["invoice_settings"]["default_payment_method"]
    until = {"card[exp_month]": month % 12 + 1, "card[exp_year]": month // 12}
    stage.stripe("post", f"payment_methods/{card}", **until)
    stage.settle()


def page_of(message: Message) -> str:
    found = LINK.search(message.text_body or "")
    assert found, message.text_body
    return found[0]


def test_a_card_that_dies_before_its_charge_is_told_of_once_and_replaced_in_a_minute(stage: Stage) -> None:
    anna = stage.customer(name="Anna Berg", email="anna@example.com", country="DE", locale="de")
    stage.customer(name="Ben Good", email="ben@example.com", country="DE")
    expire(stage, anna)
    assert look(stage) == []  # four weeks ahead is too early
    stage.advance(days=17)
    told = look(stage)
    assert [(mail.kind, mail.state, mail.recipient) for mail in told] == [
        ("card_expiring", MessageState.DELIVERED, "anna@example.com")
    ]
    assert told[0].locale == "de"
    stage.advance(days=2)
    assert len(look(stage)) == 1
    browser = Browser().open(page_of(told[0]))
    assert 'lang="de"' in browser.text
    assert "anna@example.com" not in browser.text
    browser.submit("/card")
    browser.submit("", card="pm_card_visa")
    assert "gespeichert" in browser.text
    card = stage.stripe("get", f"customers/{anna['customer']}")["invoice_settings"]["default_payment_method"]
    assert stage.rows(Customer, Customer.stripe_id == anna["customer"])[0].default_payment_method_id == card
    assert "Alles in Ordnung" in Browser().open(page_of(told[0])).text
    stage.advance(days=20)
    assert stage.rows(Message, Message.case_id.is_not(None)) == []  # the charge went through


@pytest.mark.long
def test_a_card_that_the_network_renews_before_the_mail_leaves_is_not_told_of(stage: Stage) -> None:
    made = stage.customer(name="Cleo", email="cleo@example.com", timezone="America/New_York")
    expire(stage, made)
    stage.advance(days=17, hours=12)  # three at night there: the mail waits for the morning
    (waiting,) = look(stage)
    assert (waiting.state, waiting.reason) == (MessageState.PLANNED, "quiet_hours")
    expire(stage, made, months=24)
    stage.advance(hours=12)
    (mail,) = stage.rows(Message)
    assert (mail.state, mail.reason) == (MessageState.SKIPPED, "card_is_good")
    assert stage.rows(PaymentMethod)[0].exp_year > stage.now.year


def owe(stage: Stage, customer: str, days: int, amount: int = 9900) -> str:
    """An invoice to be paid by hand, due in so many days."""
    stage.stripe("post", "invoiceitems", customer=customer, amount=amount, currency="usd", description="Consulting")
    draft = stage.stripe(
        "post",
        "invoices",
        customer=customer,
        collection_method="send_invoice",
        days_until_due=days,
        pending_invoice_items_behavior="include",
    )
    stage.stripe("post", f"invoices/{draft['id']}/finalize")
    stage.settle()
    return str(draft["id"])


def test_an_invoice_by_hand_is_told_of_before_on_and_after_its_day_until_it_is_paid(stage: Stage) -> None:
    dora = stage.customer(name="Dora Lind", email="dora@example.com", amount=0)
    invoice = owe(stage, dora["customer"], 10)
    kinds: list[list[str]] = []
    for days in (1, 6, 3, 3, 7):
        stage.advance(days=days)
        kinds.append([mail.kind for mail in look(stage) if mail.accepted_at])
    told = ["invoice_due_soon", "invoice_due", "invoice_overdue", "invoice_overdue"]
    assert kinds == [[], told[:1], told[:2], told[:3], told]
    mails = look(stage)
    page = Browser().open(page_of(mails[-1]))
    assert "$99.00" in page.text
    page.submit(f"/invoices/{stage.rows(Message)[0].invoice_id}")
    assert f"/i/{invoice}" in page.page.url  # Stripe's own page for it
    stage.stripe("post", f"invoices/{invoice}/pay", paid_out_of_band="true")
    stage.settle()
    assert "Nothing is open" in Browser().open(page_of(mails[-1])).text
    stage.advance(days=10)
    assert len(look(stage)) == len(mails)


@pytest.mark.long
def test_two_invoices_of_one_customer_are_one_mail(stage: Stage) -> None:
    eve = stage.customer(name="Eve", email="eve@example.com", amount=0)
    owe(stage, eve["customer"], 10, 9900)
    owe(stage, eve["customer"], 10, 4200)
    stage.advance(days=7)
    mails = look(stage)
    stage.advance(days=1)
    by_state = sorted((mail.state, mail.reason) for mail in stage.rows(Message))
    assert by_state == [(MessageState.DELIVERED, None), (MessageState.SKIPPED, "named_elsewhere")]
    text = next(mail.text_body for mail in mails if mail.text_body) or ""
    assert "$99.00" in text
    assert "$42.00" in text


@pytest.mark.long
def test_nobody_hears_of_what_the_operator_switched_off(stage: Stage) -> None:
    fay = stage.customer(name="Fay", email="fay@example.com")
    owe(stage, fay["customer"], 3)
    expire(stage, fay)
    with stage.context.database.organization(stage.organization_id) as session:
        session.get_one(Organization, stage.organization_id).notices = {"card_expiring": False, "invoices": False}
    stage.advance(days=17)
    assert look(stage) == []


@pytest.mark.long
def test_an_invoice_that_stripe_mailed_today_is_not_mailed_again_today(stage: Stage) -> None:
    gus = stage.customer(name="Gus", email="gus@example.com", amount=0)
    invoice = owe(stage, gus["customer"], 3)
    stage.stripe("post", f"invoices/{invoice}/send")
    stage.settle()
    (mail,) = look(stage)
    assert (mail.state, mail.reason) == (MessageState.PLANNED, "written_to_recently")
    stage.advance(days=1)
    assert stage.rows(Message)[0].state is MessageState.DELIVERED


@pytest.mark.long
def test_notices_break_no_promise_of_the_data(stage: Stage) -> None:
    owe(stage, stage.customer(name="Hal", email="hal@example.com", amount=0)["customer"], 3)
    look(stage)
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []
