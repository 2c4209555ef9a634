"""The life of a case as the operator's own app sees it: access stays, is limited or ends, and comes back."""

from typing import Any

import pytest
import requests

from app.accounts import api_keys
from app.accounts.api_keys import Actor
from app.campaigns.definition import FinalActionSettings
from app.clock import SystemClock
from app.vocabulary import ApiScope, FinalActionKind
from tests.stage import LADDER, Stage

SHORT = LADDER.model_copy(update={"window_days": 10, "grace_days": 3, "messages": ()})


def entitlement(stage: Stage, key: str, customer: str) -> dict[str, Any]:
    answer = requests.get(
        f"{stage.base_url}/api/v1/entitlements/{customer}", headers={"Authorization": f"Bearer {key}"}, timeout=30
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def key(stage: Stage) -> str:
    wall = SystemClock().now()
    with stage.context.database.organization(stage.organization_id) as session:
        made = api_keys.create(
            session, stage.context.keys, name="app", scopes=[ApiScope.READ], expires_at=None, by=Actor("test"),
            now=stage.now, wall=wall,
        )  # fmt: skip
    return made.secret


def test_access_stays_through_window_and_grace_and_ends_with_the_subscription(stage: Stage, key: str) -> None:
    stage.use_campaign(SHORT)
    customer = stage.customer(amount=4900, currency="eur")["customer"]
    assert entitlement(stage, key, customer)["access"] == "keep"
    stage.fail(customer, *["insufficient_funds"] * 9)
    found = entitlement(stage, key, customer)
    assert (found["access"], found["reason"], found["then"]) == ("keep", "in_recovery", "end")
    until = found["until"]
    stage.advance(days=10, hours=1)
    found = entitlement(stage, key, customer)
    assert (found["access"], found["reason"], found["until"][:10]) == ("keep", "in_grace", until[:10])
    stage.advance(days=3)
    found = entitlement(stage, key, customer)
    assert (found["access"], found["reason"], found["until"]) == ("end", "subscription_ended", None)


def test_a_downgrade_limits_access_and_a_late_payment_gives_it_back(stage: Stage, key: str) -> None:
    product = stage.stripe("POST", "products", name="Small")["id"]
    price = stage.stripe(
        "POST", "prices", product=product, currency="eur", unit_amount=900, **{"recurring[interval]": "month"}
    )["id"]
    ending = FinalActionSettings(kind=FinalActionKind.DOWNGRADE, prices={"eur": price})
    stage.use_campaign(SHORT.model_copy(update={"grace_days": 0, "final_action": ending}))
    customer = stage.customer(amount=4900, currency="eur")["customer"]
    invoice = stage.fail(customer, *["insufficient_funds"] * 9)
    assert entitlement(stage, key, customer)["then"] == "limit"
    stage.advance(days=10, hours=2)
    found = entitlement(stage, key, customer)
    assert (found["access"], found["reason"]) == ("limit", "downgraded")
    assert found["subscriptions"][0]["price"] == price
    stage.stripe("POST", f"invoices/{invoice}/pay", paid_out_of_band="true")
    stage.settle()
    assert entitlement(stage, key, customer)["access"] == "keep"


def test_unknown_customers_and_subscriptions_are_kept(stage: Stage, key: str) -> None:
    found = entitlement(stage, key, "cus_nobody")
    assert (found["access"], found["is_known"], found["reason"]) == ("keep", False, "unknown_customer")
    customer = stage.customer(amount=4900, currency="eur")["customer"]
    stage.fail(customer)
    found = entitlement(stage, key, f"{customer}?subscription=sub_unheard_of")
    assert (found["access"], found["reason"]) == ("keep", "unknown_subscription")
