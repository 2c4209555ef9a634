"""Something is wrong with an invoice: the note reaches the operator, the chase rests, and somebody answers."""

import re

import pytest

from app.campaigns.contact import PageOffers
from app.campaigns.definition import MONTHLY
from app.models import Hold, Invoice, RecoveryCase
from app.recovery import operator, questions
from app.recovery.operator import Person
from app.recovery.switching import switch
from app.vocabulary import ConnectionMode, HoldKind, MessageState
from tests.integration.payment_page.conftest import Payer, make_payer
from tests.stage import Stage

NOTE = "I cancelled in March, <b>please</b> look."


def say(payer: Payer, note: str = NOTE, **more: str) -> str:
    ticket = payer.forms(payer.see())["wrong"]
    about = {"about": str(payer.case.id)} | more
    return payer.http.post(f"{payer.url}/wrong", data={"ticket": ticket, "note": note, **about}, timeout=30).text


def holds_of(payer: Payer) -> list[Hold]:
    return payer.stage.rows(Hold, Hold.case_id == payer.case.id, Hold.released_at.is_(None))


def test_a_note_rests_the_case_and_nothing_is_charged_or_sent(stage: Stage, payer: Payer) -> None:
    tries = len(payer.charges())
    page = say(payer)
    assert "Your message has arrived" in page
    assert NOTE not in page
    (hold,) = holds_of(payer)
    assert (hold.kind, hold.until, hold.created_by) == (HoldKind.DISPUTE, None, "the customer")
    stage.advance(days=20)
    assert len(payer.charges()) == tries
    sent = [mail for mail in stage.messages(payer.invoice) if mail.state is MessageState.ACCEPTED]
    assert sent == []


def test_the_operator_answers_and_the_page_shows_it(stage: Stage, payer: Payer) -> None:
    say(payer)
    with stage.context.database.organization(stage.organization_id) as session:
        assert questions.open_questions(session) == [payer.case.id]
    (hold,) = holds_of(payer)
    operator.release_hold(stage.context, stage.organization_id, hold.id, Person("Olga"), "It is for <April>.")
    page = payer.see().text
    assert "It is for &lt;April&gt;." in page
    assert "Olga" not in page
    assert "Your message has arrived" not in page
    with stage.context.database.organization(stage.organization_id) as session:
        assert questions.open_questions(session) == []


@pytest.mark.long
def test_the_customer_takes_the_note_back(stage: Stage, payer: Payer) -> None:
    say(payer)
    page = payer.follow(payer.press("settled"))
    assert "Your message has arrived" not in page.text
    assert holds_of(payer) == []
    assert "Thank you, all settled" in payer.pay_with().text


def test_a_note_sent_twice_is_one_note_and_an_empty_one_none(payer: Payer) -> None:
    page = payer.see()
    ticket = payer.forms(page)["wrong"]
    assert "Please write a few words first" in say(payer, "  \n ")
    for _ in range(2):
        form = {"ticket": ticket, "note": NOTE, "about": str(payer.case.id)}
        payer.http.post(f"{payer.url}/wrong", data=form, timeout=30)
    assert len(holds_of(payer)) == 1
    assert [entry.name for entry in payer.stage.timeline(payer.invoice)].count(questions.ASKED) == 1


@pytest.mark.long
def test_a_card_given_meanwhile_is_kept_and_pays_when_the_note_is_taken_back(stage: Stage, payer: Payer) -> None:
    say(payer)
    assert "pays €49.00 as soon as we may charge it" in payer.see().text
    saved = payer.pay_with()
    assert "once your message is answered. Nothing is charged before that." in saved.text
    assert payer.paid_charges_of_renewals() == 0
    payer.press("settled", saved)
    stage.settle()
    assert payer.paid_charges_of_renewals() == 1


def test_of_two_bills_the_named_one_rests(stage: Stage, payer: Payer) -> None:
    stage.fail(payer.customer, "insufficient_funds")
    other = next(case for case in stage.rows(RecoveryCase) if case.id != payer.case.id)
    choice = re.search(r"<select name=\"about\".*?</select>", payer.see().text, re.DOTALL)
    assert choice
    # the same plan twice: nobody could tell them apart without
    assert all(str(invoice.number) in choice[0] for invoice in stage.rows(Invoice) if invoice.status == "open")
    page = say(payer, about=str(other.id))
    assert [hold.case_id for hold in stage.rows(Hold)] == [other.id]
    assert "Your message has arrived" in page
    assert "You told us that something is wrong with this one. Nothing is charged for it until that is settled." in page
    assert "it pays €49.00 right away" in page
    assert "€98.00" not in page
    assert "day" in payer.forms(payer.see())  # for the other one
    tries = len(payer.charges())
    assert "Thank you, that’s paid" in payer.pay_with().text
    assert len(payer.charges()) == tries + 1
    resting = payer.see()
    assert "Thank you, that’s paid" in resting.text
    answer = payer.press("settled", resting)
    stage.settle()
    assert answer.status_code == 303
    # the card was not given for this one: nothing is charged before its payer has heard of that
    assert len(payer.charges()) == tries + 1
    assert "wasn’t among those that you gave your new card for" in payer.see().text
    assert "Charges €49.00 to your card" in payer.see().text
    payer.press("pay-now")
    assert payer.paid_charges_of_renewals() == 2


@pytest.mark.long
def test_where_stripe_retries_a_note_promises_no_more_than_stripe_keeps(stage: Stage) -> None:
    who = Person("Olga")
    switch(stage.context, stage.organization_id, stage.connection_id, who, mode=ConnectionMode.OBSERVE)
    payer = make_payer(stage, "insufficient_funds")
    page = say(payer)
    assert "Until you have an answer no reminder is sent, and nothing is charged before " in page
    assert "We try your card again." in page


@pytest.mark.long
def test_a_bill_of_somebody_else_cannot_be_named(stage: Stage, payer: Payer) -> None:
    stranger = make_payer(stage, "insufficient_funds", email="other@example.com")
    assert "That isn’t possible any more." in say(payer, about=str(stranger.case.id))
    assert stage.rows(Hold) == []


@pytest.mark.long
def test_the_operator_decides_whether_it_is_offered(stage: Stage) -> None:
    stage.use_campaign(MONTHLY.model_copy(update={"page": PageOffers(wrong_invoice=False, billing_contact=False)}))
    forms = make_payer(stage, "insufficient_funds").forms(make_payer(stage, "insufficient_funds").see())
    assert {"wrong", "contact"}.isdisjoint(forms)
