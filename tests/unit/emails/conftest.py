from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.money import Money
from emails import Card, DeclineReason, FinalAction, MailFacts, Merchant, Owed
from emails.parts import ENDINGS

PAY_URL = "https://pay.example/pay/eyJ.abc-_?a=1&b=2"


@pytest.fixture(scope="session")
def full() -> MailFacts:
    """Every fact a mail could know."""
    merchant = Merchant(
        name="Fernweh Studio",
        support_email="help@fernweh.example",
        brand_color="#0f766e",
        logo_url="https://fernweh.example/logo.png",
        postal_address="Torstr. 1, 10119 Berlin",
        website="https://fernweh.example/",
        support_url="https://fernweh.example/help",
    )
    return MailFacts(
        merchant=merchant,
        pay_url=PAY_URL,
        amounts=(Owed(Money(4900, "eur"), "FW-0042", "Pro plan, monthly"),),
        customer_first_name="Ana",
        locale="en-US",
        timezone="Europe/Berlin",
        decline_reason=DeclineReason.NO_FUNDS,
        card=Card("visa", "4242", 3, 2026),
        product_name="Fernweh Pro",
        invoice_number="FW-0042",
        next_attempt_at=datetime(2026, 3, 27, 9, 5, tzinfo=UTC),
        final_action=FinalAction.DOWNGRADE,
        final_action_at=datetime(2026, 4, 1, 8, 0, tzinfo=UTC),
        downgrade_to="Fernweh Free",
        period_ends_at=datetime(2026, 4, 30, 8, 0, tzinfo=UTC),
        access_until=datetime(2026, 4, 15, 8, 0, tzinfo=UTC),
        paid_at=datetime(2026, 3, 27, 9, 6, tzinfo=UTC),
        receipt_url="https://receipts.example/r/1",
        promised_for=datetime(2026, 3, 27, 6, 0, tzinfo=UTC),
        invoice_due_at=datetime(2026, 3, 29, 12, 0, tzinfo=UTC),
        resumes_at=datetime(2026, 5, 24, 9, 0, tzinfo=UTC),
        next_charge_at=datetime(2026, 4, 20, 12, 0, tzinfo=UTC),
        unsubscribe_url="https://pay.example/stop/abc",
    )


@pytest.fixture(scope="session")
def bare() -> MailFacts:
    """Only what no mail can do without."""
    return MailFacts(merchant=Merchant("Kumo"), pay_url=PAY_URL)


@pytest.fixture(scope="session")
def variants(full: MailFacts, bare: MailFacts) -> list[MailFacts]:
    """Full, bare, each optional fact missing in turn, and every reason and every ending with all and with no facts."""
    missing = [
        replace(full, **{name: getattr(bare, name)})
        for name in vars(full)
        if name not in ("merchant", "pay_url", "locale")
    ]
    of_merchant: list[dict[str, Any]] = [{name: None} for name in vars(full.merchant) if name != "name"]
    merchants = [replace(full, merchant=replace(full.merchant, **change)) for change in of_merchant]
    reasons = [replace(facts, decline_reason=reason) for facts in (full, bare) for reason in DeclineReason]
    endings = [
        replace(facts, final_action=action, has_debt_left=debt)
        for facts in (full, bare)
        for action in (*FinalAction, None)
        for debt in (True, False)
    ]
    one_off = [replace(facts, is_about_subscription=False) for facts in endings if facts.final_action not in ENDINGS]
    unnamed = replace(full, is_about_subscription=False, amounts=(Owed(Money(4900, "eur"), "FW-0042"),))
    dropped = [replace(facts, has_debt_left=False, is_debt_dropped=True) for facts in (full, bare)]
    restored = [replace(facts, is_restored=True) for facts in (full, bare)]
    many = replace(full, amounts=tuple(Owed(Money(100 + n, "eur"), f"N-{n}") for n in range(30)))
    few = replace(full, amounts=many.amounts[:3])
    return [full, bare, many, few, unnamed, *missing, *merchants, *reasons, *endings, *one_off, *dropped, *restored]
