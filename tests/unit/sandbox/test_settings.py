"""The account's settings, and the words that scripts and plans are made of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.clock import SandboxClock
from app.sandbox import policy
from app.sandbox.cards import BY_TOKEN
from app.sandbox.checks import known_answer
from app.sandbox.declines import CODES, NEVER_EXECUTED
from app.sandbox.ledger import Ledger
from app.sandbox.seed import WAYS
from app.sandbox.world import World


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    world = World(tmp_path, SandboxClock(tmp_path / "clock.json"), "http://127.0.0.1:1")
    with world.transaction() as opened:
        yield opened
    world.store.close()


def test_settings_of_an_older_sandbox_are_read_and_what_is_new_has_its_default(ledger: Ledger) -> None:
    ledger.save({"id": "account", "retries": "off", "account_name": "Long Ago Ltd"}, "_policy")
    settings = policy.load(ledger)
    assert (settings.retries, settings.business_name) == ("off", "Lumen Cloud")
    assert policy.change(ledger, end_behavior="unpaid").retries == "off"


def test_a_name_that_no_statement_can_carry_leaves_it_empty(ledger: Ledger) -> None:
    assert policy.change(ledger, business_name="日本").statement_descriptor is None
    assert policy.change(ledger, business_name="A name of more than 22 signs").statement_descriptor == (
        "A NAME OF MORE THAN 22"
    )


def test_every_sample_answers_in_words_that_can_be_asked_for() -> None:
    scripts = [list(card.script) for card in BY_TOKEN.values()] + [list(way.script) for way in WAYS]
    for script in scripts:
        assert [known_answer(entry) for entry in script] == script
    assert NEVER_EXECUTED <= CODES
