"""Every story begins with a renewal that fails, and goes on as it says when the clock is turned."""

import pytest

from app.sandbox import deeds, stories
from app.sandbox.errors import StripeRefusal
from app.sandbox.store import Doc
from app.sandbox.stories import STORIES
from tests.unit.sandbox.play import DAY, START, Play

AT_THE_END = {
    "insufficient-funds": ("paid", "active"),
    "lost-card": ("open", "canceled"),
    "bank-approval": ("open", "canceled"),
    "expired-card": ("open", "canceled"),
    "run-out": ("open", "canceled"),
    "disputed": ("paid", "active"),
    "disputed-before": ("open", "canceled"),
    "paid-elsewhere": ("paid", "active"),
    "cancelled": ("open", "canceled"),
    "card-updater": ("paid", "active"),
    "outage": ("paid", "active"),
}


def begin(play: Play, name: str) -> Doc:
    told: Doc = play.act(stories.begin, name)
    return told


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_is_told_to_its_end_with_stripes_own_retries(play: Play, story: stories.Story) -> None:
    told = begin(play, story.name)
    for entry in told["customers"]:
        assert play.find("invoice", entry["invoice"])["status"] == "open"
    play.run_to(START + 25 * DAY)
    for entry in told["customers"]:
        invoice = play.find("invoice", entry["invoice"])
        subscription = play.find("subscription", invoice["parent"]["subscription_details"]["subscription"])
        assert (invoice["status"], subscription["status"]) == AT_THE_END[story.name]


def test_what_a_story_brings_later_comes_at_its_moment(play: Play) -> None:
    told = {name: begin(play, name) for name in ("paid-elsewhere", "cancelled", "card-updater", "disputed-before")}
    play.run_to(START + DAY)
    assert [len(play.events(name)) for name in ("payment_method.automatically_updated", "charge.dispute.created")] == [
        1,
        1,
    ]
    assert not play.events("customer.subscription.deleted")
    play.run_to(START + 2 * DAY)
    assert len(play.events("customer.subscription.deleted")) == 1
    invoice = play.find("invoice", told["paid-elsewhere"]["customers"][0]["invoice"])
    assert (invoice["status"], invoice["amount_paid_off_stripe"]) == ("paid", invoice["amount_due"])


def test_a_story_whose_end_has_become_impossible_just_ends(play: Play) -> None:
    told = begin(play, "paid-elsewhere")
    play.act(deeds.void, told["customer"])
    play.run_to(START + 3 * DAY)
    assert play.find("invoice", told["customers"][0]["invoice"])["status"] == "void"


def test_the_disputed_payment_is_the_recovered_one(play: Play) -> None:
    told = begin(play, "disputed")
    play.run_to(START + 25 * DAY)
    disputes = play.events("charge.dispute.created")
    assert len(disputes) == 1
    records = play.act(lambda ledger: ledger.linked("invoice_payment", "invoice", told["customers"][0]["invoice"]))
    assert disputes[0]["data"]["object"]["payment_intent"] == records[-1]["payment"]["payment_intent"]


def test_an_unknown_story_is_refused_with_those_there_are(play: Play) -> None:
    with pytest.raises(StripeRefusal, match="lost-card"):
        begin(play, "happily-ever-after")
