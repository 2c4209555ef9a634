"""Credit notes."""

from typing import Any

from app.sandbox import ids

Doc = dict[str, Any]


def new_credit_note(invoice: Doc, amount: int, number: str, now: int, **fields: Any) -> Doc:
    """A note over `amount` minor units of an invoice, as one line of free text."""
    identifier = ids.new("cn")
    line = {
        "id": ids.new("cnli"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": f"Credit for invoice {invoice['number']}",
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "metadata": None,
        "pretax_credit_amounts": [],
        "quantity": 1,
        "tax_rates": [],
        "taxes": [],
        "type": "custom_line_item",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
    return {
        "id": identifier,
        "object": "credit_note",
        "amount": amount,
        "amount_shipping": 0,
        "created": now,
        "currency": invoice["currency"],
        "customer": invoice["customer"],
        "customer_account": None,
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": now,
        "invoice": invoice["id"],
        "lines": {
            "object": "list",
            "data": [line],
            "has_more": False,
            "url": f"/v1/credit_notes/{identifier}/lines",
        },
        "livemode": False,
        "memo": None,
        "metadata": {},
        "number": number,
        "out_of_band_amount": None,
        "pdf": invoice["invoice_pdf"],
        "post_payment_amount": 0,
        "pre_payment_amount": 0,
        "pretax_credit_amounts": [],
        "reason": None,
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": amount,
        "subtotal_excluding_tax": amount,
        "total": amount,
        "total_excluding_tax": amount,
        "total_taxes": [],
        "type": "pre_payment",
        "voided_at": None,
        **fields,
    }
