"""A downgrade is announced and told of by the name of the plan that it leads to."""

import pytest

from app.campaigns.definition import MONTHLY, FinalActionSettings
from app.recovery.case_lists import CaseFilter, list_cases
from app.vocabulary import FinalActionKind
from tests.stage import Stage
from tests.stories.customer import Browser, link_in, newest_mail


def fall_to(stage: Stage, currency: str = "usd") -> None:
    """Let campaigns end in a downgrade to a product that is called Fernweh Free."""
    product = stage.stripe("POST", "products", name="Fernweh Free")["id"]
    terms = {"product": product, "currency": currency, "unit_amount": "0", "recurring[interval]": "month"}
    price = stage.stripe("POST", "prices", **terms)["id"]
    action = FinalActionSettings(kind=FinalActionKind.DOWNGRADE, prices={currency: price})
    stage.use_campaign(MONTHLY.model_copy(update={"final_action": action}))


def test_the_mails_before_and_after_a_downgrade_name_the_plan(stage: Stage) -> None:
    fall_to(stage)
    invoice = stage.fail(stage.customer(email="robin@example.com")["customer"], "generic_decline")
    stage.advance(days=29)
    notice, changed = newest_mail(stage, invoice, "final_notice"), newest_mail(stage, invoice, "subscription_changed")
    assert "your subscription moves to Fernweh Free that day" in " ".join(str(notice.text_body).split())
    assert changed.subject == "Your subscription is now on Fernweh Free"
    assert "We couldn’t collect your last payment for Team, " in " ".join(str(changed.text_body).split())
    assert "Team (Invoice " in str(changed.text_body)
    page = Browser().open(link_in(changed)).text
    assert '<span class="name"><bdi>Team</bdi></span>' in page
    assert "Fernweh Free" not in page
    with stage.context.database.organization(stage.organization_id) as session:
        (row,) = list_cases(session, CaseFilter(text="Team"), stage.now).rows
    assert row.billed_name == "Team"
    named = [entry.summary for entry in stage.timeline(invoice) if entry.name == "plan_named"]
    assert named == ["If nothing helps, the subscription moves to Fernweh Free."]


@pytest.mark.long
def test_where_stripe_cannot_name_the_plan_the_mails_go_out_all_the_same(stage: Stage) -> None:
    fall_to(stage)
    trouble = {"kind": "http_500", "path": "/v1/prices"}
    assert stage.http.post(f"{stage.sandbox.url}/_sandbox/faults", json=trouble, timeout=10).ok
    invoice = stage.fail(stage.customer(email="robin@example.com")["customer"], "generic_decline")
    stage.advance(days=27)
    notice = str(newest_mail(stage, invoice, "final_notice").text_body)
    assert "a smaller plan" in " ".join(notice.split())


@pytest.mark.long
def test_a_currency_without_a_price_is_told_of_the_end_it_will_have(stage: Stage) -> None:
    fall_to(stage, "eur")
    invoice = stage.fail(stage.customer(email="robin@example.com", currency="usd")["customer"], "generic_decline")
    stage.advance(days=27)
    notice = str(newest_mail(stage, invoice, "final_notice").text_body)
    assert "plan" not in notice.lower().replace("plan_", "")
    assert "won’t renew" in notice
