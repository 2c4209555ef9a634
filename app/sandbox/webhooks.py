"""Delivers events to webhook endpoints: each in order of creation, and again with growing gaps for up to three days.

Every endpoint has a round of its own, so that a slow one holds up nobody else. A delivery is a row, so none is
forgotten when the sandbox is killed; it may then arrive twice, as real ones do.
"""

import threading
import time

import requests

from app.log import get_logger
from app.sandbox.faults import DELIVERY_FAULTS, Fault, Faults
from app.sandbox.letters import Letter, letter, signature_header
from app.sandbox.policy import DAY, HOUR
from app.sandbox.world import World

# Seconds of the sandbox's clock from one failed delivery to the next; the last gap repeats until the three days are
# over.
GAPS = (5, 30, 120, 600, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR)
GIVE_UP_AFTER = 3 * DAY
TIMEOUT = (3.05, 10)
BATCH = 50
_GATHER_SECONDS = 0.2
_REST_SECONDS = 15

log = get_logger(__name__)

Row = tuple[int, str, str]


class Postman:
    """Carries out due deliveries: one thread for each endpoint that has some."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._rounds: dict[str, threading.Thread] = {}
        self._resting = False

    def deliver_due(self) -> int:
        """Send somebody to each endpoint that something is due for; returns to how many. Does not wait for them."""
        self._resting = False
        waiting = [endpoint for endpoint in self._endpoints_due() if endpoint not in self._rounds]
        for endpoint in waiting:
            thread = threading.Thread(target=self._round, args=(endpoint,), name=f"postman-{endpoint}", daemon=True)
            self._rounds[endpoint] = thread
            thread.start()
        return len(waiting)

    def rest(self) -> None:
        """Wait until every delivery in hand is done, and begin no other."""
        self._resting = True
        for thread in list(self._rounds.values()):
            thread.join(timeout=_REST_SECONDS)

    def _endpoints_due(self) -> list[str]:
        rows = self._world.store.fetch(
            "select distinct endpoint from deliveries where state = 'pending' and due <= ?", self._world.now()
        )
        return [endpoint for (endpoint,) in rows]

    def _round(self, endpoint: str) -> None:
        try:
            with requests.Session() as session:
                session.trust_env = False  # a proxy of the environment has no business with loopback addresses
                while not self._resting and (rows := self._gathered(endpoint)):
                    for row in rows:
                        if self._resting:
                            return
                        self._deliver(session, *row)
        except Exception:
            log.exception("sandbox.round_failed", endpoint=endpoint)
        finally:
            self._rounds.pop(endpoint, None)  # before the bell: whatever came meanwhile gets a round of its own
            self._world.bell.set()

    def _gathered(self, endpoint: str) -> list[Row]:
        rows = self._due(endpoint)
        if rows and any(fault.kind == "shuffle_webhook" for fault in self._faults.listed()):
            time.sleep(_GATHER_SECONDS)  # a queue of one cannot be shuffled
            return self._faults.shuffled(self._due(endpoint))
        return rows

    def _due(self, endpoint: str) -> list[Row]:
        rows = self._world.store.fetch(
            "select seq, event, endpoint from deliveries where state = 'pending' and due <= ? and endpoint = ?"
            " order by seq limit ?",
            self._world.now(),
            endpoint,
            BATCH,
        )
        return [(seq, event, endpoint) for seq, event, endpoint in rows]

    def _deliver(self, session: requests.Session, seq: int, event: str, endpoint: str) -> None:
        written = letter(self._world, event, endpoint)
        if written is None:
            self._settle(seq, "dropped")
            return
        fault = self._faults.strike(self._kinds_for(seq), written.event_type)
        if fault and fault.kind == "lost_webhook":
            self._settle(seq, "lost")
            return
        if fault and fault.kind == "late_webhook":
            self._delay(seq, fault)
            return
        arrived = self._post(session, written)
        if fault:
            arrived = self._post(session, written)
        if arrived:
            self._settle(seq, "delivered")
        else:
            self._postpone(seq)

    def _post(self, session: requests.Session, written: Letter) -> bool:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature_header(written.body, written.secrets, self._world.now()),
        }
        try:
            answer = session.post(
                written.url, data=written.body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as problem:
            log.info("sandbox.webhook_not_delivered", reason=type(problem).__name__, event_type=written.event_type)
            return False
        return 200 <= answer.status_code < 300

    def _kinds_for(self, seq: int) -> tuple[str, ...]:
        """What may still happen to a delivery: one that has been late is not late again."""
        rows = self._world.store.fetch("select due > first_due from deliveries where seq = ?", seq)
        has_waited = bool(rows and rows[0][0])
        return tuple(kind for kind in DELIVERY_FAULTS if not (has_waited and kind == "late_webhook"))

    def _delay(self, seq: int, fault: Fault) -> None:
        with self._world.transaction() as ledger:
            due = ledger.now + max(int(fault.seconds or 0), 1)
            ledger.store.execute("update deliveries set due = ? where seq = ? and state = 'pending'", due, seq)

    def _settle(self, seq: int, state: str) -> None:
        """Only a delivery that still waits: an endpoint that was switched off meanwhile has lost its own."""
        with self._world.transaction() as ledger:
            ledger.store.execute(
                "update deliveries set state = ?, attempts = attempts + 1 where seq = ? and state = 'pending'",
                state,
                seq,
            )

    def _postpone(self, seq: int) -> None:
        with self._world.transaction() as ledger:
            rows = ledger.store.fetch(
                "select attempts, first_due from deliveries where seq = ? and state = 'pending'", seq
            )
            if not rows:
                return
            attempts, first_due = rows[0]
            due = ledger.now + GAPS[min(attempts, len(GAPS) - 1)]
            state = "failed" if due > first_due + GIVE_UP_AFTER else "pending"
            ledger.store.execute(
                "update deliveries set state = ?, attempts = attempts + 1, due = ? where seq = ?", state, due, seq
            )


def due_deliveries(world: World) -> int:
    """How many deliveries should have been made by now."""
    rows = world.store.fetch("select count(*) from deliveries where state = 'pending' and due <= ?", world.now())
    return int(rows[0][0])


def next_delivery_due(world: World) -> int | None:
    """When the next waiting delivery is due, or None."""
    rows = world.store.fetch("select min(due) from deliveries where state = 'pending'")
    moment: int | None = rows[0][0]
    return moment
