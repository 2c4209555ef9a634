"""The sandbox's own books: what was charged for each invoice, to compare with what anybody else believes."""

from collections import defaultdict
from typing import Any

from flask import Blueprint

from app.sandbox.control.desk import Desk, view
from app.sandbox.store import Doc

# The index is named because SQLite, without statistics, would walk every succeeded charge for each invoice.
_PER_INVOICE = """
with charged as (
    select p.invoice as invoice, count(*) filter (where c.status = 'succeeded') as successful,
        sum(json_extract(c.body, '$.amount')) filter (where c.status = 'succeeded') as amount,
        count(*) filter (where c.status = 'failed') as failed
    from objects p join objects c indexed by objects_payment_intent
        on c.kind = 'charge' and c.payment_intent = p.payment_intent
    where p.kind = 'invoice_payment' group by p.invoice)
select i.id, i.status, json_extract(i.body, '$.currency'), json_extract(i.body, '$.amount_due'),
    json_extract(i.body, '$.amount_paid'), json_extract(i.body, '$.status_transitions.paid_at'),
    json_extract(i.body, '$.attempt_count'), i.customer, i.subscription,
    coalesce(charged.successful, 0), coalesce(charged.amount, 0), coalesce(charged.failed, 0)
from objects i left join charged on charged.invoice = i.id where i.kind = 'invoice' order by i.created, i.seq
"""
_COLUMNS = (
    "invoice status currency amount_due amount_paid paid_at attempt_count customer subscription successful_charges"
    " amount_charged failed_charges"
).split()


def blueprint(desk: Desk) -> Blueprint:
    """The route `/_sandbox/books`."""
    routes = Blueprint("control_books", __name__, url_prefix="/_sandbox")

    def read() -> Doc:
        return books([dict(zip(_COLUMNS, row, strict=True)) for row in desk.world.store.fetch(_PER_INVOICE)])

    routes.add_url_rule("/books", "books", view(read), methods=["GET"])
    return routes


def books(invoices: list[dict[str, Any]]) -> Doc:
    """Every invoice, and sums by currency in minor units; `double_charged` names what must never be there."""
    totals: dict[str, dict[str, int]] = defaultdict(lambda: {"charged": 0, "paid": 0, "open": 0})
    for entry in invoices:
        total = totals[entry["currency"]]
        total["charged"] += entry["amount_charged"]
        total["paid"] += entry["amount_paid"] if entry["status"] == "paid" else 0
        total["open"] += entry["amount_due"] if entry["status"] == "open" else 0
    return {
        "invoices": invoices,
        "totals": dict(totals),
        "double_charged": [entry["invoice"] for entry in invoices if entry["successful_charges"] > 1],
    }
