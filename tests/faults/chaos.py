"""Trouble at random, from a seed: who dies when, what is emptied, how far the clock goes on."""

import os
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

from app import embedded
from app.embedded.processes import read_pid
from tests.faults.town import Town, is_sandbox_ready, is_web_ready

OF_STRIPE = (
    {"kind": "http_429", "rate": 0.03},
    {"kind": "http_500", "rate": 0.02},
    {"kind": "http_500_after", "rate": 0.02},
    {"kind": "slow", "rate": 0.02, "seconds": 1.0},
    {"kind": "cut_after", "rate": 0.03},
    {"kind": "cut_before", "rate": 0.03},
    {"kind": "double_webhook"},
    {"kind": "shuffle_webhook"},
)


class Chaos:
    """Makes trouble in a town; `done` counts what was done, `owed` are events the sandbox had not told when killed."""

    def __init__(self, town: Town, seed: int) -> None:
        self._town = town
        self._dice = random.Random(seed)
        self.done: Counter[str] = Counter()
        self.owed: set[str] = set()
        self._troubles: list[tuple[Callable[[], None], int]] = [
            (self.kill_worker, 5),
            (self.kill_child_of_worker, 5),
            (self.kill_clock, 3),
            (self.kill_web, 2),
            (self.kill_sandbox, 2),
            (self.empty_valkey, 3),
            (self.kill_valkey, 1),
            (self.let_time_pass, 8),
        ]

    def begin(self) -> None:
        """From now on Stripe is unwell, and repeats and shuffles every webhook."""
        for fault in OF_STRIPE:
            self._town.control("faults", **fault)

    def end(self) -> None:
        """Stripe is well again, and every process has just been started."""
        self._town.http.delete(f"{self._town.sandbox_url}/_sandbox/faults", timeout=10)
        for name in ("web", "worker", "clock"):
            self._town.members[name].restart()
        self._town.wait(lambda: is_web_ready(self._town), "the web process is back")

    def rage(self, seconds: float) -> None:
        """Trouble for so many real seconds; Valkey is emptied and PostgreSQL struck whatever else the dice say."""
        begun = time.monotonic()
        strikes = [
            (seconds / 4, self.empty_valkey),
            (seconds / 2, self.strike_postgres),
            (seconds * 3 / 4, self.kill_valkey),
        ]
        troubles, weights = zip(*self._troubles, strict=True)
        while (passed := time.monotonic() - begun) < seconds:
            if strikes and passed > strikes[0][0]:
                strikes.pop(0)[1]()
            (trouble,) = self._dice.choices(troubles, weights)
            trouble()
            time.sleep(self._dice.uniform(0.1, 0.9))

    def kill_worker(self) -> None:
        self._restart("worker")

    def kill_clock(self) -> None:
        self._restart("clock")

    def kill_web(self) -> None:
        self._restart("web")

    def kill_sandbox(self) -> None:
        """Its memory must be whole on disk; its troubles, which it holds in its head, are made anew."""
        self.done["sandbox"] += 1
        sandbox = self._town.members["sandbox"]
        sandbox.kill()
        with closing(sqlite3.connect(self._town.home / "sandbox.db")) as memory:
            assert memory.execute("pragma integrity_check").fetchall() == [("ok",)]
            self.owed |= {event for (event,) in memory.execute("select event from deliveries where state = 'pending'")}
        sandbox.start()
        self._town.wait(lambda: is_sandbox_ready(self._town), "the sandbox is back")
        self.begin()

    def kill_child_of_worker(self) -> None:
        """Its parent replaces it."""
        self.done["child of worker"] += 1
        for child in self._town.members["worker"].children():
            os.kill(child, signal.SIGKILL)

    def empty_valkey(self) -> None:
        self.done["valkey emptied"] += 1
        self._town.context.bell.redis.flushall()

    def kill_valkey(self) -> None:
        """It comes back empty, at the same place."""
        self.done["valkey killed"] += 1
        self._strike("valkey/valkey.pid", signal.SIGKILL)

    def strike_postgres(self) -> None:
        """Immediate shutdown: every session is cut, and it recovers from its log."""
        self.done["postgres struck"] += 1
        self._strike("postgres/postmaster.pid", signal.SIGQUIT)

    def let_time_pass(self) -> None:
        """To where something is due, or a little further: past leases now and then, past hours seldom."""
        self.done["time passed"] += 1
        coming = self._town.next_moment() or self._town.now
        more = timedelta(minutes=self._dice.choice((0, 0, 1, 2, 30, 180, 480)))
        self._town.age_leases(more)
        self._town.turn(max(coming, self._town.now) + more)

    def _restart(self, name: str) -> None:
        self.done[name] += 1
        self._town.members[name].restart()

    def _strike(self, pid_file: str, number: signal.Signals) -> None:
        pid = read_pid(self._town.home / pid_file)
        assert pid is not None
        os.kill(pid, number)
        embedded.start(self._town.home, durable=True)
