"""Two people at one section: nobody's change is lost without a word."""

from typing import Any

from app.campaigns.definition import MONTHLY
from app.console.campaign_fields import values_of
from app.console.campaign_merging import merge


def messages(**days: str | None) -> dict[str, Any]:
    """The usual mails with other days, without those that have none, and with new ones for unknown names."""
    found = {message["key"]: message for message in values_of("messages", MONTHLY)["messages"]}
    for key, day in days.items():
        if day is None:
            del found[key]
        else:
            found[key] = {**found.get(key, found["reminder_1"]), "key": key, "days": day}
    return {"messages": list(found.values())}


def days_of(values: dict[str, Any]) -> dict[str, str]:
    return {message["key"]: message["days"] for message in values["messages"]}


def test_changes_of_different_mails_both_stand() -> None:
    merged = merge(messages(), messages(reminder_1="4", thanks="1"), messages(reminder_2="9", hello="2"))
    assert merged.clashes == {}
    days = days_of(merged.values)
    assert (days["reminder_1"], days["reminder_2"], days["thanks"], days["hello"]) == ("4", "9", "1", "2")


def test_a_mail_that_one_took_out_and_the_other_left_alone_is_gone() -> None:
    merged = merge(messages(), messages(reminder_3=None), messages(reminder_1="4"))
    assert "reminder_3" not in days_of(merged.values)
    assert merged.clashes == {}


def test_one_mail_changed_by_both_is_told_and_mine_is_shown() -> None:
    merged = merge(messages(), messages(reminder_1="4"), messages(reminder_1="5"))
    assert days_of(merged.values)["reminder_1"] == "5"
    assert merged.clashes == {"messages-1-key": "changed"}
    emptied = merge(messages(), messages(reminder_1="4"), messages(reminder_1=None))
    assert emptied.clashes == {"messages": "changed"}
    gone = merge(messages(), messages(reminder_1=None), messages(reminder_1="5"))
    assert gone.clashes == {"messages-1-key": "taken out"}


def test_the_same_change_by_both_is_no_clash_and_what_a_browser_does_to_texts_is_no_change() -> None:
    base, same = {"prices": "usd price_1\neur price_2"}, {"prices": "usd price_1\r\neur price_2\n"}
    assert merge(base, {"prices": "usd price_3"}, same).values["prices"] == "usd price_3"
    assert merge(base, {"prices": "usd price_3"}, {"prices": "usd price_3"}).clashes == {}
    assert merge(base, {"prices": "usd price_3"}, {"prices": "usd price_4"}).clashes == {"prices": "“usd price_3”"}
