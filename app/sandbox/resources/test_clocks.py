"""Test clocks: made at a moment, advanced, deleted with everything on them.

The limits of an advance are those of Stripe's OpenAPI document; the name's length too.
"""

import orjson

from app.sandbox import ids, listing
from app.sandbox.billing import standing
from app.sandbox.door import Route
from app.sandbox.errors import bad_param, missing_param, wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params
from app.sandbox.periods import later
from app.sandbox.policy import DAY
from app.sandbox.store import Doc
from app.sandbox.test_clocks import KIND, URL, remove

_KEPT_FOR = 30 * DAY
_LONGEST_NAME = 300
_INTERVALS_AHEAD = 2


def create(ledger: Ledger, params: Params) -> Doc:
    """Make a clock that stands at `frozen_time`; it deletes itself after thirty days."""
    name = params.text("name")
    if name is not None and len(name) > _LONGEST_NAME:
        raise bad_param(
            "name", f"Invalid string: must be at most {_LONGEST_NAME} characters", "parameter_invalid_string"
        )
    clock: Doc = {
        "id": ids.new("clock"),
        "object": KIND,
        "created": ledger.wall,
        "deletes_after": ledger.wall + _KEPT_FOR,
        "frozen_time": _moment(params),
        "livemode": False,
        "name": name,
        "status": "ready",
        "status_details": {},
    }
    ledger.set_timer("clock_over", clock["id"], clock["deletes_after"])
    return ledger.add(clock, f"{KIND}.created")


def advance(ledger: Ledger, params: Params, clock: str) -> Doc:
    """Set out for a later moment; the clock is `advancing` until everything due before it has happened."""
    doc = ledger.get(KIND, clock)
    target = _moment(params)
    if doc["status"] != "ready":  # the sentence is ours; none was recorded [unverified]
        raise wrong_state(f"You can only advance a test clock that is `ready`. This one is `{doc['status']}`.")
    if target <= doc["frozen_time"]:
        raise bad_param(
            "frozen_time",
            "The frozen_time must be after the test clock's current frozen time.",
            "parameter_invalid_integer",
        )
    if target > _furthest(ledger, doc):
        raise bad_param(
            "frozen_time",
            "The frozen_time cannot be more than two intervals of the clock's shortest subscription ahead,"
            " nor without one more than two years.",
            "parameter_invalid_integer",
        )
    doc.update(status="advancing", status_details={"advancing": {"target_frozen_time": target}})
    ledger.save(doc)
    ledger.emit(f"{KIND}.advancing", doc)
    ledger.woke = True
    return doc


def retrieve(ledger: Ledger, params: Params, clock: str) -> Doc:
    """One clock."""
    return ledger.get(KIND, clock)


def list_all(ledger: Ledger, params: Params) -> Doc:
    """The clocks, newest first."""
    return listing.page(ledger, params, KIND, URL)


def delete(ledger: Ledger, params: Params, clock: str) -> Doc:
    """Delete a clock together with its customers."""
    remove(ledger, ledger.get(KIND, clock))
    return {"id": clock, "object": KIND, "deleted": True}


def _moment(params: Params) -> int:
    moment = params.integer("frozen_time")
    if moment is None:
        raise missing_param("frozen_time")
    return moment


def _furthest(ledger: Ledger, clock: Doc) -> int:
    rows = ledger.store.fetch(
        "select body from objects where kind = 'subscription' and json_extract(body, '$.test_clock') = ?", clock["id"]
    )
    running = [entry for (body,) in rows if (entry := orjson.loads(body))["status"] not in standing.ENDED]
    intervals = [item["price"]["recurring"] for entry in running for item in entry["items"]["data"]]
    now = clock["frozen_time"]
    reaches = [later(now, every["interval"], _INTERVALS_AHEAD * every["interval_count"]) for every in intervals]
    return min(reaches, default=later(now, "year", 2))


ROUTES: list[Route] = [
    ("POST", URL, create),
    ("GET", URL, list_all),
    ("GET", f"{URL}/<clock>", retrieve),
    ("POST", f"{URL}/<clock>/advance", advance),
    ("DELETE", f"{URL}/<clock>", delete),
]
