"""Mails go to somebody else: asked twice, checked, and the address before still hears."""

from app.messages.recipients import contacts_of
from app.models import Customer
from app.payment_page import contact
from tests.integration.payment_page.conftest import FORM, Payer
from tests.stage import Stage

YES = 'name="address" value="{}"'


def name(payer: Payer, address: str) -> str:
    ticket = payer.forms(payer.see())["contact"]
    return payer.http.post(f"{payer.url}/contact", data={"ticket": ticket, "address": address}, timeout=30).text


def asked_at(payer: Payer, address: str) -> str:
    """The address of the question: one that can be gone back to, and says nobody's address."""
    ticket = payer.forms(payer.see())["contact"]
    form = {"ticket": ticket, "address": address}
    answer = payer.http.post(f"{payer.url}/contact", data=form, allow_redirects=False, timeout=30)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def confirm(payer: Payer, page: str, address: str) -> str:
    ((_, ticket),) = FORM.findall(page)
    form = {"ticket": ticket, "address": address}
    return payer.http.post(f"{payer.url}/contact/confirmed", data=form, timeout=30).text


def addresses(stage: Stage, payer: Payer) -> list[tuple[str, bool]]:
    with stage.context.database.organization(stage.organization_id) as session:
        customer = session.get_one(Customer, payer.case.customer_id)
        return [(one.address, one.is_main) for one in contacts_of(session, customer)]


def test_the_new_address_comes_first_and_the_old_one_gets_a_copy(stage: Stage, payer: Payer) -> None:
    page = name(payer, "books@example.net")
    assert "Is this right?" in page
    assert "books" not in asked_at(payer, "books@example.net")
    assert "Is this right?" not in payer.http.get(f"{payer.url}/contact?to=made-up", timeout=30).text
    assert YES.format("books@example.net") in page
    assert addresses(stage, payer) == [("anna@example.com", True)]
    assert "Done. Mails about payments go to the new address" in confirm(payer, page, "books@example.net")
    assert addresses(stage, payer) == [("books@example.net", True), ("anna@example.com", False)]
    assert "books@example.net" not in payer.see().text


def test_what_is_no_address_changes_nothing(stage: Stage, payer: Payer) -> None:
    for wrong in (
        "",
        "books",
        "books@",
        "books@example",
        "a b@example.com",
        "x" * 300 + "@example.com",
        "<b>@example.com",
    ):
        assert "This doesn’t look like an e-mail address" in name(payer, wrong)
    assert addresses(stage, payer) == [("anna@example.com", True)]


def test_a_confirmation_sent_twice_is_one_change(stage: Stage, payer: Payer) -> None:
    page = name(payer, "books@example.net")
    for _ in range(2):
        confirm(payer, page, "books@example.net")
    changes = [entry for entry in stage.timeline(payer.invoice) if entry.name == contact.CHANGED]
    assert len(changes) == 1
    assert "books@" not in changes[0].summary


def test_only_so_many_changes_a_day(stage: Stage, payer: Payer) -> None:
    for number in range(contact.MOST_A_DAY):
        address = f"books{number}@example.net"
        assert "Done." in confirm(payer, name(payer, address), address)
    assert "That isn’t possible any more." in confirm(payer, name(payer, "late@example.net"), "late@example.net")
