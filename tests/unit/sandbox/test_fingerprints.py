"""A fingerprint tells one person's card from a stranger's with the same test number."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.clock import SandboxClock
from app.sandbox import staging
from app.sandbox.billing import payments
from app.sandbox.cards import BY_NUMBER, BY_TOKEN
from app.sandbox.failing import fail_now
from app.sandbox.ledger import Ledger
from app.sandbox.resources.payment_methods import attached, card_by_number, method_of
from app.sandbox.seed import seed
from app.sandbox.shapes.customer import new_customer
from app.sandbox.store import Doc
from app.sandbox.world import World

NOW = int(datetime(2027, 6, 15, 12, tzinfo=UTC).timestamp())


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    world = World(tmp_path, SandboxClock(tmp_path / "clock.json"), "http://127.0.0.1:1")
    with world.transaction(now=NOW) as opened:
        yield opened
    world.store.close()


def person(ledger: Ledger) -> str:
    identifier: str = ledger.add(new_customer(ledger.now))["id"]
    return identifier


def print_of(method: Doc) -> str:
    text: str = method["card"]["fingerprint"]
    assert len(text) == 16
    return text


def entered(ledger: Ledger, customer: str, number: str) -> str:
    return print_of(attached(ledger, method_of(ledger, card_by_number(number)), customer))


def test_strangers_with_the_same_number_have_different_cards(ledger: Ledger) -> None:
    assert entered(ledger, person(ledger), "4242424242424242") != entered(ledger, person(ledger), "4242424242424242")


def test_the_same_person_entering_a_number_again_has_the_same_card(ledger: Ledger) -> None:
    robin = person(ledger)
    by_token = print_of(attached(ledger, method_of(ledger, BY_TOKEN["pm_card_visa"]), robin))
    assert entered(ledger, robin, "4242 4242 4242 4242") == by_token
    assert entered(ledger, robin, "4000056655665556") != by_token


def test_every_number_is_a_card_of_its_own_for_one_person(ledger: Ledger) -> None:
    robin = person(ledger)
    assert len({entered(ledger, robin, number) for number in BY_NUMBER}) == len(BY_NUMBER)


def test_a_card_nobody_holds_yet_is_like_no_other_and_becomes_its_holders(ledger: Ledger) -> None:
    robin = person(ledger)
    loose, other = (method_of(ledger, BY_TOKEN["pm_card_visa"]) for _ in range(2))
    alone = print_of(loose)
    assert alone != print_of(other)
    known = entered(ledger, robin, "4242424242424242")
    assert print_of(attached(ledger, loose, robin)) == known != alone
    assert print_of(ledger.get("payment_method", loose["id"])) == known


def test_a_card_taken_off_keeps_its_fingerprint_and_gets_it_back(ledger: Ledger) -> None:
    robin = person(ledger)
    method = attached(ledger, method_of(ledger, BY_TOKEN["pm_card_visa"]), robin)
    before = print_of(method)
    method["customer"] = None
    assert print_of(ledger.save(method)) == before
    assert print_of(attached(ledger, method, robin)) == before
    method["customer"] = None
    assert print_of(attached(ledger, method, person(ledger))) != before


def test_a_card_given_for_one_payment_counts_as_its_payers(ledger: Ledger) -> None:
    made = staging.subscribed_customer(ledger, {})
    failed = fail_now(ledger, made["customer"], ["lost_card"])
    known = print_of(ledger.get("payment_method", made["payment_method"]))
    loose = method_of(ledger, BY_TOKEN["pm_card_visa"])
    invoice = ledger.get("invoice", failed["invoice"])
    payments.charge(ledger, invoice, loose)
    intent = payments.intent_of(ledger, invoice)
    assert intent is not None
    charge = ledger.get("charge", intent["latest_charge"])
    assert charge["payment_method_details"]["card"]["fingerprint"] == known


def test_a_number_that_the_network_renewed_is_another_card(ledger: Ledger) -> None:
    made = staging.subscribed_customer(ledger, {})
    before = print_of(ledger.get("payment_method", made["payment_method"]))
    for _ in range(2):
        staging.new_card(ledger, made["customer"], {"by": "updater"})
        renewed = print_of(ledger.get("payment_method", made["payment_method"]))
        assert renewed != before
        before = renewed


def test_no_two_sample_customers_share_a_card(ledger: Ledger) -> None:
    seed(ledger, customers=6, months=1)
    rows = ledger.store.fetch(
        "select count(distinct json_extract(body, '$.card.fingerprint')), count(distinct customer)"
        " from objects where kind = 'payment_method'"
    )
    assert rows[0][0] == rows[0][1] == 20
