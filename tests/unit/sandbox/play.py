"""A sandbox that a test moves by hand: no HTTP, no background, one moment after the other."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.clock import SandboxClock
from app.sandbox import policy
from app.sandbox.billing import collection, timers
from app.sandbox.failing import fail_now
from app.sandbox.ledger import Ledger
from app.sandbox.staging import subscribed_customer
from app.sandbox.store import Doc
from app.sandbox.world import World

START = int(datetime(2027, 1, 31, 9, tzinfo=UTC).timestamp())
DAY, HOUR = 86_400, 3600


class Play:
    """A world that the test moves by hand; `now` is Unix seconds."""

    def __init__(self, home: Path) -> None:
        self.world = World(home, SandboxClock(home / "clock.json"), "http://127.0.0.1:1")
        self.now = START

    def act(self, action: Any, *values: Any, **named: Any) -> Any:
        with self.world.transaction(now=self.now) as ledger:
            return action(ledger, *values, **named)

    def run_to(self, moment: int) -> None:
        timers.run_due(self.world, moment)
        self.now = moment

    def find(self, kind: str, identifier: str) -> Doc:
        found = self.world.store.find(kind, identifier)
        assert found is not None
        return found

    def events(self, *types: str) -> list[Doc]:
        rows = self.world.store.fetch("select body from objects where kind = 'event' order by seq")
        found = [json.loads(body) for (body,) in rows]
        return [event for event in found if not types or event["type"] in types]

    def charges(self, status: str) -> int:
        rows = self.world.store.fetch("select count(*) from objects where kind = 'charge' and status = ?", status)
        return int(rows[0][0])

    def customer(self, **wanted: Any) -> Doc:
        made: Doc = self.act(subscribed_customer, wanted)
        return made

    def failing(self, *script: Any, **wanted: Any) -> Doc:
        made = self.customer(**wanted)
        failed: Doc = made | self.act(fail_now, made["customer"], list(script))
        return failed

    def invoice(self, made: Doc) -> Doc:
        return self.find("invoice", made["invoice"])

    def subscription(self, made: Doc) -> Doc:
        return self.find("subscription", made["subscription"])

    def policy(self, **changes: Any) -> None:
        self.act(policy.change, **changes)


def pay(ledger: Ledger, invoice: str, method: str, *, authenticated: bool = False) -> Any:
    """Somebody pays an invoice by hand."""
    doc = ledger.get("invoice", invoice)
    return collection.attempt_by_hand(ledger, doc, ledger.get("payment_method", method), authenticated=authenticated)
