"""Seeing what was done to a subscription, and whether it was done to it since."""

from collections.abc import Callable
from typing import Any

import pytest

from app.outcomes.looks import differences, is_effect_visible, is_ending, looks_of
from app.stripe_gateway.snapshots import SubscriptionSnapshot
from app.vocabulary import FinalActionKind
from tests.unit.outcomes.conftest import PERIOD_END

Subscriptions = Callable[..., SubscriptionSnapshot]


def schedule(end: int, end_behavior: str = "cancel") -> dict[str, Any]:
    return {"id": "sub_sched_1", "end_behavior": end_behavior, "phases": [{"start_date": 1, "end_date": end}]}


@pytest.mark.parametrize(
    ("fields", "ending"),
    [
        ({}, False),
        ({"cancel_at_period_end": True}, True),
        ({"cancel_at": PERIOD_END}, True),
        ({"cancel_at": PERIOD_END + 1}, False),
        ({"schedule": schedule(PERIOD_END)}, True),
        ({"schedule": schedule(PERIOD_END + 86400)}, False),
        ({"schedule": schedule(PERIOD_END, "release")}, False),
        ({"schedule": "sub_sched_1"}, False),
    ],
)
def test_an_end_is_seen_however_it_was_planned(
    fields: dict[str, Any], ending: bool, make_subscription: Subscriptions
) -> None:
    assert is_ending(make_subscription(**fields)) is ending


@pytest.mark.parametrize(
    ("kind", "fields", "prices"),
    [
        (FinalActionKind.CANCEL_NOW, {"status": "canceled"}, ()),
        (FinalActionKind.CANCEL_AT_PERIOD_END, {"cancel_at_period_end": True}, ()),
        (FinalActionKind.CANCEL_AT_PERIOD_END, {"status": "canceled"}, ()),
        (FinalActionKind.DOWNGRADE, {}, ("price_free",)),
        (FinalActionKind.PAUSE, {"pause_collection": {"behavior": "void"}}, ()),
    ],
)
def test_each_action_leaves_a_mark_that_was_not_there_before(
    kind: FinalActionKind, fields: dict[str, Any], prices: tuple[str, ...], make_subscription: Subscriptions
) -> None:
    assert not is_effect_visible(kind, "price_free", make_subscription())
    assert is_effect_visible(kind, "price_free", make_subscription(*prices, **fields))


def test_a_price_beside_another_is_no_downgrade_yet(make_subscription: Subscriptions) -> None:
    both = make_subscription("price_free", "price_paid")

    assert not is_effect_visible(FinalActionKind.DOWNGRADE, "price_free", both)


def test_a_payment_alone_does_not_change_the_looks(make_subscription: Subscriptions) -> None:
    before, after = looks_of(make_subscription()), looks_of(make_subscription(status="active"))

    assert differences(before.plain(), after.plain()) == []


@pytest.mark.parametrize(
    ("prices", "fields", "name"),
    [
        (("price_other",), {}, "items"),
        ((), {"pause_collection": {"behavior": "void"}}, "paused"),
        ((), {"cancel_at_period_end": True}, "is_ending"),
        ((), {"schedule": schedule(PERIOD_END, "release")}, "phases"),
    ],
)
def test_a_change_by_somebody_is_named(
    prices: tuple[str, ...], fields: dict[str, Any], name: str, make_subscription: Subscriptions
) -> None:
    before, after = looks_of(make_subscription()), looks_of(make_subscription(*prices, **fields))

    assert differences(before.plain(), after.plain()) == [name]


def test_the_order_of_items_means_nothing(make_subscription: Subscriptions) -> None:
    one, other = make_subscription("price_a", "price_b"), make_subscription("price_b", "price_a")

    assert looks_of(one) == looks_of(other)
