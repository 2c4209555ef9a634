"""The scales of the big proof (`make books`): even while all is well, and tipped by one unrecorded payment."""

import pytest

from app.vocabulary import ConnectionMode
from tests.faults.town import Town, card_number, open_town
from tests.long.books import differences
from tests.long.people import move_in
from tests.long.playing import settle_in
from tests.long.proof import find_wrong

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults-books"), pytest.mark.timeout(120)]
PEOPLE = 8


def test_a_payment_that_recoup_never_heard_of_tips_the_scales() -> None:
    people: list[str] = []

    def begin(town: Town) -> None:
        people.extend(move_in(town.home, town.sandbox_url, PEOPLE, seed=5, say=lambda _count: None))
        settle_in(town, ConnectionMode.DRIVE)

    with open_town(settle_in=begin) as town:
        invoices = [town.fail(customer, "insufficient_funds") for customer in people]
        town.wait(lambda: all(town.find_case(invoice) for invoice in invoices), "every case is opened")
        pay(town, invoices[0])
        town.settle()
        assert find_wrong(town) == []

        town.control("faults", kind="lost_webhook")
        pay(town, invoices[1])
        town.wait(lambda: not town.reading()["pending_deliveries"], "the webhooks are lost")
        currency = town.books()[invoices[1]]["currency"]
        assert {line.partition(":")[0] for line in differences(town)} == {
            invoices[1],
            f"{currency} recovered",
            f"{currency} in_recovery",
        }
        assert f"{invoices[1]} as paid" in " ".join(find_wrong(town))


def pay(town: Town, invoice: str) -> None:
    """The customer pays on Stripe's own page of the invoice."""
    page = town.http.post(f"{town.sandbox_url}/i/{invoice}", data={"number": card_number()}, timeout=30)
    assert page.ok, page.text
