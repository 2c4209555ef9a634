"""Pause, a smaller plan or the end instead of paying: what was said is done, once, and taken back where it is fair."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.accounts.connections import gateway_for
from app.campaigns.contact import PageOffers, RetentionOffer
from app.campaigns.definition import MONTHLY
from app.models import Connection, Message, RecoveryCase, SubscriptionSnapshot
from app.payment_page import instead
from app.recovery.observing import observe_invoice
from app.vocabulary import CaseState, DebtAfterwards, FinalActionState
from tests.integration.payment_page.conftest import Payer, make_payer
from tests.stage import Stage


def offer(stage: Stage, *offers: RetentionOffer) -> None:
    stage.use_campaign(MONTHLY.model_copy(update={"page": PageOffers(retention=offers)}))


def look(payer: Payer, name: str) -> str:
    return payer.see(f"/instead/{name}").text


def choose(payer: Payer, name: str) -> str:
    ticket = payer.forms(payer.see(f"/instead/{name}"))[name]
    return payer.http.post(f"{payer.url}/instead/{name}", data={"ticket": ticket}, timeout=30).text


def subscription(payer: Payer) -> dict[str, Any]:
    found: dict[str, Any] = payer.stage.stripe("GET", f"subscriptions?customer={payer.customer}&status=all")["data"][0]
    return found


def mails(stage: Stage) -> list[Message]:
    """What reached somebody, in the order in which it went."""
    gone = [mail for mail in stage.rows(Message) if mail.accepted_at]
    return sorted(gone, key=lambda mail: mail.accepted_at or mail.planned_at)


def smaller_price(stage: Stage) -> str:
    product = stage.stripe("POST", "products", name="Basic")["id"]
    terms = {"unit_amount": 900, "currency": "eur", "product": product, "recurring[interval]": "month"}
    return str(stage.stripe("POST", "prices", **terms)["id"])


def test_looking_says_exactly_what_would_happen_and_does_nothing(stage: Stage) -> None:
    offer(stage, RetentionOffer(kind="pause", months=2), RetentionOffer(kind="cancel"))
    payer = make_payer(stage, "insufficient_funds")
    page = payer.see().text
    assert "Pause the subscription instead" in page
    assert "Cancel the subscription instead" in page
    assert "smaller plan" not in page
    pause = look(payer, "pause")
    assert "€49.00 is still to be paid." in pause
    assert "then it goes on by itself" in pause
    assert subscription(payer)["pause_collection"] is None
    assert payer.case.state is CaseState.WAITING


def test_a_pause_ends_by_itself_and_the_chase_is_over(stage: Stage) -> None:
    offer(stage, RetentionOffer(kind="pause", months=2))
    payer = make_payer(stage, "insufficient_funds")
    tries = len(payer.charges())
    page = choose(payer, "pause")
    assert "It’s done" in page
    assert "is paused until" in page
    paused = subscription(payer)["pause_collection"]
    assert paused["behavior"] == "void"
    assert 58 < (paused["resumes_at"] - stage.now.timestamp()) / 86_400 < 63
    assert payer.case.state is CaseState.EXHAUSTED
    stage.advance(days=28)
    assert len(payer.charges()) == tries
    (confirmed,) = mails(stage)
    assert confirmed.kind == "choice_confirmed"
    assert "you can take this back on that page" in (confirmed.text_body or "").replace("\n", " ")


@pytest.mark.long
def test_a_smaller_plan_is_named_with_its_price_and_taken(stage: Stage) -> None:
    price = smaller_price(stage)
    offer(stage, RetentionOffer(kind="downgrade", prices={"eur": price}))
    payer = make_payer(stage, "insufficient_funds")
    page = look(payer, "downgrade")
    assert "Move to Basic?" in page
    assert "From the next bill on it costs €9.00 a month." in page
    assert "Your subscription is now on Basic." in choose(payer, "downgrade")
    assert subscription(payer)["items"]["data"][0]["price"]["id"] == price


@pytest.mark.long
def test_a_kept_debt_lets_the_subscription_run_to_its_end_and_a_dropped_one_ends_it_now(stage: Stage) -> None:
    offer(stage, RetentionOffer(kind="cancel"))
    keeps = make_payer(stage, "insufficient_funds", email="keeps@example.com")
    choose(keeps, "cancel")
    assert subscription(keeps)["cancel_at_period_end"] is True
    assert "€49.00 is still to be paid." in keeps.see().text
    offer(stage, RetentionOffer(kind="cancel", debt=DebtAfterwards.VOID))
    drops = make_payer(stage, "insufficient_funds", email="drops@example.com")
    assert "This can’t be taken back." in look(drops, "cancel")
    page = choose(drops, "cancel")
    assert "There’s nothing to pay" in page
    assert "subscription has ended" in page
    assert subscription(drops)["status"] == "canceled"
    assert stage.stripe("GET", f"invoices/{drops.invoice}")["status"] == "void"


def test_paying_later_undoes_no_wish_but_the_customer_can(stage: Stage) -> None:
    offer(stage, RetentionOffer(kind="pause", months=1))
    payer = make_payer(stage, "insufficient_funds")
    choose(payer, "pause")
    stage.settle()
    paid = payer.pay_with()
    assert "Thank you, all settled" in paid.text
    assert "is paused until" in paid.text
    stage.settle()
    assert [mail.kind for mail in mails(stage)] == ["choice_confirmed", "recovered"]
    assert subscription(payer)["pause_collection"] is not None
    assert "Your subscription is the way it was before." in payer.follow(payer.press("undo")).text
    assert subscription(payer)["pause_collection"] is None
    (row,) = stage.rows(SubscriptionSnapshot)
    assert row.state is FinalActionState.RESTORED
    assert "undo" not in payer.forms(payer.see())
    stage.settle()
    last = mails(stage)[-1]
    assert (last.kind, last.case_id) == ("choice_confirmed", row.case_id)
    assert "is back the way it was" in (last.subject or "")


@pytest.mark.long
def test_nothing_can_be_taken_back_while_it_is_unpaid(stage: Stage) -> None:
    offer(stage, RetentionOffer(kind="pause", months=1))
    payer = make_payer(stage, "insufficient_funds")
    choose(payer, "pause")
    page = payer.see()
    assert "undo" not in payer.forms(page)
    ticket = payer.forms(page)["card"]
    answer = payer.http.post(f"{payer.url}/undo", data={"ticket": ticket}, timeout=30)
    assert "That isn’t possible any more." in answer.text
    assert subscription(payer)["pause_collection"] is not None


def test_two_clicks_and_two_tabs_are_one_choice(stage: Stage) -> None:
    offer(stage, RetentionOffer(kind="pause", months=1), RetentionOffer(kind="cancel"))
    payer = make_payer(stage, "insufficient_funds")
    tickets = {name: payer.forms(payer.see(f"/instead/{name}"))[name] for name in ("pause", "cancel")}

    def press(name: str) -> str:
        address = f"{payer.url}/instead/{name}"
        answer = payer.http.post(address, data={"ticket": tickets[name]}, timeout=30, allow_redirects=False)
        return str(answer.headers["Location"])

    with ThreadPoolExecutor(3) as hands:
        leads_to = set(hands.map(press, ("pause", "pause", "cancel")))
    assert not any("note=" in address for address in leads_to)  # it was done: nobody hears that nothing was
    stage.settle()
    assert len(stage.rows(SubscriptionSnapshot)) == 1
    done = subscription(payer)
    assert (done["pause_collection"] is not None) != done["cancel_at_period_end"]


@pytest.mark.parametrize("name", ["cancel", "downgrade", "everything"])
def test_what_the_operator_does_not_offer_cannot_be_had(stage: Stage, name: str) -> None:
    offer(stage, RetentionOffer(kind="pause", months=1))
    payer = make_payer(stage, "insufficient_funds")
    assert payer.see(f"/instead/{name}").status_code == 303
    ticket = payer.forms(payer.see())["card"]
    answer = payer.http.post(f"{payer.url}/instead/{name}", data={"ticket": ticket}, timeout=30)
    assert "That isn’t possible any more." in answer.text
    assert payer.case.state is CaseState.WAITING


@pytest.mark.long
def test_a_card_tried_in_vain_after_the_choice_starts_no_new_chase(stage: Stage) -> None:
    offer(stage, RetentionOffer(kind="pause", months=2))
    payer = make_payer(stage, "insufficient_funds")
    choose(payer, "pause")
    assert "The payment didn’t go through" in payer.pay_with("pm_card_chargeDeclinedInsufficientFunds").text
    stage.settle()
    assert payer.case.state is CaseState.EXHAUSTED
    tries = len(payer.charges())
    stage.advance(days=30)
    assert len(payer.charges()) == tries
    assert [mail.kind for mail in mails(stage)] == ["choice_confirmed"]
    assert "Thank you, all settled" in payer.pay_with().text


@pytest.mark.long
def test_both_bills_of_one_subscription_end_by_the_choice(stage: Stage) -> None:
    offer(stage, RetentionOffer(kind="pause", months=2))
    payer = make_payer(stage, "insufficient_funds")
    stage.fail(payer.customer, "insufficient_funds")
    choose(payer, "pause")
    stage.settle()
    assert {case.state for case in stage.rows(RecoveryCase)} == {CaseState.EXHAUSTED}
    assert "€98.00 is still to be paid." in payer.see().text


def test_what_was_dropped_is_dropped_of_every_bill(stage: Stage) -> None:
    offer(stage, RetentionOffer(kind="cancel", debt=DebtAfterwards.VOID))
    payer = make_payer(stage, "insufficient_funds")
    second = stage.fail(payer.customer, "insufficient_funds")
    assert "the open €98.00 any more" in look(payer, "cancel")
    assert "There’s nothing to pay" in choose(payer, "cancel")
    stage.settle()
    assert [stage.stripe("GET", f"invoices/{each}")["status"] for each in (payer.invoice, second)] == ["void", "void"]
    (confirmed,) = mails(stage)
    assert "subscription has ended" in (confirmed.subject or "")
    assert "You don’t have to pay the open €98.00 any more." in (confirmed.text_body or "").replace("\n", " ")


@pytest.mark.long
def test_the_end_of_the_subscription_takes_no_choice_from_a_bill_that_is_not_done_yet(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(stage, RetentionOffer(kind="cancel", debt=DebtAfterwards.VOID))
    payer = make_payer(stage, "insufficient_funds")
    second = stage.fail(payer.customer, "insufficient_funds")
    monkeypatch.setattr(instead, "run_due_step", lambda *_: None)  # the web program dies here
    choose(payer, "cancel")
    stage.stripe("DELETE", f"subscriptions/{subscription(payer)['id']}")  # as the first of the two did
    (connection,) = stage.rows(Connection)
    observe_invoice(stage.context, gateway_for(stage.context, connection), connection, second)
    stage.settle()
    assert [stage.stripe("GET", f"invoices/{each}")["status"] for each in (payer.invoice, second)] == ["void", "void"]
