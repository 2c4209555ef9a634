"""The page about an invented bill, for those who choose its looks: the page's own frame, words and sheet. Nothing on it
leads anywhere.
"""

from dataclasses import dataclass

from flask import render_template

from app.money import Money
from app.payment_page.voice import PageVoice
from emails import MailFacts

IN_FLASK = "sample_page"  # where the console, which may not import the page, finds `sample_page`


@dataclass(frozen=True)
class SampleBill:
    """As much of a bill as the page lists."""

    title: str | None
    number: str | None
    money: Money
    case_id: None = None


def sample_page(facts: MailFacts) -> str:
    """The first view for these facts, which name at least one amount."""
    bills = [SampleBill(owed.description, owed.invoice_number, owed.amount) for owed in facts.amounts]
    return render_template(
        "payment_page/sample.html",
        voice=PageVoice(facts),
        facts=facts,
        bills=bills,
        merchant=facts.merchant,
        brand=facts.merchant.brand_color,
    )
