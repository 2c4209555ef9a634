"""Whose payments fail in a rehearsal: payers of the sandbox's issuers, found by what their banks say when they decline.

Wages, accounts, banks' moods and their sources are those of `app/sandbox/issuers`. Here payers are only chosen: those
whose last renewal went through and whose next one does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from app.retries.declines import classify
from app.retries.facts import DeclineSignals
from app.retries.meanings import DeclineClass
from app.sandbox.cards import APPROVE, AUTHENTICATE
from app.sandbox.issuers.payers import Payer

Entry = str | dict[str, str]
_AUTHENTICATION = DeclineClass.AUTHENTICATION.value
_MOST_DRAWS = 6  # payers looked at for each that is wanted; what is still wanting then is rare among these issuers
_SOONEST = timedelta(minutes=30)
_PASSES = DeclineClass.SOFT_FAST.value  # a disturbance on the way is over when the card is tried again


@dataclass(frozen=True)
class Wanted:
    """A decline that somebody is looked for: of that segment's payers, in that class, first said in these signals."""

    segment: str
    decline_class: str
    signals: dict[str, str]


@dataclass(frozen=True)
class Drawn:
    """A payer whose payment fails that long after the beginning. With a `script` their first card answers by that,
    whatever their bank would say.
    """

    payer: Payer
    after: timedelta
    script: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Lot:
    """Draws payers whose payments fail `within` that long after `begins` (aware UTC, whole seconds)."""

    begins: datetime
    within: timedelta
    dice: Random

    def one(self, segment: str) -> Drawn:
        """Somebody of a segment whose payment fails; raises `UnknownSegment`."""
        latest = max(self.within, _SOONEST)
        after = timedelta(seconds=self.dice.randint(int(_SOONEST.total_seconds()), int(latest.total_seconds())))
        return Drawn(Payer.failing(segment, self.begins + after, self.dice), after)

    def like(self, wanted: Sequence[Wanted]) -> list[Drawn]:
        """Somebody for each decline. Where no bank of a segment says such a thing, a card is told to say it."""
        found: dict[int, Drawn] = {}
        waiting: dict[tuple[str, str], list[int]] = {}
        for place, one in enumerate(wanted):
            waiting.setdefault((one.segment, one.decline_class), []).append(place)
        for _ in range(_MOST_DRAWS * len(wanted)):
            segments = [segment for (segment, _), places in waiting.items() for _ in places]
            if not segments:
                break
            drawn = self.one(self.dice.choice(segments))
            places = waiting.get((drawn.payer.segment, self._class_of(drawn)))
            if places:
                found[places.pop()] = drawn
        for place in (place for places in waiting.values() for place in places):
            found[place] = replace(self.one(wanted[place].segment), script=script_for(wanted[place]))
        return [found[place] for place in range(len(wanted))]

    def _class_of(self, drawn: Drawn) -> str:
        answer = drawn.payer.answer(self.begins + drawn.after)
        return _AUTHENTICATION if answer.words is None else class_of(answer.words.signals(), drawn.payer.card.brand)


def class_of(signals: dict[str, str], brand: str | None) -> str:
    """The planner's class of a decline."""
    return classify(DeclineSignals(**signals), brand).decline_class.value


def script_for(wanted: Wanted) -> tuple[Entry, ...]:
    """What a card answers that is told to fail: the same for ever, unless it was a disturbance."""
    entry: Entry = AUTHENTICATE if wanted.decline_class == _AUTHENTICATION else wanted.signals
    return (entry, APPROVE) if wanted.decline_class == _PASSES else (entry,)


def segment_of(country: str) -> str:
    """Whose wages and banks a country is given: Americans', or else Britain's and the continent's."""
    return "us_consumer" if country in ("US", "CA") else "uk_eu"
