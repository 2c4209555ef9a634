"""Stripe's dashboard addresses and the shapes of numbers on a page."""

import pytest

from app.console import formats
from app.console.stripe_dashboard import dashboard_url
from app.models import Connection
from app.money import Money
from app.settings import Settings


@pytest.mark.parametrize(
    ("livemode", "stripe_id", "address"),
    [
        (True, "in_1", "https://dashboard.stripe.com/acct_1/invoices/in_1"),
        (False, "in_1", "https://dashboard.stripe.com/acct_1/test/invoices/in_1"),
        (True, "cus_1", "https://dashboard.stripe.com/acct_1/customers/cus_1"),
        (True, "zz_1", None),
        (True, None, None),
    ],
)
def test_a_stripe_id_leads_to_its_page_in_the_right_mode(livemode: bool, stripe_id: str, address: str | None) -> None:
    connection = Connection(account_id="acct_1", livemode=livemode)
    assert dashboard_url(Settings(_env_file=None), connection, stripe_id) == address


def test_a_sandbox_has_no_dashboard_to_lead_to() -> None:
    connection = Connection(account_id="acct_1", livemode=False)
    assert dashboard_url(Settings(_env_file=None, sandbox=True), connection, "in_1") is None


def test_money_is_written_with_the_digits_of_its_currency() -> None:
    assert formats.money(1999, "jpy") == "¥1,999"
    assert formats.money(Money(1999, "eur")) == "€19.99"
    assert formats.money(None) == "–"


def test_a_rate_that_does_not_exist_is_a_dash_and_not_zero() -> None:
    assert formats.percent(None) == "–"
    assert formats.percent(0.125) == "12.5%"
