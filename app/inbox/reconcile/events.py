"""Events that Stripe keeps (30 days) and that never arrived: fetched, put into the inbox, and said.

Each twenty types are walked twice: once over what Stripe knows it could not deliver, once over everything made since
the last look, because an event from before an endpoint existed, or of a type it was not told of, counts at Stripe as
delivered. Events of the last two minutes may still be on their way and are left for the next look, unless a person
asks.
"""

from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.inbox.bell import ring_inbox
from app.inbox.envelope import Envelope, EventUnreadable, compress, read_envelope
from app.inbox.errands.walk import ON_ITS_WAY, Found, Walk
from app.models import Errand, InboxEvent
from app.stripe_gateway.errors import LACKING, InvalidRequest, NotFound, PermissionMissing
from app.stripe_gateway.events import ENABLED_EVENTS
from app.stripe_gateway.snapshots import EventSnapshot, Page
from app.vocabulary import ErrandKind, ErrandState, EventOrigin, FindingKind, InboxState

KEPT_FOR = timedelta(days=30)
STRIPE_TRIES_FOR = timedelta(days=4)  # three days, and one to spare; after that nothing changes about an old event
MOST_TYPES = 20
GROUPS = tuple(ENABLED_EVENTS[start : start + MOST_TYPES] for start in range(0, len(ENABLED_EVENTS), MOST_TYPES))
UNDELIVERED, NEW = "undelivered", "new"
PASSES = tuple((group, kind) for group in range(len(GROUPS)) for kind in (UNDELIVERED, NEW))
# Why it is thought so. That Stripe counts an event as delivered tells that something answered, not that it was we.
WHY = {
    UNDELIVERED: "Stripe says that it could not be delivered.",
    NEW: "Stripe counts it as delivered: something on the way took it and lost it, or no endpoint was told of it then.",
}
DONE = "put into the inbox, and handled there like a webhook"


def look(walk: Walk) -> bool:
    """One page of one pass."""
    place = walk.place("events")
    if "pass" not in place:
        _begin(walk, place)
    group, kind = PASSES[place["pass"]]
    try:
        page = _ask(walk, place, GROUPS[group], kind)
    except LACKING:
        walk.note("This server keeps no events; invoices alone were compared.")
        return _leave(walk)
    except PermissionMissing as lack:
        walk.note(f"Events were not looked at: the key lacks {lack.called}.")
        return _leave(walk)
    _take_in(walk, place, page, str(group), kind)
    return bool(place["pass"] >= len(PASSES))


def _begin(walk: Walk, place: dict[str, Any]) -> None:
    with walk.context.database.organization(walk.organization_id) as session:
        before = session.scalars(
            select(Errand)
            .where(
                Errand.connection_id == walk.connection.id,
                Errand.kind == ErrandKind.RECONCILE,
                Errand.state == ErrandState.DONE,
            )
            .order_by(Errand.started_at.desc())
            .limit(1)
        ).one_or_none()
    known = before.position.get("events", {}) if before else {}
    is_same = known.get("types") == list(ENABLED_EVENTS)
    place.update(types=list(ENABLED_EVENTS), newest=dict(known.get("newest", {})) if is_same else {})
    place["looked_until"] = before.started_at.isoformat() if before else None
    _begin_pass(place, 0)


def _begin_pass(place: dict[str, Any], number: int) -> None:
    """`newer_than` is what the last look saw last; None walks back in time to the day of the connection."""
    place.update({"pass": number, "cursor": None, "newer_than": None})
    if number < len(PASSES) and PASSES[number][1] == NEW:
        place["newer_than"] = place["newest"].get(str(PASSES[number][0]))


def _ask(walk: Walk, place: dict[str, Any], types: tuple[str, ...], kind: str) -> Page[EventSnapshot]:
    since = max(walk.connection.created_at, walk.started_at - KEPT_FOR)
    if kind == UNDELIVERED:
        if place["looked_until"]:
            since = max(since, datetime.fromisoformat(place["looked_until"]) - STRIPE_TRIES_FOR)
        return walk.gateway.events_page(types, created_after=since, cursor=place["cursor"], undelivered_only=True)
    try:
        return walk.gateway.events_page(
            types, created_after=since, cursor=place["cursor"], newer_than=place["newer_than"]
        )
    except (InvalidRequest, NotFound):
        if place["newer_than"] is None:
            raise
        # Stripe has forgotten the event we had seen last: walk back to the day instead, and remember another.
        place.update(newer_than=None, cursor=None)
        place["newest"].pop(str(PASSES[place["pass"]][0]), None)
        return walk.gateway.events_page(types, created_after=since)


def _take_in(walk: Walk, place: dict[str, Any], page: Page[EventSnapshot], group: str, kind: str) -> None:
    horizon = walk.started_at - walk.on_its_way
    arrived = [event for event in page.rows if event.created is None or event.created <= horizon]
    is_onwards = place["newer_than"] is not None
    if kind == NEW and arrived:
        _remember_newest(place, arrived, group)
    if page.cursor is None or (is_onwards and len(arrived) < len(page.rows)):
        _begin_pass(place, place["pass"] + 1)
    else:
        place["cursor"] = page.cursor
    _keep(walk, [event for event in arrived if _is_ours(walk, event)], kind)


def _remember_newest(place: dict[str, Any], arrived: list[EventSnapshot], group: str) -> None:
    """Where the next look begins: the last event walking on, the very first one walking back."""
    if place["newer_than"] is not None:
        place["newest"][group] = arrived[-1].id
    else:
        place["newest"].setdefault(group, arrived[0].id)


def _is_ours(walk: Walk, event: EventSnapshot) -> bool:
    is_same_mode = event.livemode in (None, walk.connection.livemode)
    is_since = event.created is None or event.created >= walk.connection.created_at.replace(microsecond=0)
    return is_same_mode and is_since and event.account in (None, walk.connection.account_id)


def _keep(walk: Walk, events: list[EventSnapshot], kind: str) -> None:
    if walk.is_rehearsal:
        walk.see([_finding(walk, event, kind, None) for event in _missing(walk, events)])
        return

    def write(session: Session) -> None:
        new = _insert(walk, session, events)
        walk.found(session, [_finding(walk, event, kind, DONE) for event in events if event.id in new])
        walk.count("events", len(events))
        walk.count("found", len(new))

    walk.commit(write)
    ring_inbox(walk.context.bell)


def _missing(walk: Walk, events: list[EventSnapshot]) -> list[EventSnapshot]:
    with walk.context.database.organization(walk.organization_id) as session:
        query = select(InboxEvent.event_id).where(
            InboxEvent.connection_id == walk.connection.id, InboxEvent.event_id.in_([event.id for event in events])
        )
        known = set(session.scalars(query))
    return [event for event in events if event.id not in known and _find_envelope(event, walk.started_at)]


def _insert(walk: Walk, session: Session, events: list[EventSnapshot]) -> set[str]:
    now = walk.context.clock.now()
    rows = [_row(walk, event, now) for event in events]
    wanted = [row for row in rows if row is not None]
    if not wanted:
        return set()
    statement = insert(InboxEvent).values(wanted)
    statement = statement.on_conflict_do_nothing(index_elements=["connection_id", "event_id"])
    return set(session.scalars(statement.returning(InboxEvent.event_id)))


def _row(walk: Walk, event: EventSnapshot, now: datetime) -> dict[str, Any] | None:
    envelope = _find_envelope(event, now)
    if envelope is None:
        return None
    outside = {name: value for name, value in vars(envelope).items() if name != "livemode"}
    return {
        **outside,
        "organization_id": walk.organization_id,
        "connection_id": walk.connection.id,
        "origin": EventOrigin.RECONCILE,
        "received_at": now,
        "body": compress(orjson.dumps(event.raw)),
        "state": InboxState.RECEIVED,
        "tries": 0,
        "next_try_at": now,
    }


def _find_envelope(event: EventSnapshot, now: datetime) -> Envelope | None:
    """The event's outside; None for what could not be kept had it been delivered, either."""
    try:
        return read_envelope(orjson.dumps(event.raw).decode(), now)
    except EventUnreadable:
        return None


def _finding(walk: Walk, event: EventSnapshot, kind: str, outcome: str | None) -> Found:
    made = f" at {event.created:%Y-%m-%d %H:%M} UTC" if event.created else ""
    is_young = event.created is not None and event.created > walk.started_at - ON_ITS_WAY
    thought = "It is so young that it may be on its way." if is_young else WHY[kind]
    why = f"{event.type} was made{made} and {'had not' if is_young else 'never'} arrived here. {thought}"
    return Found(FindingKind.MISSED_EVENT, event.id, why, outcome)


def _leave(walk: Walk) -> bool:
    walk.commit()
    return True
