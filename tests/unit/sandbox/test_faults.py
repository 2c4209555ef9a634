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
    faults = Faults()
    faults.add(Fault("slow", rate=0.3, seed=3))
    struck = sum(faults.strike(REQUEST_FAULTS, "/v1/anything") is not None for _ in range(1000))
    assert 250 < struck < 350


def test_webhook_faults_do_not_strike_requests() -> None:
    faults = Faults()
    faults.add(Fault("lost_webhook"))
    assert faults.strike(REQUEST_FAULTS, "/v1/customers") is None
    assert faults.strike(WEBHOOK_FAULTS, "invoice.paid") is not None


def test_shuffling_changes_the_order_and_loses_nothing() -> None:
    rows = [(number, "evt", "we") for number in range(20)]
    faults = Faults()
    assert faults.shuffled(rows) == rows
    faults.add(Fault("shuffle_webhook"))
    shuffled = faults.shuffled(rows)
    assert shuffled != rows
    assert sorted(shuffled) == rows


def test_a_fault_strikes_the_same_way_beside_any_other() -> None:
    alone, among = Faults(), Faults()
    alone.add(Fault("http_500", rate=0.5, seed=9))
    among.add(Fault("lost_webhook", rate=0.5, seed=1))
    among.add(Fault("http_500", rate=0.5, seed=9))
    for faults in (alone, among):
        faults.strike(WEBHOOK_FAULTS, "invoice.paid")
    blows = [[faults.strike(REQUEST_FAULTS, "/v1/x") is not None for _ in range(50)] for faults in (alone, among)]
    assert blows[0] == blows[1]


def test_a_fault_with_a_duration_ends_by_the_sandboxs_clock() -> None:
    now = [1000]
    faults = Faults(lambda: now[0])
    faults.add(Fault("http_429", minutes=10))
    assert faults.strike(REQUEST_FAULTS, "/v1/x") is not None
    now[0] += 599
    assert faults.strike(REQUEST_FAULTS, "/v1/x") is not None
    now[0] += 1
    assert faults.strike(REQUEST_FAULTS, "/v1/x") is None
    assert faults.listed() == []


def test_probability_and_count_hold_together() -> None:
    faults = Faults()
    faults.add(Fault("slow", rate=0.5, count=3))
    struck = [faults.strike(REQUEST_FAULTS, "/v1/x") is not None for _ in range(100)]
    assert sum(struck) == 3
    assert not all(struck[:3]) or not all(struck[:6])


def test_one_fault_can_be_switched_off() -> None:
    faults = Faults()
    first, second = faults.add(Fault("slow")), faults.add(Fault("cut_after"))
    faults.clear(first.id)
    assert faults.listed() == [second]
    with pytest.raises(StripeRefusal, match="fault_1"):
        faults.clear(first.id)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("cut_before", seconds=3), "knows no seconds"),
        (Fault("slow", seconds=601), "from 0 to 600"),
        (Fault("shuffle_webhook", path="invoice"), "cannot be aimed"),
        (Fault("lost_webhook", method="POST"), "aim it by"),
    ],
)
def test_a_fault_that_means_nothing_is_refused(fault: Fault, said: str) -> None:
    with pytest.raises(StripeRefusal, match=said):
        Faults().add(fault)


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(StripeRefusal):
        Faults().add(Fault("gremlins"))
