"""Long lists a page at a time, so that whoever walks them can stop after any page and go on another day.

Stripe itself is asked by filters. An imitation that refuses or ignores them is asked for all it has, and what was not
wanted is left out here; it is never trusted with a cursor it did not move.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from app.stripe_gateway.client import PAGE_SIZE, StripeDoor
from app.stripe_gateway.errors import LACKING
from app.stripe_gateway.readers import read_charge, read_event, read_invoice
from app.stripe_gateway.readers.fields import Json, flag, reference, rows, text, whole
from app.stripe_gateway.snapshots import ChargeSnapshot, EventSnapshot, InvoiceSnapshot, Page

Wanted = Callable[[Json], bool]


class ListingCalls(StripeDoor):
    """Pages of events, invoices and charges. `cursor` is what the page before gave; None begins."""

    def events_page(
        self,
        types: tuple[str, ...],
        *,
        created_after: datetime,
        cursor: str | None = None,
        newer_than: str | None = None,
        undelivered_only: bool = False,
    ) -> Page[EventSnapshot]:
        """Events of up to twenty types that Stripe keeps (30 days).

        With `newer_than` (an event's id) those made after it, oldest first; without it those since `created_after`,
        newest first. `undelivered_only` leaves out what every endpoint has taken. Raises `InvalidRequest` or
        `NotFound` where Stripe has forgotten the event that a cursor names.
        """
        params: Json = {"types": list(types)}
        if newer_than:
            params["ending_before"] = cursor or newer_than
        else:
            params |= {"created": {"gte": int(created_after.timestamp())}, **_after(cursor)}
        if undelivered_only:
            params["delivery_success"] = False

        def is_wanted(row: Json) -> bool:
            return text(row, "type") in types and _is_since(row, created_after)

        ask = partial(self._v1.events.list)
        return self._page("event_read", ask, params, is_wanted).map(read_event)

    def invoices_page(
        self, *, created_after: datetime, cursor: str | None = None, open_only: bool = False
    ) -> Page[InvoiceSnapshot]:
        """Invoices made since `created_after`, newest first; where Stripe lists them with their payments' ids."""
        params: Json = {"created": {"gte": int(created_after.timestamp())}, **_after(cursor)}
        params |= {"status": "open"} if open_only else {"expand": ["data.payments"]}

        def is_wanted(row: Json) -> bool:
            return _is_since(row, created_after) and (not open_only or text(row, "status") in (None, "open"))

        return self._page("invoice_write", partial(self._v1.invoices.list), params, is_wanted).map(read_invoice)

    def failed_charges_page(self, *, created_after: datetime, cursor: str | None = None) -> Page[ChargeSnapshot]:
        """The failed ones on a page of all charges made since `created_after`, newest first."""
        params: Json = {"created": {"gte": int(created_after.timestamp())}, **_after(cursor)}

        def is_wanted(row: Json) -> bool:
            has_failed = text(row, "status") == "failed" or ("status" not in row and not flag(row, "paid"))
            return has_failed and _is_since(row, created_after)

        return self._page("charge_read", partial(self._v1.charges.list), params, is_wanted).map(read_charge)

    def _page(self, permission: str, ask_page: Callable[[Any], Any], params: Json, is_wanted: Wanted) -> Page[Json]:
        try:
            answer = self._ask(permission, partial(ask_page, {"limit": PAGE_SIZE, **params}))
        except LACKING:
            if not self._is_imitation or "starting_after" in params or "ending_before" in params:
                raise
            answer, params = self._ask(permission, partial(ask_page, {})), {}
        found = rows(answer, "data")
        is_backwards = "ending_before" in params
        edge = (text(found[0], "id") if is_backwards else text(found[-1], "id")) if found else None
        has_more = flag(answer, "has_more") and edge not in (
            None,
            params.get("ending_before" if is_backwards else "starting_after"),
        )
        ordered = list(reversed(found)) if is_backwards else found
        return Page(
            rows=tuple(row for row in ordered if is_wanted(row)),
            cursor=edge if has_more else None,
            newest=reference(found[0], "id") if found else None,
        )


def _after(cursor: str | None) -> Json:
    return {"starting_after": cursor} if cursor else {}


def _is_since(row: Json, moment: datetime) -> bool:
    """Old shapes of invoices call it `date`; what has no moment is not left out for that."""
    created = whole(row, "created") or whole(row, "date")
    return created is None or created >= int(moment.timestamp())
