"""Delivers events to webhook endpoints: signed, in order of creation, and again with growing gaps for up to three days.

A delivery is a row, so none is forgotten when the sandbox is killed; it may then arrive twice, as real ones do.
"""

import hashlib
import hmac
import time
from dataclasses import dataclass

import orjson
import requests

from app.log import get_logger
from app.sandbox.faults import WEBHOOK_FAULTS, Faults
from app.sandbox.policy import DAY, HOUR
from app.sandbox.world import World

# Seconds of the sandbox's clock from one failed delivery to the next; the last gap repeats until the three days are
# over.
GAPS = (5, 30, 120, 600, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR)
GIVE_UP_AFTER = 3 * DAY
TIMEOUT = (3.05, 10)
BATCH = 50
_GATHER_SECONDS = 0.2

log = get_logger(__name__)


@dataclass(frozen=True)
class _Letter:
    url: str
    body: bytes
    secret: str
    event_type: str


def signature_header(body: bytes, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` of a body."""
    signed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={signed}"


class Postman:
    """Carries out due deliveries, one after the other."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment has no business with loopback addresses

    def deliver_due(self) -> int:
        """Deliver what is due now; returns how many deliveries were tried."""
        rows = self._due()
        if len(rows) and any(fault.kind == "shuffle_webhook" for fault in self._faults.listed()):
            time.sleep(_GATHER_SECONDS)  # a queue of one cannot be shuffled
            rows = self._faults.shuffled(self._due())
        for row in rows:
            self._deliver(*row)
        return len(rows)

    def _due(self) -> list[tuple[int, str, str]]:
        rows = self._world.store.fetch(
            "select seq, event, endpoint from deliveries where state = 'pending' and due <= ? order by seq limit ?",
            self._world.now(),
            BATCH,
        )
        return [(seq, event, endpoint) for seq, event, endpoint in rows]

    def _deliver(self, seq: int, event: str, endpoint: str) -> None:
        letter = self._letter(event, endpoint)
        if letter is None:
            self._settle(seq, "dropped")
            return
        fault = self._faults.strike(WEBHOOK_FAULTS[:2], letter.event_type)
        if fault and fault.kind == "lost_webhook":
            self._settle(seq, "lost")
            return
        arrived = self._post(letter)
        if fault:
            arrived = self._post(letter)
        if arrived:
            self._settle(seq, "delivered")
        else:
            self._postpone(seq)

    def _letter(self, event_id: str, endpoint_id: str) -> _Letter | None:
        with self._world.transaction() as ledger:
            event, endpoint = ledger.find("event", event_id), ledger.find("webhook_endpoint", endpoint_id)
            secret = ledger.find("_secret", endpoint_id)
            if event is None or endpoint is None or secret is None or endpoint["status"] != "enabled":
                return None
            body = orjson.dumps(event, option=orjson.OPT_INDENT_2)
            return _Letter(endpoint["url"], body, secret["secret"], event["type"])

    def _post(self, letter: _Letter) -> bool:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature_header(letter.body, letter.secret, self._world.now()),
        }
        try:
            answer = self._session.post(
                letter.url, data=letter.body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as problem:
            log.info("sandbox.webhook_not_delivered", reason=type(problem).__name__, event_type=letter.event_type)
            return False
        return 200 <= answer.status_code < 300

    def _settle(self, seq: int, state: str) -> None:
        with self._world.transaction() as ledger:
            ledger.store.execute("update deliveries set state = ?, attempts = attempts + 1 where seq = ?", state, seq)

    def _postpone(self, seq: int) -> None:
        with self._world.transaction() as ledger:
            rows = ledger.store.fetch("select attempts, first_due from deliveries where seq = ?", seq)
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
