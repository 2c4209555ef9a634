"""One transaction's view of the sandbox at one moment: documents, events and timers.

Within a ledger every document is loaded once and shared, so two rules that touch the same invoice see each other's
work. It knows how things are kept and announced, not what they mean.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.sandbox import ids, thin
from app.sandbox.errors import StripeRefusal, missing
from app.sandbox.store import LINKS, Doc, Store
from app.sandbox.versions.events import default_version, freeze

ENDPOINT_KINDS = ("webhook_endpoint", thin.DESTINATION)
API_VERSION = "2026-08-26.dahlia"
_MISSING = object()


@dataclass(frozen=True)
class Mark:
    """Which API request caused something; events carry it. Both are None for what the clock caused."""

    request_id: str | None = None
    idempotency_key: str | None = None


@dataclass
class Ledger:
    """Everything a rule of billing may touch. `now` is Unix seconds, the moment at which all of it happens.

    It is the account's own moment, `wall`, unless all of this happens on the test clock `clock`; events are dated and
    delivered by the wall in either case. A `silent` ledger announces nothing: it writes history that nobody was there
    to hear of.
    """

    store: Store
    now: int
    base_url: str
    mark: Mark = field(default_factory=Mark)
    silent: bool = False
    woke: bool = False
    clock: str | None = None
    wall: int = -1
    account: str | None = None
    platform: Store | None = None
    _endpoints: list[Doc] | None = None
    _seen: dict[tuple[str, str], Doc] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.wall < 0:
            self.wall = self.now

    def find(self, kind: str, identifier: str | None) -> Doc | None:
        """The document, or None."""
        if not identifier:
            return None
        known = self._seen.get((kind, identifier))
        if known is None:
            known = self.store.find(kind, identifier)
            if known is not None:
                self._seen[kind, identifier] = known
        return known

    def get(self, kind: str, identifier: str, param: str = "id") -> Doc:
        """The document; raises the 404 that Stripe answers."""
        doc = self.find(kind, identifier)
        if doc is None:
            raise missing(kind, identifier, param)
        return doc

    def save(self, doc: Doc, kind: str | None = None) -> Doc:
        """Insert or replace, without an event. What comes to be on a test clock says so."""
        name = kind or doc["object"]
        if self.clock and doc.get("test_clock", self.clock) is None:
            doc["test_clock"] = self.clock
        self._seen[name, doc["id"]] = doc
        if name in ENDPOINT_KINDS:
            self._endpoints = None
        self.store.put(name, doc, doc.get("created", self.now), _links(doc))
        return doc

    def add(self, doc: Doc, event: str | None = None) -> Doc:
        """Insert a new document and announce it."""
        self.save(doc)
        if event:
            self.emit(event, doc)
        return doc

    @contextmanager
    def changing(self, doc: Doc, event: str | None = None) -> Iterator[Doc]:
        """Change `doc` inside the block; it is saved, and `event` is announced if anything is different."""
        before = snapshot(doc)
        yield doc
        previous = difference(before, doc)
        if previous:
            self.save(doc)
            if event:
                self.emit(event, doc, previous)

    def emit(self, event_type: str, doc: Doc, previous: Doc | None = None) -> None:
        """Record an event with a snapshot of `doc`, and one delivery for each endpoint that wants it."""
        if self.silent:
            return
        endpoints = [entry for entry in self._listening() if wants(entry, event_type)]
        data: Doc = {"object": snapshot(doc)}
        if previous:
            data["previous_attributes"] = previous
        event: Doc = {
            "id": ids.new("evt"),
            "object": "event",
            "api_version": default_version(self, API_VERSION),
            "created": self.wall,
            "data": data,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": {"id": self.mark.request_id, "idempotency_key": self.mark.idempotency_key},
            "type": event_type,
        }
        if self.account:
            event["account"] = self.account
        freeze(self, self.store, event, {event["api_version"], *(_version_of(entry, event) for entry in endpoints)})
        self.store.put("event", event, self.wall, {"status": event_type})
        for endpoint in endpoints:
            self.store.execute(
                "insert into deliveries (event, endpoint, due, first_due) values (?, ?, ?, ?)",
                event["id"],
                endpoint["id"],
                self.wall,
                self.wall,
            )
            self.woke = True

    def forget(self) -> None:
        """What was read is read anew: documents were removed behind the ledger's back."""
        self._seen.clear()

    def _listening(self) -> list[Doc]:
        """Every endpoint that may hear of what happens here, read once in a transaction."""
        if self._endpoints is None:
            self._endpoints = listening(self.store, connect=False)
            if self.platform is not None:
                self._endpoints += listening(self.platform, connect=True)
        return self._endpoints

    def linked(self, kind: str, column: str, value: str, status: str | None = None) -> list[Doc]:
        """Every document of `kind` whose `column` (one of `LINKS`) is `value`, in `status` if given, oldest first."""
        return [self.get(kind, identifier) for identifier in self.store.ids_linked(kind, column, value, status)]

    def set_timer(self, kind: str, identifier: str, due: int | None) -> None:
        """Have `kind` happen to `identifier` at `due` (Unix seconds); None takes it back."""
        if due is None:
            self.store.execute("delete from timers where kind = ? and id = ?", kind, identifier)
            return
        self.store.execute(
            "insert into timers (kind, id, due, clock) values (?, ?, ?, ?)"
            " on conflict (kind, id) do update set due = excluded.due",
            kind,
            identifier,
            due,
            self.clock,
        )

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Undo what the block did if it is refused, unless the refusal keeps its effects."""
        self.store.execute("savepoint attempt")
        try:
            yield
        except StripeRefusal as refusal:
            if not refusal.keeps_effects:
                self.store.execute("rollback to attempt")
                self.forget()
            self.store.execute("release attempt")
            raise
        self.store.execute("release attempt")


def listening(store: Store, *, connect: bool) -> list[Doc]:
    """The enabled endpoints of one account: those for its own events, or those for its connected accounts'."""
    rows = store.fetch(
        "select body from objects where kind in ('webhook_endpoint', 'v2.core.event_destination')"
        " and status = 'enabled' and (id in (select id from objects where kind = '_connect')) = ? order by seq",
        connect,
    )
    return [orjson.loads(body) for (body,) in rows]


def wants(endpoint: Doc, event_type: str) -> bool:
    """Whether an endpoint asked for this type of event; thin events have a prefix to theirs."""
    if endpoint["object"] == thin.DESTINATION:
        event_type = thin.thin_type(event_type)
    return "*" in endpoint["enabled_events"] or event_type in endpoint["enabled_events"]


def _version_of(endpoint: Doc, event: Doc) -> str:
    return str(endpoint.get("api_version") or event["api_version"])


def snapshot(doc: Doc) -> Doc:
    """A deep copy, as it stands now."""
    copied: Doc = orjson.loads(orjson.dumps(doc))
    return copied


def difference(before: Doc, after: Doc) -> Doc:
    """The earlier values of what changed, as `previous_attributes` has them: inner objects in part, lists whole."""
    changed: Doc = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key, _MISSING), after.get(key, _MISSING)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and old.get("object") != "list":
            changed[key] = difference(old, new)
        else:
            changed[key] = None if old is _MISSING else old
    return changed


def _links(doc: Doc) -> dict[str, str | None]:
    links: dict[str, Any] = {name: doc.get(name) for name in LINKS}
    if doc.get("object") == "invoice":
        parent = doc["parent"] or {}
        links["subscription"] = (parent.get("subscription_details") or {}).get("subscription")
    if doc.get("object") == "invoice_payment":
        links["payment_intent"] = doc["payment"].get("payment_intent")
    return {name: value if isinstance(value, str) else None for name, value in links.items()}
