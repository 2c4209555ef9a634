"""Fifty cases while everything dies at random: at the end nobody paid twice, nobody was written to twice, all adds up.

`RECOUP_FAULT_SECONDS` and `RECOUP_FAULT_SEED` make it longer and different.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
import requests
from sqlalchemy import select

from app.campaigns.definition import MessageStep, RetrySettings
from app.inbox.processing import replay
from app.models import InboxEvent
from app.vocabulary import CaseState, InboxState
from tests.faults.chaos import Chaos
from tests.faults.stories import GIVEN_UP, RENEWED, RETRIED, Telling, is_right
from tests.faults.town import SHORT, Town, open_town

CASES = 50
HOURS = timedelta(hours=2)
SECONDS = float(os.environ.get("RECOUP_FAULT_SECONDS", "30"))
SEED = int(os.environ.get("RECOUP_FAULT_SEED", "20261122"))
PATIENT = SHORT.model_copy(
    update={
        "window_days": 4,
        "retries": RetrySettings(timing="ladder", ladder_days=(1, 2, 3), max_attempts=3),
        "messages": (
            MessageStep(key="payment_failed", kind="payment_failed", days=0),
            MessageStep(key="reminder", kind="reminder", days=2),
        ),
    }
)


@pytest.mark.faults
@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.xdist_group("faults-random")
def test_fifty_cases_survive_everything_at_once(record_testsuite_property: Callable[[str, object], None]) -> None:
    with open_town(PATIENT, workers=2, patience=180) as town:
        tellings = [Telling(town, (RETRIED, RENEWED, GIVEN_UP)[turn % 3], town.customer()) for turn in range(CASES)]
        renewed = [telling for telling in tellings if telling.story is RENEWED]
        chaos = Chaos(town, SEED)
        chaos.begin()
        for number, telling in enumerate(tellings):
            telling.fail()
            if number == CASES // 2:
                chaos.kill_sandbox()
        assert chaos.owed, "the sandbox was killed with nothing left to tell"
        chaos.rage(SECONDS / 2)
        early = [telling for telling in renewed if telling.is_waiting_for_card()]
        for telling in early:
            give_card_until_stripe_takes_it(telling)
        chaos.rage(SECONDS / 2)
        chaos.end()
        record_testsuite_property("done", dict(chaos.done))
        town.outlast_leases()
        record_testsuite_property("parked", replay_parked(town))
        late = [telling for telling in renewed if telling not in early]
        town.wait(lambda: all(telling.is_waiting_for_card() for telling in late), "the other cards are awaited")
        for telling in late:
            telling.give_new_card()
        town.play(lambda: all(has_ended(telling) for telling in tellings), "every case ends", HOURS, days=60)
        town.settle()
        assert town.told(chaos.owed) == chaos.owed
        record_testsuite_property("ends", dict(Counter(telling.case.state for telling in tellings)))
        for telling in tellings:
            check(town, telling)
        check_sums(town, tellings)
        town.verify()


def give_card_until_stripe_takes_it(telling: Telling) -> None:
    """The customer is as patient with an unwell Stripe as the test needs."""
    for _ in range(20):
        with suppress(AssertionError, requests.RequestException):
            return telling.give_new_card()
    raise AssertionError("Stripe opens no page")


def replay_parked(town: Town) -> int:
    """What a person does with events whose workers were killed again and again; how many there were."""
    with town.context.database.system() as session:
        parked = list(session.scalars(select(InboxEvent).where(InboxEvent.state == InboxState.PARKED)))
    for event in parked:
        assert str(event.problem).startswith("Unfinished")
        replay(town.context, event.organization_id, event.id, "test")
    return len(parked)


def has_ended(telling: Telling) -> bool:
    found = telling.town.find_case(telling.invoice)
    return found is not None and found.state in (CaseState.RECOVERED, CaseState.EXHAUSTED)


def check(town: Town, telling: Telling) -> None:
    """Money as the books say, each charge decided on, and no mail a second time but where nobody could know."""
    entry = town.books()[telling.invoice]
    assert entry["successful_charges"] == (telling.case.state is CaseState.RECOVERED), telling.told()
    assert town.undecided_charges(telling.invoice) == 0, telling.told()
    files = town.mails()
    wrong = {one.key: files[str(one.id)] for one in town.messages(telling.case) if not is_right(one, files)}
    assert not wrong, telling.told()


def check_sums(town: Town, tellings: list[Telling]) -> None:
    """What Recoup counts as recovered is what the sandbox was paid for these invoices, by currency."""
    ours: dict[str, int] = defaultdict(int)
    theirs: dict[str, int] = defaultdict(int)
    books = town.books()
    for telling in tellings:
        ours[telling.case.currency] += telling.case.recovered_amount
        theirs[books[telling.invoice]["currency"]] += books[telling.invoice]["amount_charged"]
    assert ours == theirs
