"""Shown is charged and nothing else is: the page, the click, the new card and the oracle agree on every invoice."""

from typing import Any

import pytest
from sqlalchemy import delete

from app.models import RecoveryCase
from app.money import Money
from app.recovery import showing
from app.recovery.invariants import Offence, find_offences
from app.vocabulary import CaseState, RecoveredBy
from tests.integration.payment_page.conftest import Payer


def fail_unheard(payer: Payer) -> str:
    """One more renewal fails, and no webhook of it has been worked on."""
    return str(payer.stage.control("fail", customer=payer.customer, script=["insufficient_funds"])["invoice"])


def forget(payer: Payer, invoice: str) -> None:
    """Let Recoup never have heard of an invoice."""
    with payer.stage.context.database.organization(payer.stage.organization_id) as session:
        session.execute(delete(RecoveryCase).where(RecoveryCase.id == payer.stage.case(invoice).id))


def offences(payer: Payer) -> list[Offence]:
    with payer.stage.context.database.system() as session:
        return find_offences(session, payer.stage.now)


def test_an_invoice_nobody_told_us_of_is_shown_before_it_is_paid(payer: Payer) -> None:
    page = payer.see()
    second = fail_unheard(payer)
    shown_again = payer.press("card", page)
    assert shown_again.headers["Location"].endswith("?note=changed")
    assert "has changed since you opened this page" in payer.follow(shown_again).text
    assert "€98.00" in payer.see().text
    assert "Your payment of €98.00 to Acme went through" in payer.pay_with().text
    assert payer.stage.case(second).recovered_by is RecoveredBy.NEW_CARD
    assert payer.paid_charges_of_renewals() == 2
    assert offences(payer) == []


@pytest.mark.long
def test_a_lapsed_invoice_without_a_case_gets_one_and_is_paid_too(payer: Payer) -> None:
    second = payer.stage.fail(payer.customer, "insufficient_funds")
    forget(payer, second)
    assert "€98.00" not in payer.see().text
    payer.press("card")
    assert "€98.00" in payer.see().text
    payer.pay_with()
    assert payer.stage.case(second).state is CaseState.RECOVERED
    assert payer.paid_charges_of_renewals() == 2


def test_what_fails_while_the_customer_is_at_stripe_is_not_charged_before_they_saw_it(payer: Payer) -> None:
    checkout = payer.press("card")
    second = fail_unheard(payer)
    outcome = payer.follow(payer.http.get(payer.save_card(checkout), allow_redirects=False, timeout=30))
    payer.stage.settle()
    assert payer.case.state is CaseState.RECOVERED
    assert payer.stage.case(second).state is CaseState.WAITING
    assert payer.paid_charges_of_renewals() == 1
    assert "Part of it is paid" in outcome.text
    assert "that you didn’t give your new card for" in outcome.text
    payer.stage.advance(hours=20)
    assert payer.paid_charges_of_renewals() == 1
    assert "There is one more payment open" in payer.see().text
    assert offences(payer) == []


@pytest.mark.long
def test_one_click_pays_what_came_up_meanwhile_with_the_new_card(payer: Payer) -> None:
    checkout = payer.press("card")
    second = fail_unheard(payer)
    outcome = payer.follow(payer.http.get(payer.save_card(checkout), allow_redirects=False, timeout=30))
    settled = payer.follow(payer.press("pay-now", outcome))
    assert "Thank you, all settled" in settled.text
    assert payer.stage.case(second).state is CaseState.RECOVERED
    assert payer.paid_charges_of_renewals() == 2
    assert offences(payer) == []


@pytest.mark.long
def test_what_was_not_shown_is_tried_on_a_later_day_as_any_other_try(payer: Payer) -> None:
    checkout = payer.press("card")
    second = fail_unheard(payer)
    payer.http.get(payer.save_card(checkout), timeout=30)
    held = [entry.summary for entry in payer.stage.timeline(second) if entry.name == "held_back"]
    assert [showing.NOT_SHOWN in summary for summary in held] == [True]
    payer.stage.advance(days=6)
    assert payer.stage.case(second).recovered_by is RecoveredBy.RETRY
    assert payer.paid_charges_of_renewals() == 2
    assert offences(payer) == []


@pytest.mark.long
def test_an_invoice_whose_amount_has_changed_is_not_charged_on_the_old_promise(payer: Payer, monkeypatch: Any) -> None:
    cheaper = {payer.invoice: Money(100, "eur")}
    monkeypatch.setattr("app.payment_page.standing.Standing.asked_for", property(lambda _standing: cheaper))
    checkout = payer.press("card", payer.see())
    monkeypatch.undo()
    outcome = payer.follow(payer.http.get(payer.save_card(checkout), allow_redirects=False, timeout=30))
    assert "The amount has changed since you gave your new card." in outcome.text
    assert "didn’t go through" not in outcome.text
    payer.stage.settle()
    assert payer.case.state is CaseState.WAITING
    assert payer.paid_charges_of_renewals() == 0


def test_the_webhook_alone_keeps_to_what_was_shown(payer: Payer) -> None:
    checkout = payer.press("card")
    second = fail_unheard(payer)
    payer.save_card(checkout)
    payer.stage.settle()
    assert payer.case.state is CaseState.RECOVERED
    assert payer.stage.case(second).state is CaseState.WAITING
    assert payer.paid_charges_of_renewals() == 1


@pytest.mark.parametrize("terms", [{"collection_method": "send_invoice", "days_until_due": "14"}, {}])
def test_what_never_lapsed_is_neither_shown_nor_charged(payer: Payer, terms: dict[str, str]) -> None:
    """A bill sent by mail has terms of its own, and what nobody has tried to collect is not overdue."""
    stage = payer.stage
    stage.stripe("POST", "invoiceitems", customer=payer.customer, amount="777", currency="eur")
    bill = stage.stripe("POST", "invoices", customer=payer.customer, pending_invoice_items_behavior="include", **terms)
    stage.stripe("POST", f"invoices/{bill['id']}/finalize")
    assert "Your payment of €49.00 to Acme went through" in payer.pay_with().text
    stage.settle()
    assert stage.stripe("GET", f"invoices/{bill['id']}")["status"] == "open"
    assert payer.paid_charges_of_renewals() == 1


def test_the_oracle_notices_when_the_bound_is_switched_off(payer: Payer, monkeypatch: Any) -> None:
    monkeypatch.setattr(showing, "waits_until", lambda _session, _case, _invoice: None)
    checkout = payer.press("card")
    second = fail_unheard(payer)
    payer.http.get(payer.save_card(checkout), timeout=30)
    payer.stage.settle()
    assert payer.paid_charges_of_renewals() == 2
    found = offences(payer)
    assert [(offence.invariant, offence.subject) for offence in found] == [
        ("charged_as_shown", str(payer.stage.case(second).id))
    ]


@pytest.mark.long
def test_the_timeline_keeps_what_was_shown(payer: Payer) -> None:
    payer.pay_with()
    entries = {entry.name: entry for entry in payer.stage.timeline(payer.invoice)}
    assert entries["page_shown"].data == {"shown": {payer.invoice: [4900, "eur"]}}
    assert entries["card_given"].data["shown"] == {payer.invoice: [4900, "eur"]}
    assert entries["new_card"].data["shown"] == [4900, "eur"]
