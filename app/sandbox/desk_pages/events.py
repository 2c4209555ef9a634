"""What was announced, whether it has arrived, and sending it again."""

from typing import Any

import orjson
from flask import request

from app.sandbox.desk_pages import looking
from app.sandbox.desk_pages.rendering import Pages, Route, go


class Events:
    """Its routes and what they do."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._desk = pages.desk

    def routes(self) -> list[Route]:
        """Method, rule, name and action of each."""
        return [
            ("GET", "/events", "events", self.show_all),
            ("GET", "/events/<event>", "event", self.show),
            ("POST", "/events/<event>/resend", "resend", self.resend),
        ]

    def show_all(self) -> Any:
        """A page of them, newest first."""
        store, undelivered = self._desk.world.store, "undelivered" in request.args
        found, more = looking.announcements(store, request.args.get("before", type=int), undelivered=undelivered)
        endpoints = looking.endpoints(store)
        return self._pages.show("events", found=found, more=more, undelivered=undelivered, endpoints=endpoints)

    def show(self, event: str) -> Any:
        """One of them, as it is sent."""
        with self._desk.ledger() as ledger:
            doc = ledger.get("event", event)
            found = looking.announcement(ledger.store, 0, doc)
        return self._pages.show("event", found=found, body=orjson.dumps(doc, option=orjson.OPT_INDENT_2).decode())

    def resend(self, event: str) -> Any:
        """Send it again to everybody who was to have it."""
        with self._desk.ledger() as ledger:
            ledger.get("event", event)
            ledger.store.execute(
                "update deliveries set state = 'pending', due = ?, first_due = ? where event = ?",
                ledger.now,
                ledger.now,
                event,
            )
            ledger.woke = True
        return go("event", "It is sent again.", event=event)
