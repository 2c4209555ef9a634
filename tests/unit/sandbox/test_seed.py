"""The sample customers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.clock import SandboxClock
from app.sandbox.seed import WAYS, seed
from app.sandbox.world import World

NOW = int(datetime(2027, 6, 15, 12, tzinfo=UTC).timestamp())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, SandboxClock(tmp_path / "clock.json"), "http://127.0.0.1:1")
    yield made
    made.store.close()


def test_the_samples_have_paid_for_half_a_year_and_fail_in_every_way(world: World) -> None:
    with world.transaction(now=NOW) as ledger:
        made = seed(ledger, customers=8)
        assert seed(ledger, customers=8) == made
    assert [entry["way"] for entry in made["failing"]] == [way.name for way in WAYS]
    statuses = dict(world.store.fetch("select status, count(*) from objects where kind = 'invoice' group by status"))
    assert set(statuses) == {"paid"}
    assert statuses["paid"] >= 6 * len(WAYS)
    assert world.store.fetch("select count(*) from objects where kind = 'event'") == [(0,)]
    last = world.store.fetch("select max(created) from objects where kind = 'invoice'")[0][0]
    assert last <= NOW
    subscriptions = world.store.fetch("select distinct status from objects where kind = 'subscription'")
    assert subscriptions == [("active",)]


def test_they_can_fail_at_once_and_be_heard_of(world: World) -> None:
    with world.transaction(now=NOW) as ledger:
        made = seed(ledger, customers=0, months=2, fail_at_once=True)
    open_invoices = world.store.fetch("select count(*) from objects where kind = 'invoice' and status = 'open'")
    assert open_invoices == [(len(WAYS),)]
    heard = world.store.fetch("select count(*) from objects where kind = 'event' and status like 'invoice.payment_%'")
    assert heard[0][0] >= len(WAYS)
    assert all("invoice" in entry for entry in made["failing"])


def test_the_same_number_makes_the_same_people(tmp_path: Path) -> None:
    people = []
    for place in ("one", "two"):
        world = World(tmp_path / place, SandboxClock(tmp_path / place / "clock.json"), "http://127.0.0.1:1")
        with world.transaction(now=NOW) as ledger:
            seed(ledger, customers=3, months=1, number=11)
        rows = world.store.fetch(
            "select json_extract(body, '$.email') from objects where kind = 'customer' order by seq"
        )
        people.append([email for (email,) in rows])
        world.store.close()
    assert people[0] == people[1]
