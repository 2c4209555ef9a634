"""One run of the big proof in one mode: build a town, play the days, hold the books side by side."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from app.models import ChargeAttempt, Finding, InboxEvent, Message, RecoveryCase
from app.recovery.books import compare
from app.recovery.invariants import find_offences
from app.reports.figures import Outcomes, Tally
from app.vocabulary import ConnectionMode
from tests.faults.town import Town, open_town
from tests.long import books
from tests.long.deeds import Deeds
from tests.long.people import Person, move_in
from tests.long.playing import Play, settle_in
from tests.long.trouble import Trouble

PATIENCE = 180.0  # real seconds for one stop
MOST_STORIES = 3

Say = Callable[[str, float], None]


@dataclass(frozen=True)
class Size:
    """How much is played: subscriptions, days, hours from one stop to the next, workers, and the seed of all dice."""

    subscriptions: int
    days: float
    stop_hours: float
    workers: int
    seed: int


@dataclass(frozen=True)
class Result:
    """What came of a run. `wrong` is empty when everything is as promised; `seconds` are real."""

    mode: ConnectionMode
    wrong: tuple[str, ...]
    theirs: dict[str, dict[str, Tally]]
    ours: dict[str, Outcomes]
    counts: dict[str, int]
    done: Counter[str]
    seconds: float


def prove(mode: ConnectionMode, size: Size, say: Say) -> Result:
    """Play `size` in `mode`; `say` hears what is being done and how much of it (0 to 1).

    Raises `AssertionError` when the town does not come to rest.
    """
    people: dict[str, Person] = {}

    def begin(town: Town) -> None:
        arrived = move_in(
            town.home,
            town.sandbox_url,
            size.subscriptions,
            size.seed,
            lambda count: say("people move in", count / size.subscriptions),
        )
        people.update(arrived)
        settle_in(town, mode)

    with open_town(workers=size.workers, patience=PATIENCE, settle_in=begin) as town:
        deeds, trouble = Deeds(town, people), Trouble(town, size.seed)
        play = Play(town, deeds, trouble, size.seed, timedelta(hours=size.stop_hours))
        begun = time.monotonic()
        play.run(size.days, lambda days: say("days pass", days / size.days))
        seconds = time.monotonic() - begun
        say("the books are compared", 1)
        return Result(
            mode=mode,
            wrong=tuple(find_wrong(town)),
            theirs=books.sums(books.sandbox_books(town.home)),
            ours=books.reported(town),
            counts={**_counts(town), "stops": play.stops, "events parked and replayed": play.parked.total()},
            done=trouble.done + deeds.done,
            seconds=seconds,
        )


def find_wrong(town: Town) -> list[str]:
    """Everything that is not as promised, a line each: promises, every case's charges, the two sets of books."""
    with town.context.database.system() as session:
        offences = find_offences(session, town.now)
    offences += compare(town.context)
    doubled = town.http.get(f"{town.sandbox_url}/_sandbox/books", timeout=120).json()["double_charged"]
    return [
        *(f"{one.invariant}: {one.subject}: {one.detail}" for one in offences),
        *(f"{invoice} was charged twice" for invoice in doubled),
        *books.differences(town),
        *(line for one in offences[:MOST_STORIES] for line in _story(town, one.subject)),
    ]


def _story(town: Town, subject: str) -> list[str]:
    """What was planned for a case and what happened to it, for whoever has to find out why."""
    try:
        case_id = UUID(subject)
    except ValueError:
        return []
    with town.context.database.system() as session:
        case = session.get(RecoveryCase, case_id)
    if case is None:
        return []
    planned = [
        f"{one.key} {one.state} {one.due_at} {one.finished_at} {one.claims} {one.problem}" for one in town.steps(case)
    ]
    return [f"{case.id}: {case.state} {case.failed_at}", *sorted(planned), *town.timeline(case)]


def _counts(town: Town) -> dict[str, int]:
    kinds = {
        "webhooks kept": InboxEvent.id,
        "found by looking": Finding.id,
        "charges known": ChargeAttempt.id,
        "mails written": Message.id,
    }
    with town.context.database.system() as session:
        return {name: session.scalar(select(func.count(column))) or 0 for name, column in kinds.items()}
