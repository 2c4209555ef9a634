"""What a rehearsal warns of, and what it counts, from results written by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.campaigns.definition import MONTHLY, CampaignDefinition, FinalActionSettings, MessageStep
from app.rehearsal.figures import figures
from app.rehearsal.findings import findings
from app.rehearsal.orders import Order, read_order
from app.rehearsal.report import render
from app.vocabulary import FinalActionKind

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
DOWNGRADE = FinalActionSettings(kind=FinalActionKind.DOWNGRADE, prices={"eur": "price_1"})


def order(definition: CampaignDefinition = MONTHLY, **changes: Any) -> Order:
    given: dict[str, Any] = {
        "campaign": "Monthly plans",
        "slug": "monthly",
        "version": 3,
        "definition": definition.model_dump(mode="json"),
        "organization": {"slug": "acme", "name": "Acme & <Sons>"},
        "mode": "drive",
        "begins": BEGIN,
        "days": 40,
        "seed": 1,
        "people": (),
        "population": "invented",
    }
    return Order(**{**given, **changes})


def mail(key: str, days: float, kind: str | None = None, **changes: Any) -> dict[str, Any]:
    at = (BEGIN + timedelta(days=days)).isoformat()
    found = {
        "key": f"message:{key}",
        "kind": kind or key,
        "state": "delivered",
        "reason": None,
        "locale": "en",
        "at": at,
    }
    return {**found, **changes}


def tried(days: float, state: str = "declined", **changes: Any) -> dict[str, Any]:
    found = {"at": (BEGIN + timedelta(days=days)).isoformat(), "source": "recoup", "state": state}
    return {
        **found,
        "code": "insufficient_funds",
        "is_counted": True,
        "card": "fp",
        "brand": "visa",
        "amount": 10,
        **changes,
    }


def case(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "customer": "one",
        "country": "DE",
        "timezone": "Europe/Berlin",
        "locale": "en",
        "plan": "Team",
        "interval": "month",
        "currency": "eur",
        "amount": 1000,
        "decline_class": "soft_timed",
        "state": "exhausted",
        "failed_at": BEGIN.isoformat(),
        "window_ends_at": (BEGIN + timedelta(days=28)).isoformat(),
        "recovered_at": None,
        "recovered_amount": 0,
        "recovered_by": None,
        "stop_reason": None,
        "tries": [tried(0)],
        "mails": [],
        "endings": [],
        "steps": [],
        "is_first": True,
    }
    return {**found, **changes}


def warned(*cases: dict[str, Any], given: Order | None = None, **parts: Any) -> str:
    made, result = given or order(), {"cases": list(cases), "letters": [], "troubles": [], **parts}
    return "\n".join(findings(made, result, figures(made, result)))


def test_a_step_that_never_fires_is_named_with_the_reasons() -> None:
    skipped = {"key": "message:reminder_3", "kind": "message", "state": "cancelled", "problem": "paid"}
    said = warned(case(steps=[skipped], mails=[mail("reminder_1", 3, "reminder")]))
    assert "reminder_3 never fired: paid (1)" in said
    assert "reminder_1 never fired" not in said


def test_every_case_is_counted_among_those_a_mail_left_for_or_did_not() -> None:
    planned = {"key": "message:reminder_3", "kind": "message", "state": "planned", "problem": None}
    paid = {**planned, "state": "cancelled", "problem": "paid"}
    cases = [case(steps=[planned]), case(steps=[paid]), case(), case(mails=[mail("reminder_3", 14, "reminder")])]
    made = order()
    found = figures(made, {"cases": cases, "letters": [], "troubles": []})["steps"]
    reminder = next(step for step in found if step["key"] == "reminder_3")
    assert (reminder["fired"], reminder["of"]) == (1, 4)
    assert reminder["why_not"] == {"still to come when the rehearsal ended": 1, "paid": 1, "never planned": 1}


def test_a_mail_that_answers_an_event_counts_by_its_step_whatever_its_number() -> None:
    answers = MessageStep(key="sorry", kind="reminder", anchor="event", on="promise_broken", days=0)
    made = order(MONTHLY.model_copy(update={"messages": (*MONTHLY.messages, answers)}))
    left = case(mails=[mail("sorry:2", 9, "reminder")])
    assert "The step sorry never fired" not in warned(left, given=made)
    assert "The step sorry never fired: without a broken promise to pay (1)" in warned(case(), given=made)


def test_two_mails_on_one_day_of_the_reader_are_found_and_a_thank_you_is_no_second() -> None:
    both = case(mails=[mail("reminder_1", 3, "reminder"), mail("final_notice", 3.1)])
    assert "Two mails or more on one day: 1 time, for" in warned(both)
    thanked = case(mails=[mail("reminder_1", 3, "reminder"), mail("recovered", 3.1)])
    assert "Two mails" not in warned(thanked)


def test_a_mail_after_the_payment_is_found_but_not_one_of_the_same_second() -> None:
    paid = {"state": "recovered", "recovered_at": (BEGIN + timedelta(days=3)).isoformat(), "recovered_by": "retry"}
    moment = timedelta(milliseconds=20) / timedelta(days=1)
    assert "asked for money that had been paid" not in warned(
        case(**paid, mails=[mail("reminder_1", 3 + moment, "reminder")])
    )
    assert "1 mail asked for money that had been paid" in warned(
        case(**paid, mails=[mail("reminder_1", 4, "reminder")])
    )


def test_mails_at_night_languages_and_open_cases_are_said() -> None:
    said = warned(
        case(state="waiting", locale="pt-BR", mails=[mail("reminder_1", 3.65, "reminder")]), given=order(days=20)
    )
    assert "1 of 1 mails left between 22:00 and 7:00" in said
    assert "Written to in en instead of the language pt, which they prefer: 1 customer." in said
    assert "1 case still open when the rehearsal ended after 20 days. Rehearse at least 38 days" in said


def test_one_is_no_many() -> None:
    page = render(
        order(days=1), {"letters": []}, figures(order(), {"cases": [case()], "letters": [], "troubles": []}), []
    )
    assert "1 failed payment over 1 day from" in page


def test_a_downgrade_without_a_price_in_a_currency_is_said() -> None:
    given = order(MONTHLY.model_copy(update={"final_action": DOWNGRADE}))
    assert "no price in USD: 1 subscription would be cancelled" in warned(case(currency="usd"), case(), given=given)


def test_what_went_wrong_comes_before_everything_else() -> None:
    said = warned(case(), troubles=["one_charge: twice"], given=order(coverage=("No campaign names it.",)))
    assert said.splitlines()[0].endswith("one_charge: twice")
    assert said.splitlines()[1] == "No campaign names it."


def test_shares_count_the_drawn_cases_and_later_renewals_stand_apart() -> None:
    paid = case(state="recovered", recovered_at=BEGIN.isoformat(), recovered_by="retry", recovered_amount=1000)
    found = figures(
        order(), {"cases": [paid, case(customer="two"), case(is_first=False)], "letters": [], "troubles": []}
    )
    assert (found["recovered"]["count"], found["recovered"]["of"], found["later_failures"]) == (1, 2, 1)
    assert found["money"] == [
        {
            "currency": "eur",
            "owed": 2000,
            "recovered": 1000,
            "share": 0.5,
            "interval": found["money"][0]["interval"],
            "cases": 2,
        }
    ]
    assert found["by_cause"] == {"retry": 1}


def test_a_cards_budget_counts_what_reached_a_network_in_any_thirty_days() -> None:
    tries = [tried(0), tried(2), tried(2.5), tried(31), tried(32, is_counted=False)]
    found = figures(order(), {"cases": [case(tries=tries)], "letters": [], "troubles": []})
    (visa,) = found["budget"]
    assert (visa["tries"], visa["most_30d"], visa["most_24h"]) == (4, 3, 2)


def test_the_report_is_one_page_that_loads_nothing_and_escapes_what_it_shows() -> None:
    letter = {"key": "message:payment_failed", "kind": "payment_failed", "locale": "de", "subject": "<b>Hallo</b>"}
    result = {"cases": [case()], "letters": [{**letter, "text": "t", "html": '<p class="x">Hallo</p>'}], "troubles": []}
    made = order()
    page = render(made, result, figures(made, result), ["Look <here>"])
    assert "This is a simulation." in page
    assert "Acme &amp; &lt;Sons&gt;" in page
    assert "Look &lt;here&gt;" in page
    assert "&lt;b&gt;Hallo" in page
    assert "<b>Hallo" not in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page


def test_a_rehearsal_without_a_single_case_still_has_a_report() -> None:
    result: dict[str, Any] = {"cases": [], "letters": [], "troubles": ["nothing failed"]}
    made = order()
    counted = figures(made, result)
    assert "nothing failed" in render(made, result, counted, findings(made, result, counted))


def test_an_order_survives_being_handed_over() -> None:
    assert read_order(order().plain()) == order()


@pytest.mark.parametrize("mode", ["observe", "drive"])
def test_only_who_drives_is_told_of_tries_that_were_not_needed(mode: str) -> None:
    said = warned(case(), given=order(mode=mode))
    assert ("Stripe retries in this mode" in said) == (mode == "observe")
