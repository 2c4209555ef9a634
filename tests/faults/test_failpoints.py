"""Every named failpoint in turn: a process dies there, comes back, and each story ends as if nothing had happened.

The stories share a town and run side by side, because most of the time goes by waiting for leases. A process may
therefore die in a neighbour's story; each place has its death, and every story its right end.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.failpoints import FAILPOINTS
from tests.faults.dying import Death, die_at_once, die_in_the_end, die_on_an_errand, prepare, tell
from tests.faults.stories import GIVEN_UP
from tests.faults.town import open_town

ROOT = Path(__file__).parents[2]
AN_HOUR = timedelta(hours=1)


@pytest.mark.parametrize("place", FAILPOINTS)
def test_every_failpoint_is_somewhere_in_the_program(place: str) -> None:
    sources = [file for room in ("app", "workers") for file in (ROOT / room).rglob("*.py")]
    passing = re.compile(rf'failpoint(?:_during)?\(\s*"{re.escape(place)}"')
    assert any(passing.search(file.read_text()) for file in sources)


@pytest.fixture(scope="module")
def deaths() -> Iterator[dict[str, Death]]:
    """A town in which every place has had its death, and which has come to rest afterwards."""
    with open_town() as town:
        deaths = [tell(town, place) for place in FAILPOINTS]
        on_errands = [death for death in deaths if death.place.startswith("errand.")]
        at_once = [death for death in deaths if death.story is not GIVEN_UP and death not in on_errands]
        in_the_end = [death for death in deaths if death.story is GIVEN_UP]
        prepare(town, deaths)
        for death in at_once:
            die_at_once(town, death)
        town.outlast_leases()
        town.play(lambda: all(death.telling.has_ended() for death in at_once), "every story ends", AN_HOUR)
        for death in on_errands:
            die_on_an_errand(town, death)
        for death in in_the_end:
            death.telling.fail()
            town.settle()
            town.turn(town.now + 3 * AN_HOUR)  # so that each comes to its end alone
        for death in in_the_end:
            die_in_the_end(town, death)
        town.settle()
        yield {death.place: death for death in deaths}


@pytest.mark.faults
@pytest.mark.timeout(420)
@pytest.mark.xdist_group("faults-failpoints")
class TestAProcessKilledAtAFailpoint:
    @pytest.mark.parametrize("place", FAILPOINTS)
    def test_changes_nothing_in_the_end(self, deaths: dict[str, Death], place: str) -> None:
        death = deaths[place]
        assert death.has_died
        death.telling.check()

    def test_leaves_every_promise_and_the_books_intact(self, deaths: dict[str, Death]) -> None:
        next(iter(deaths.values())).telling.town.verify()
