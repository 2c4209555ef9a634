"""Faults strike whom they are meant for, as often as they are meant to."""

import pytest

from app.sandbox.errors import StripeRefusal
from app.sandbox.faults import REQUEST_FAULTS, WEBHOOK_FAULTS, Fault, Faults


def test_a_counted_fault_strikes_that_often_and_only_where_it_was_aimed() -> None:
    faults = Faults()
    faults.add(Fault("http_500", count=2, path="/pay", method="POST"))
    assert faults.strike(REQUEST_FAULTS, "/v1/customers", "POST") is None
    assert faults.strike(REQUEST_FAULTS, "/v1/invoices/in_1/pay", "GET") is None
    struck = [faults.strike(REQUEST_FAULTS, "/v1/invoices/in_1/pay", "POST") for _ in range(3)]
    assert [fault and fault.kind for fault in struck] == ["http_500", "http_500", None]
    assert faults.listed() == []


def test_a_fault_by_rate_strikes_about_that_often() -> None:
    faults = Faults(seed=3)
    faults.add(Fault("slow", rate=0.3))
    struck = sum(faults.strike(REQUEST_FAULTS, "/v1/anything") is not None for _ in range(1000))
    assert 250 < struck < 350


def test_webhook_faults_do_not_strike_requests() -> None:
    faults = Faults()
    faults.add(Fault("lost_webhook"))
    assert faults.strike(REQUEST_FAULTS, "/v1/customers") is None
    assert faults.strike(WEBHOOK_FAULTS, "invoice.paid") is not None


def test_shuffling_changes_the_order_and_loses_nothing() -> None:
    rows = [(number, "evt", "we") for number in range(20)]
    shuffled = Faults().shuffled(rows)
    assert shuffled != rows
    assert sorted(shuffled) == rows


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(StripeRefusal):
        Faults().add(Fault("gremlins"))
