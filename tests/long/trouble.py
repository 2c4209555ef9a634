"""The weather of the big proof: Stripe is unwell in another way each day, processes die, Valkey is emptied."""

import random
from collections import Counter

from tests.faults.chaos import Chaos
from tests.faults.town import Town

# What is the matter with Stripe, day by day in turn; webhooks are late every day, by as much as a stop takes.
UNWELL: tuple[tuple[dict[str, object], ...], ...] = (
    ({"kind": "lost_webhook", "rate": 0.05}, {"kind": "cut_after", "rate": 0.03, "method": "POST"}),
    ({"kind": "double_webhook", "rate": 0.3}, {"kind": "http_500", "rate": 0.02}, {"kind": "cut_before", "rate": 0.02}),
    ({"kind": "shuffle_webhook"}, {"kind": "http_500_after", "rate": 0.03}, {"kind": "lost_webhook", "rate": 0.02}),
    ({"kind": "http_429", "rate": 0.05}, {"kind": "cut_after", "rate": 0.02}, {"kind": "double_webhook", "rate": 0.1}),
)
# What happens to Recoup on a day, and how likely that is.
MISFORTUNES = (("kill_child_of_worker", 0.3), ("empty_valkey", 0.2), ("kill_worker", 0.1), ("kill_web", 0.1))


class Trouble:
    """Makes it, from a seed; `done` counts what was done to Recoup."""

    def __init__(self, town: Town, seed: int) -> None:
        self._town, self._dice = town, random.Random(seed)
        self._chaos = Chaos(town, seed)
        self.is_on = False

    @property
    def done(self) -> Counter[str]:
        return self._chaos.done

    def begin_day(self, number: int) -> None:
        """Stripe falls ill in the way of this day."""
        self.end()
        self.is_on = True
        for fault in UNWELL[number % len(UNWELL)]:
            self._town.control("faults", **fault)

    def strike(self) -> bool:
        """What the dice say befalls Recoup in the middle of its work; whether anything did."""
        before = self.done.total()
        for misfortune, chance in MISFORTUNES:
            if self._dice.random() < chance:
                getattr(self._chaos, misfortune)()
        return self.done.total() > before

    def end(self) -> None:
        """Stripe is well."""
        self.is_on = False
        self._town.http.delete(f"{self._town.sandbox_url}/_sandbox/faults", timeout=30).raise_for_status()
