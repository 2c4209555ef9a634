"""Every named failpoint in turn: a process dies there, comes back, and each story ends as if nothing had happened.

The stories share a town and run side by side, because most of the time goes by waiting for leases. A process may
therefore die in a neighbour's story; each place has its death, and every story its right end.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.failpoints import FAILPOINTS
from tests.faults.stories import GIVEN_UP, RENEWED, RETRIED, Story, Telling
from tests.faults.town import Town, is_web_ready, open_town

ROOT = Path(__file__).parents[2]
ROOMS = {
    # what a failpoint's name begins with: the process that comes by, and the story in which it does
    "webhook": ("web", RETRIED),
    "event": ("worker", RETRIED),
    "sweep": ("clock", RETRIED),
    "step": ("worker", RETRIED),
    "charge": ("worker", RENEWED),
    "message": ("worker", RETRIED),
    "final_action": ("worker", GIVEN_UP),
    "card_change": ("worker", RENEWED),
}


@dataclass
class Death:
    """What was told while a process was to die at `place`."""

    place: str
    telling: Telling
    has_died: bool = False

    @property
    def process(self) -> str:
        return ROOMS[self.place.split(".")[0]][0]

    @property
    def story(self) -> Story:
        return ROOMS[self.place.split(".")[0]][1]


@pytest.mark.parametrize("place", FAILPOINTS)
def test_every_failpoint_is_somewhere_in_the_program(place: str) -> None:
    sources = [file for room in ("app", "workers") for file in (ROOT / room).rglob("*.py")]
    passing = re.compile(rf'failpoint(?:_during)?\(\s*"{re.escape(place)}"')
    assert any(passing.search(file.read_text()) for file in sources)


@pytest.fixture(scope="module")
def deaths() -> Iterator[dict[str, Death]]:
    """A town in which every place has had its death, and which has come to rest afterwards."""
    with open_town() as town:
        deaths = [Death(place, Telling(town, ROOMS[place.split(".")[0]][1], town.customer())) for place in FAILPOINTS]
        at_once = [death for death in deaths if death.story is not GIVEN_UP]
        for death in at_once:
            if death.story is RENEWED:
                death.telling.fail()
        town.wait(lambda: all(d.telling.is_waiting_for_card() for d in at_once if d.story is RENEWED), "cards awaited")
        town.settle()
        for death in at_once:
            die_at_once(town, death)
        town.outlast_leases()
        town.play(lambda: all(death.telling.has_ended() for death in at_once), "every story ends")
        for death in deaths:
            if death.story is GIVEN_UP:
                die_at_the_end(town, death)
        town.settle()
        yield {death.place: death for death in deaths}


@pytest.mark.faults
@pytest.mark.timeout(240)
@pytest.mark.xdist_group("faults-failpoints")
class TestAProcessKilledAtAFailpoint:
    @pytest.mark.parametrize("place", FAILPOINTS)
    def test_changes_nothing_in_the_end(self, deaths: dict[str, Death], place: str) -> None:
        death = deaths[place]
        assert death.has_died
        death.telling.check()

    def test_leaves_every_promise_and_the_books_intact(self, deaths: dict[str, Death]) -> None:
        next(iter(deaths.values())).telling.town.verify()


def die_at_once(town: Town, death: Death) -> None:
    """Arm the process, let the story come by, see it die, and bring it back."""
    arm(town, death)
    workers = town.members[death.process].children()
    if death.story is RENEWED:
        death.telling.give_new_card()
    else:
        death.telling.fail()
    town.wait(lambda: is_dead(town, death, workers), f"the {death.process} dies at {death.place}")
    come_back(town, death)


def die_at_the_end(town: Town, death: Death) -> None:
    """The same for a place that only an exhausted case comes by."""
    arm(town, death)
    workers = town.members[death.process].children()
    death.telling.fail()
    town.play(lambda: is_dead(town, death, workers), f"the {death.process} dies at {death.place}")
    come_back(town, death)
    town.outlast_leases()
    town.play(death.telling.has_ended, f"the story of {death.place} ends")


def arm(town: Town, death: Death) -> None:
    """Start the process anew, to die at its place; it has time to finish what it has in hand."""
    member = town.members[death.process]
    member.stop()
    member.start(RECOUP_FAILPOINT=death.place)
    if death.process == "worker":
        town.wait(member.children, "the worker has begun")
    elif death.process == "web":
        town.wait(lambda: is_web_ready(town), "the web process is ready")


def is_dead(town: Town, death: Death, workers: set[int]) -> bool:
    """Whether the process, or a child that worked for it, is gone."""
    member = town.members[death.process]
    death.has_died = not workers <= member.children() or member.forge.ended(member.pid) is not None
    return death.has_died


def come_back(town: Town, death: Death) -> None:
    """What a supervisor does; this time nothing waits at the failpoint."""
    town.members[death.process].restart()
    if death.process == "web":
        town.wait(lambda: is_web_ready(town), "the web process is back")
