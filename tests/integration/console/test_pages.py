"""What the pages show: filters in the address, moments in the organization's zone, mails in a locked frame."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts import users
from app.context import Context
from app.db import Database
from app.models import Customer, Errand, Finding, RecoveryCase, SubscriptionSnapshot, User
from app.outcomes.actions import SkipReason
from app.recovery.case_lists import PAGE_SIZE
from app.vocabulary import CaseState, ErrandKind, ErrandState, FinalActionState, FindingKind, Role
from tests.integration.console.conftest import Browser, enter, make_app
from tests.integration.console.world import World, add_case, add_member, make_world


def listed(page: str) -> list[str]:
    """The invoice numbers of a list of cases, in order."""
    return re.findall(r'data-label="Invoice">([^<\s]+)', page)


@pytest.mark.parametrize("state", CaseState)
def test_a_filter_by_state_lists_exactly_its_cases(browser: Browser, world: World, state: CaseState) -> None:
    number = list(CaseState).index(state)
    assert listed(browser.get(f"/cases?state={state}").text) == [f"Aldebaran-{number:04}"]


def test_several_states_can_be_asked_for_at_once(browser: Browser, world: World) -> None:
    assert len(listed(browser.get("/cases?state=waiting&state=closed").text)) == 2


@pytest.mark.parametrize(
    "text", ["aldebaran-0003", "Customer> 3", "cus_Aldebaran_3", "in_Aldebaran_3", "sub_Aldebaran_3"]
)
def test_the_search_finds_a_case_by_whatever_people_have_at_hand(browser: Browser, world: World, text: str) -> None:
    assert listed(browser.get("/cases", query_string={"q": text}).text) == ["Aldebaran-0003"]


@pytest.mark.parametrize("text", ["%", "_%_", "\\", "' or 1=1 --"])
def test_signs_with_a_meaning_in_sql_are_only_text_in_a_search(browser: Browser, world: World, text: str) -> None:
    answer = browser.get("/cases", query_string={"q": f"zz{text}"})
    assert answer.status_code == 200
    assert "No case fits this filter" in answer.text


def test_an_address_with_nonsense_in_it_still_shows_the_list(browser: Browser, world: World) -> None:
    page = browser.get("/cases?state=bogus&sort=bogus&page=-3&decline=&currency=").text
    assert len(listed(page)) == len(CaseState)
    assert "past the end" in browser.get("/cases?page=999999999999").text


@pytest.mark.parametrize("asked", ["endpoint=x", "_anchor=a", "state=waiting&state=closed", "q=in_&state=waiting"])
def test_the_next_page_keeps_whatever_was_asked_for(app: Flask, context: Context, now: datetime, asked: str) -> None:
    world = make_world(context.database, f"Deneb{len(asked)}", now)
    with context.database.organization(world.organization_id) as session:
        for number in range(PAGE_SIZE + 5):
            add_case(session, world, CaseState.WAITING, now - timedelta(days=1), now, 100 + number)
    page = enter(app, context, add_member(context.database, world, Role.ANALYST, now)).get(f"/cases?{asked}").text
    (following,) = re.findall(r'href="(/cases[^"]*)" rel="next"', page)
    assert following.replace("&amp;", "&") == f"/cases?{asked}&page=2"


def test_findings_have_pages_too(app: Flask, context: Context, now: datetime) -> None:
    world = make_world(context.database, "Elnath", now)
    about = {"organization_id": world.organization_id, "connection_id": world.connection_id}
    with context.database.organization(world.organization_id) as session:
        look = Errand(**about, kind=ErrandKind.RECONCILE, state=ErrandState.DONE, asked_by="x", started_at=now,
                      finished_at=now, next_try_at=now)  # fmt: skip
        session.add(look)
        session.flush()
        for number in range(PAGE_SIZE + 5):
            told = {"kind": FindingKind.MISSED_EVENT, "subject": f"evt_{number}", "why": "lost", "found_at": now}
            session.add(Finding(**about, errand_id=look.id, **told))
    browser = enter(app, context, add_member(context.database, world, Role.OWNER, now))
    seen = set()
    for page in (1, 2):
        answer = browser.get(f"/connections/{world.connection_id}/reconcile?page={page}")
        assert answer.status_code == 200
        seen |= set(re.findall(r"evt_\d+", answer.text))
    assert len(seen) == PAGE_SIZE + 5


@pytest.mark.parametrize(
    ("sort", "first"),
    [("newest", "Aldebaran-0000"), ("oldest", "Aldebaran-0005"), ("next_step", "Aldebaran-0000")],
)
def test_a_list_can_be_sorted(browser: Browser, world: World, sort: str, first: str) -> None:
    assert listed(browser.get(f"/cases?sort={sort}").text)[0] == first


def test_pages_of_a_long_list_neither_repeat_nor_lose_a_case(app: Flask, context: Context, now: datetime) -> None:
    world = make_world(context.database, "Capella", now)
    with context.database.organization(world.organization_id) as session:
        for number in range(PAGE_SIZE + 5):
            add_case(session, world, CaseState.WAITING, now - timedelta(days=1), now, 100 + number)
    browser = enter(app, context, add_member(context.database, world, Role.ANALYST, now))
    first, second = browser.get("/cases?state=waiting").text, browser.get("/cases?state=waiting&page=2").text
    numbers = listed(first) + listed(second)
    assert len(listed(first)) == PAGE_SIZE
    assert len(numbers) == len(set(numbers)) == PAGE_SIZE + 6
    assert "state=waiting&amp;page=2" in first


def test_a_new_organization_is_told_what_to_do_next(app: Flask, context: Context, now: datetime) -> None:
    with context.database.system() as session:
        empty = users.create_organization(session, "empty", "Empty Inc", now)
        user = users.create_user(session, "new@example.net", "New", "a long enough password", now)
        users.add_member(session, empty, user, Role.OWNER, now)
    browser = enter(app, context, user)
    for page, says in {
        "/": "No failed payment yet",
        "/cases": "No case yet",
        "/outbox": "Mails to customers appear here",
        "/events": "What Stripe tells Recoup",
        "/connections": "recoup connect --key rk_… --organization empty",
        "/campaigns": "recoup campaigns apply",
        "/reports": "Nothing failed in this period",
        "/audit": "Nothing yet",
    }.items():
        assert says in browser.get(page).text, page


@pytest.mark.parametrize("state", CaseState)
def test_a_case_of_every_state_has_a_page_that_explains_it(browser: Browser, world: World, state: CaseState) -> None:
    page = browser.get(f"/cases/{world.case_ids[state]}").text
    assert "Why:" in page
    assert "€49.00" in page
    assert "Aldebaran &lt;Customer&gt;" in page
    assert ("Stop this case" in page) == (state in {CaseState.WAITING, CaseState.NEEDS_CUSTOMER, CaseState.EXHAUSTED})
    assert ("Try the card now" in page) == (state is CaseState.WAITING)
    assert ("/pay/" in page) == (state in {CaseState.WAITING, CaseState.NEEDS_CUSTOMER, CaseState.EXHAUSTED})


def test_a_case_shows_its_plan_its_codes_and_what_was_not_done(browser: Browser, world: World) -> None:
    page = browser.get(f"/cases/{world.case_ids[CaseState.WAITING]}").text
    for shown in (
        "third day after the failure",
        "insufficient_funds",
        "not tried today, because the customer promised to pay",
        "I get paid on Friday",
        "the customer was written to today",
    ):
        assert shown in page
    assert "Downgrade" in browser.get(f"/cases/{world.case_ids[CaseState.EXHAUSTED]}").text


def test_moments_stand_in_the_organizations_zone_with_utc_at_hand(
    app: Flask, context: Context, world: World, browser: Browser
) -> None:
    with context.database.organization(world.organization_id) as session:
        failed_at = session.get_one(RecoveryCase, world.case_ids[CaseState.WAITING]).failed_at
    page = browser.get(f"/cases/{world.case_ids[CaseState.WAITING]}").text
    assert f'title="{failed_at:%Y-%m-%d %H:%M:%S} UTC"' in page
    assert re.search(r'title="[^"]*(\d\d):\d\d:\d\d UTC">\d+ \w+ \d{4}, (?!\1)\d\d:', page)


def test_a_mail_is_shown_in_a_frame_that_runs_nothing(browser: Browser, world: World) -> None:
    page = browser.get(f"/outbox/{world.message_id}")
    assert 'sandbox=""' in page.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    mail = browser.get(f"/outbox/{world.message_id}/html")
    policy = mail.headers["Content-Security-Policy"]
    assert mail.text.startswith("<h1>Aldebaran</h1>")
    assert "default-src 'none'" in policy
    assert policy.endswith("; sandbox")
    assert "script-src" not in policy
    assert "form-action 'none'" in policy


def test_a_mail_that_is_not_written_yet_has_no_picture(context: Context, browser: Browser, world: World) -> None:
    assert browser.get("/outbox?state=planned").text.count("Not written yet") == 1


def test_the_overview_says_what_needs_a_person(browser: Browser, world: World) -> None:
    page = browser.get("/").text
    for concern in (
        "1 connection broken",
        "Stripe plans tries of its own while Recoup drives",
        "1 event parked",
        "1 mail bounced this week",
    ):
        assert concern in page


def test_a_final_action_that_stripe_refused_waits_for_a_person(
    context: Context, browser: Browser, world: World, now: datetime
) -> None:
    with context.database.organization(world.organization_id) as session:
        row = session.scalars(select(SubscriptionSnapshot)).one()
        row.state, row.reason, row.done_at = FinalActionState.SKIPPED, SkipReason.REFUSED_BY_STRIPE, now
        case_id = row.case_id
    page = browser.get("/").text
    assert "1 final action refused by Stripe" in page
    assert f'<a href="/cases/{case_id}"><strong>1 final action' in page


def test_the_report_can_be_narrowed_and_taken_away_as_csv(browser: Browser, world: World) -> None:
    assert "EUR" in browser.get("/reports?currency=EUR").text
    assert "Nothing failed in this period" in browser.get("/reports?currency=usd").text
    lines = browser.get("/reports/currencies.csv").text.splitlines()
    assert lines[0].startswith("currency,measure")
    assert browser.get("/reports/currencies.csv?since=soon").status_code == 400


def test_an_address_that_does_not_exist_says_where_to_go(browser: Browser, stranger: Browser) -> None:
    for each in (browser, stranger):
        answer = each.get("/no/such/page")
        assert answer.status_code == 404
        assert "Go to the overview" in answer.text


def test_a_wrong_method_is_explained_too(browser: Browser) -> None:
    assert "not opened this way" in browser.get("/sign-out").text


def test_a_database_that_is_away_is_a_page_with_advice(context: Context) -> None:
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    browser = Browser(make_app(replace(context, database=nowhere)).test_client())
    browser.client.set_cookie("recoup", "any token")
    answer = browser.get("/cases")
    assert answer.status_code == 503
    assert "Recoup cannot reach its database" in answer.text
    nowhere.dispose()


def test_a_fault_of_ours_is_a_page_that_says_nothing_was_lost(
    context: Context, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(context)
    app.testing = False
    monkeypatch.setattr("app.recovery.case_lists.list_cases", lambda *_: 1 // 0)
    answer = enter(app, context, owner).get("/cases")
    assert answer.status_code == 500
    assert "Nothing was lost" in answer.text
    assert "ZeroDivisionError" not in answer.text


def test_the_sandbox_says_that_it_is_one_and_what_time_it_is_there(browser: Browser) -> None:
    assert "Sandbox: no real money moves" in browser.get("/sign-in").text


def test_a_customer_without_a_name_or_an_address_is_still_shown(
    context: Context, browser: Browser, world: World
) -> None:
    with context.database.organization(world.organization_id) as session:
        case = session.get_one(RecoveryCase, world.case_ids[CaseState.CLOSED])
        customer = session.get_one(Customer, case.customer_id)
        customer.name = customer.email = None
    assert f"{customer.stripe_id} owed" in browser.get(f"/cases/{case.id}").text
