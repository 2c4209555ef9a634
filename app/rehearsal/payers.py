"""The people behind the cards: whether a charge goes through at a moment, and what the issuer says when it does not.

Accounts, wages, moods of banks and their sources are those of `app.retries.worlds`; here they are dated into the
rehearsal. The same person gives the same answer at the same hour, however often and by whom they are asked.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from app.rehearsal.orders import Person
from app.retries.worlds.accounts import Account, open_account, ordinal_of
from app.retries.worlds.parameters import common, world
from app.retries.worlds.reasons import Cause, Closed, Limit, Money, Now, Outage, Suspicion, outage_hours

# Why a payment fails: no money, a wary bank, somebody on the way is down, a limit is used up, the card is dead and
# says so, or does not say so, the bank wants its customer, or the customer has stopped the payments.
CAUSES = ("money", "suspicion", "outage", "limit", "hard", "hidden_dead", "authentication")

Entry = str | dict[str, str]
_HOUR = timedelta(hours=1)
_ACCOUNTS_TRIED = 60


class Payer:
    """One person from the moment their payment first fails."""

    def __init__(self, person: Person, fails_at: datetime) -> None:
        self._person, self._fails_at = person, fails_at
        self._zone = ZoneInfo(person.timezone)
        self._cause = _cause(person, self._local(fails_at))

    def answer(self, at: datetime) -> Entry:
        """What the issuer answers to a charge at `at`, as an entry of the sandbox's scripts."""
        if at - self._fails_at < _HOUR:
            return dict(self._person.signals)
        if self._person.cause == "authentication":
            return "requires_action"
        now = Now((at - self._fails_at) / _HOUR, self._local(at), self._person.seed)
        return "approve" if self._approves(now) and now.luck(9) < _night(now) else self._refusal()

    def _approves(self, now: Now) -> bool:
        # A wary bank counts how often it was asked; here it is asked every hour on behalf of nobody, so its chance is
        # taken without that.
        if isinstance(self._cause, Suspicion):
            return now.luck(2) < self._cause.chance(now)
        return self._cause.approves(now)

    def _refusal(self) -> Entry:
        """The first answer again; its advice is not repeated, for it named a day that has passed."""
        return {name: word for name, word in self._person.signals.items() if name != "network_advice_code"}

    def _local(self, at: datetime) -> float:
        return ordinal_of(at.astimezone(self._zone))


def world_of(country: str) -> str:
    """Whose paydays a country is given: Americans', or else Britain's and the continent's."""
    return "us_consumer" if country in ("US", "CA") else "uk_eu"


def _cause(person: Person, local: float) -> Cause:
    rng = np.random.default_rng(person.seed)
    if person.cause == "money":
        return Money(_short_account(person, local, rng))
    causes: dict[str, Cause] = {
        "suspicion": Suspicion(bool(rng.random() < common()["suspicion_persists"])),
        "outage": Outage(outage_hours(float(rng.standard_normal()))),
        "limit": Limit(bool(rng.random() > common()["limit_resets_daily"]), local),
    }
    return causes.get(person.cause, Closed())


def _short_account(person: Person, local: float, rng: np.random.Generator) -> Account:
    """The account of somebody who is short at that moment; the last one tried where nobody is."""
    parameters = world(world_of(person.country))
    for _ in range(_ACCOUNTS_TRIED):
        account = open_account(parameters, int(local), rng)
        if account.actual(local) < 0:
            break
    return account


def _night(now: Now) -> float:
    return float(common()["night_penalty"]) if 1 / 24 <= now.local % 1 < 4 / 24 else 1.0
