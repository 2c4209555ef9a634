"""The play of the big proof: everybody's clock goes from one busy moment to the next until the days are over.

At each stop webhooks arrive and everything due is done by the real processes; now and then trouble strikes them in the
middle of it; then people act. The last days are calm: what was lost is found, what was left open is asked after.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from app.accounts.connections import connect
from app.accounts.users import create_organization
from app.bell import Urgency
from app.inbox.processing import replay
from app.models import Errand, InboxEvent
from app.recovery.campaigns import add_defaults
from app.vocabulary import ConnectionMode, ErrandState, InboxState
from tests.faults.town import SANDBOX_KEY, Town
from tests.long.deeds import Deeds
from tests.long.trouble import Trouble
from workers.sweeping import ring_upkeep

CALM = timedelta(days=3)  # an unanswered charge is asked after for the third time a day later
STUCK = 3.0  # real seconds after which whatever those who were struck held is anybody's
A_MOMENT = 0.5  # real seconds
NONE_NEW = timedelta(days=3650)  # an age that no look for what was missed has
ON_THEIR_WAY = timedelta(minutes=3)  # events younger than that are no business of a look for what was missed
DAY = timedelta(days=1)


def settle_in(town: Town, mode: ConnectionMode) -> None:
    """Make the organization, and connect it to the sandbox as it is now."""
    driving = mode is ConnectionMode.DRIVE
    town.control("settings", retries="off" if driving else "smart", end_behavior="past_due" if driving else "cancel")
    with town.context.database.system() as session:
        organization = create_organization(session, "acme", "Acme", town.now)
        session.flush()
    with town.context.database.organization(organization.id) as session:
        add_defaults(session, town.now, "test")
    connect(town.context, organization.id, api_key=SANDBOX_KEY, webhook_secret=None, mode=mode, actor="test")


class Play:
    """Some days in which `deeds` are done while `trouble` rages.

    What is due within a `stop` is done together, and webhooks are late by as much. `stops` counts how often the
    clock was turned, `parked` why events were given up that were then tried once more.
    """

    def __init__(self, town: Town, deeds: Deeds, trouble: Trouble, seed: int, stop: timedelta) -> None:
        self._town, self._deeds, self._trouble, self._stop = town, deeds, trouble, stop
        self._dice = random.Random(seed)
        self._begins = town.now
        self._strikes_at = town.now
        self.stops = 0
        self.parked: Counter[str] = Counter()

    def run(self, days: float, say: Callable[[float], None]) -> None:
        """Play it all; `say` hears how many days are over. Raises `AssertionError` when something stays undone."""
        ends = self._begins + timedelta(days=days)
        today = -1
        while (now := self._town.now) < ends:
            number = (now - self._begins).days
            is_calm = now >= ends - CALM
            if number > today and not is_calm:
                today = number
                self._trouble.begin_day(number)
                self._strikes_at = now + DAY * self._dice.random()
            elif is_calm and self._trouble.is_on:
                self._trouble.end()
            self._go_on(ends)
            self._settle(struck=not is_calm and self._strike())
            self._deeds.act()
            say((now - self._begins) / DAY)
        self._find_what_was_missed()

    def _go_on(self, ends: datetime) -> None:
        """To the next moment at which anybody has something to do, and a little further."""
        coming = self._town.next_moment() or ends
        moment = max(min(coming + self._stop, ends), self._town.now)
        self._town.control("clock", to=moment.isoformat(), settle_seconds=0)
        self._town.context.bell.ring("sweep", urgency=Urgency.NOW)
        self.stops += 1

    def _strike(self) -> bool:
        """Once a day, while work is under way; whether anybody was hit."""
        if self._town.now < self._strikes_at:
            return False
        self._strikes_at = datetime.max.replace(tzinfo=self._strikes_at.tzinfo)
        time.sleep(self._dice.uniform(0, 0.3))
        return self._trouble.strike()

    def _settle(self, struck: bool = False) -> None:
        patient_until = time.monotonic() + STUCK

        def is_quiet() -> bool:
            nonlocal patient_until
            if struck and time.monotonic() > patient_until:
                self._town.outlast_leases()
                patient_until = time.monotonic() + STUCK
            if not self._town.is_quiet():
                return False
            if self._has_errand():
                ring_upkeep(self._town.context, NONE_NEW)  # the clock process would do so four times a minute
                time.sleep(A_MOMENT)
                return False
            return True

        self._town.wait(is_quiet, "quiet")

    def _has_errand(self) -> bool:
        now = self._town.now
        at_work = or_(Errand.next_try_at <= now, Errand.lease_until > now)
        with self._town.context.database.system() as session:
            query = select(Errand.id).where(Errand.state == ErrandState.RUNNING, at_work).limit(1)
            return session.scalar(query) is not None

    def _find_what_was_missed(self) -> None:
        """Twice, because what the first look brings to light may lead to more."""
        self._town.outlast_leases()
        self._replay_parked()
        for _ in range(2):
            self._town.turn(self._town.now + ON_THEIR_WAY)
            ring_upkeep(self._town.context, timedelta(0))
            self._settle()

    def _replay_parked(self) -> None:
        """What a person does with events whose workers were killed again and again."""
        with self._town.context.database.system() as session:
            parked = list(session.scalars(select(InboxEvent).where(InboxEvent.state == InboxState.PARKED)))
        for event in parked:
            self.parked[str(event.problem).partition(":")[0]] += 1
            replay(self._town.context, event.organization_id, event.id, "test")
