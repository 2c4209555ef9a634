"""The customer picks a day: everything waits for it, the card is tried on it, and a broken word is noticed."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from app.campaigns.contact import PageOffers
from app.campaigns.definition import MONTHLY, RetrySettings
from app.models import Hold, Message
from app.recovery import promises
from app.recovery.invariants import find_offences
from app.recovery.operator import Person
from app.recovery.switching import switch
from app.vocabulary import CaseState, ConnectionMode, MessageState, RecoveredBy, StepKind, StepState
from tests.integration.payment_page.conftest import Payer, make_payer
from tests.stage import Stage

DAYS = re.compile(r'<option value="(\d{4}-\d\d-\d\d)">')


def days_of(payer: Payer) -> list[date]:
    return [date.fromisoformat(day) for day in DAYS.findall(payer.see().text)]


def promise(payer: Payer, day: date) -> str:
    ticket = payer.forms(payer.see())["day"]
    answer = payer.http.post(f"{payer.url}/day", data={"ticket": ticket, "day": day.isoformat()}, timeout=30)
    return answer.text


def names(payer: Payer) -> list[str]:
    return [entry.name for entry in payer.stage.timeline(payer.invoice)]


def asked_for_money(payer: Payer) -> list[Message]:
    """The mails that have left and were not an answer to something the customer did."""
    sent = (MessageState.ACCEPTED, MessageState.DELIVERED)
    mails = [mail for mail in payer.stage.messages(payer.invoice) if mail.state in sent]
    return [mail for mail in mails if mail.kind not in ("promise_confirmed", "recovered")]


def test_a_kept_promise_waits_for_its_day_and_pays_on_it(stage: Stage) -> None:
    payer = make_payer(stage, "insufficient_funds", "approve", timezone="Europe/Berlin")
    day = days_of(payer)[4]
    page = promise(payer, day)
    assert "Agreed: " in page
    assert "We try your card on " in page
    tries = len(payer.charges())
    stage.advance(days=4)
    assert len(payer.charges()) == tries
    stage.advance(days=2)
    assert (payer.case.state, payer.case.recovered_by) == (CaseState.RECOVERED, RecoveredBy.RETRY)
    assert stage.attempts(payer.invoice)[-1].started_at.date() == day
    assert names(payer).count("promise_kept") == 1
    assert payer.paid_charges_of_renewals() == 1


def test_no_mail_asks_for_money_before_the_promised_day_is_over(stage: Stage) -> None:
    payer = make_payer(stage, "insufficient_funds", "insufficient_funds", "insufficient_funds")
    stage.advance(hours=50)
    before = len(asked_for_money(payer))
    promise(payer, days_of(payer)[5])
    hold = stage.rows(Hold, Hold.case_id == payer.case.id)[0]
    stage.advance(days=5)
    assert stage.now < hold.until
    assert len(asked_for_money(payer)) == before


def test_a_broken_promise_is_a_fact_and_the_plan_goes_on(stage: Stage) -> None:
    payer = make_payer(stage, *["insufficient_funds"] * 8)
    promise(payer, days_of(payer)[2])
    stage.advance(days=5)
    assert names(payer).count("promise_broken") == 1
    (hold,) = stage.rows(Hold, Hold.case_id == payer.case.id)
    assert hold.released_at is not None
    assert hold.released_at < hold.until
    assert days_of(payer) == []
    assert "Agreed" not in payer.see().text
    assert [step.state for step in stage.steps(payer.invoice) if step.kind is StepKind.PROMISE] == [StepState.DONE]


@pytest.mark.parametrize("timing", ["planned", "ladder"])
@pytest.mark.long
def test_the_promised_try_is_made_whatever_the_campaigns_timing(stage: Stage, timing: str) -> None:
    retries = RetrySettings(timing=timing)  # type: ignore[arg-type]
    stage.use_campaign(MONTHLY.model_copy(update={"retries": retries}))
    payer = make_payer(stage, "insufficient_funds", "approve", timezone="Asia/Tokyo")
    promise(payer, days_of(payer)[6])
    stage.advance(days=9)
    assert payer.case.recovered_by is RecoveredBy.RETRY
    assert stage.attempts(payer.invoice)[-1].decision["reason"] == "promised"


@pytest.mark.long
def test_under_a_dead_card_a_promise_keeps_quiet_and_tries_nothing(stage: Stage) -> None:
    payer = make_payer(stage, "expired_card")
    tries = len(payer.charges())
    page = promise(payer, days_of(payer)[2])
    assert "Please come back here by then." in page
    assert "We try your card" not in page
    stage.advance(days=4, hours=12)
    assert len(payer.charges()) == tries
    assert names(payer).count("promise_broken") == 1


@pytest.mark.long
def test_another_card_pays_before_the_promised_day(stage: Stage) -> None:
    payer = make_payer(stage, "insufficient_funds")
    promise(payer, days_of(payer)[9])
    assert "pays €49.00 right away" in payer.see().text
    assert "Thank you, all settled" in payer.pay_with().text
    assert names(payer).count("promise_kept") == 1
    stage.advance(days=12)
    assert payer.paid_charges_of_renewals() == 1


def test_the_card_on_file_can_be_asked_for_before_the_promised_day(stage: Stage) -> None:
    payer = make_payer(stage, "insufficient_funds", "approve")
    promise(payer, days_of(payer)[9])
    stage.advance(days=1)
    assert "Thank you, all settled" in payer.follow(payer.press("pay-now")).text
    assert payer.paid_charges_of_renewals() == 1


@pytest.mark.long
def test_a_promise_can_be_moved_a_few_times_and_the_same_day_twice_is_one(stage: Stage) -> None:
    payer = make_payer(stage, "insufficient_funds")
    first, second, third, fourth = days_of(payer)[2:6]
    for day in (first, first, second, third):
        promise(payer, day)
    standing = [hold for hold in stage.rows(Hold, Hold.case_id == payer.case.id) if hold.released_at is None]
    assert len(standing) == 1
    assert (names(payer).count("promise_made"), names(payer).count("promise_moved")) == (1, 2)
    assert promises.MOST_MADE == 3
    assert "day" not in payer.forms(payer.see())
    assert fourth not in days_of(payer)


@pytest.mark.long
def test_no_day_outside_the_window_is_offered_or_taken(stage: Stage) -> None:
    payer = make_payer(stage, "insufficient_funds")
    ends = payer.case.window_ends_at.date()
    assert days_of(payer)[-1] < ends
    ticket = payer.forms(payer.see())["day"]
    for bad in ((ends + timedelta(days=1)).isoformat(), "2020-01-01", "yesterday", ""):
        answer = payer.http.post(f"{payer.url}/day", data={"ticket": ticket, "day": bad}, timeout=30)
        assert "That day isn’t possible any more." in answer.text
    assert stage.rows(Hold, Hold.case_id == payer.case.id) == []


@pytest.mark.long
def test_the_operator_decides_whether_days_are_offered(stage: Stage) -> None:
    stage.use_campaign(MONTHLY.model_copy(update={"page": PageOffers(pick_a_day=False)}))
    payer = make_payer(stage, "insufficient_funds")
    assert "day" not in payer.forms(payer.see())


def test_one_promise_is_for_all_that_is_open(stage: Stage) -> None:
    payer = make_payer(stage, "insufficient_funds", "approve")
    stage.fail(payer.customer, "insufficient_funds", "approve")
    promise(payer, days_of(payer)[3])
    assert len([hold for hold in stage.rows(Hold) if hold.released_at is None]) == 2
    stage.settle()
    confirmed = stage.rows(Message, Message.kind == "promise_confirmed")
    assert [(mail.state, mail.reason) for mail in confirmed] == [(MessageState.DELIVERED, None)]
    stage.advance(days=7)
    assert payer.paid_charges_of_renewals() == 2


def test_a_day_agreed_for_one_bill_is_said_of_that_one_until_it_is_agreed_for_all(stage: Stage) -> None:
    payer = make_payer(stage, "insufficient_funds")
    promise(payer, days_of(payer)[3])
    stage.fail(payer.customer, "insufficient_funds")
    page = payer.see().text
    assert "€98.00" in page
    assert "<h1>Agreed" not in page
    assert page.count("Agreed: ") == 1
    assert "<h1>Agreed" in promise(payer, days_of(payer)[4])


@pytest.mark.long
def test_where_stripe_retries_the_promised_try_is_made_all_the_same(observing: Stage) -> None:
    payer = make_payer(observing, "insufficient_funds", *["insufficient_funds"] * 6)
    days = days_of(payer)
    promise(payer, days[0])
    observing.advance(days=2)
    assert "promised" in {attempt.decision.get("reason") for attempt in observing.attempts(payer.invoice)}


@pytest.fixture(autouse=True)
def _everything_is_as_promised(stage: Stage) -> Iterator[None]:
    yield
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []


@pytest.fixture
def observing(stage: Stage) -> Stage:
    switch(stage.context, stage.organization_id, stage.connection_id, Person("Olga"), mode=ConnectionMode.OBSERVE)
    return stage
