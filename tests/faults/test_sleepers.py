"""Processes that sleep through their leases and wake up, and clocks side by side: nothing happens twice."""

import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from tests.faults.dying import Death, prepare, tell
from tests.faults.stories import RENEWED
from tests.faults.town import Town, open_town

PLACES = (
    "sweep.after_claim",
    "event.before_commit",
    "step.begun",
    "charge.intention_committed",
    "charge.answered",
    "message.intention_committed",
    "message.answered",
)

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults-sleepers"), pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with open_town() as opened:
        yield opened


@pytest.mark.parametrize("place", PLACES)
def test_a_process_that_wakes_up_after_its_lease_changes_nothing(town: Town, place: str) -> None:
    death = tell(town, place)
    prepare(town, [death])
    town.settle()
    healthy = town.members[death.process]
    sleeper = town.twin(death.process)
    healthy.stop()
    if death.process == "clock":
        death.telling.fail()  # so that the very first round has something to claim
        town.wait(lambda: town.find_case(death.telling.invoice), "the case is opened")
    sleeper.start("sleep_instead_of_dying", RECOUP_FAILPOINT=place)
    if death.story is RENEWED:
        death.telling.give_new_card()
    elif death.process != "clock":
        death.telling.fail()
    town.wait(lambda: asleep(sleeper.pid), f"the {death.process} falls asleep at {place}")
    healthy.start()
    town.outlast_leases()
    town.play(death.telling.has_ended, f"the story of {place} ends")
    before = town.timeline(death.telling.case)
    for pid in asleep(sleeper.pid):
        os.kill(pid, signal.SIGCONT)
    sleeper.stop()
    town.settle()
    assert town.timeline(death.telling.case) == before
    check(town, [death])


def test_two_clocks_do_everything_once(town: Town) -> None:
    second = town.twin("clock")
    second.start()
    deaths = [tell(town, "step.begun") for _ in range(10)]
    for death in deaths:
        death.telling.fail()
    town.play(lambda: all(death.telling.has_ended() for death in deaths), "every story ends")
    second.stop()
    check(town, deaths)


def asleep(pid: int) -> list[int]:
    """Those of a process and its children that are stopped."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children()]
        return [one.pid for one in family if one.status() == psutil.STATUS_STOPPED]
    except psutil.NoSuchProcess:
        return []


def check(town: Town, deaths: list[Death]) -> None:
    town.check_promises()
    for death in deaths:
        death.telling.check()
        assert town.undecided_charges(death.telling.invoice) == 0
