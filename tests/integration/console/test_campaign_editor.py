"""Campaigns changed in the console: what is wrong is told at its field, what would change is shown before it does."""

from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from app.campaigns.contact import PageOffers, RetentionOffer
from app.campaigns.definition import ANNUAL, CampaignDefinition
from app.console.campaign_fields import OFFER_DEBTS
from app.context import Context
from app.models import AuditEntry, Campaign, CampaignVersion, Customer, Hold, RecoveryCase
from app.recovery.campaigns import add_version, newest_version, read_definition
from app.vocabulary import CaseState, DebtAfterwards, FinalActionKind, Role
from tests.integration.console.conftest import Browser, enter
from tests.integration.console.world import World, add_member, make_world

RETRIES = {
    "window_days": "28",
    "grace_days": "0",
    "silent_hours": "48",
    "timing": "planned",
    "ladder_days": "1, 3",
    "max_attempts": "6",
    "min_gap_hours": "48",
}
ROWS = {"segment-as": "rows", "segment-joint": "all", "exclude-as": "rows", "exclude-joint": "all"}
RULES = {"gap_hours": "20", "max_per_week": "3", "quiet_from": "21:00", "quiet_until": "08:00"}
CONTACT = {**RULES, **dict.fromkeys(OFFER_DEBTS.values(), "keep")}


@pytest.fixture
def world(context: Context, now: datetime, request: pytest.FixtureRequest) -> World:
    return make_world(context.database, f"C{abs(hash(request.node.nodeid))}", now)


@pytest.fixture
def browser(app: Flask, context: Context, world: World, now: datetime) -> Browser:
    return enter(app, context, add_member(context.database, world, Role.MEMBER, now, "Mia"))


def newest(context: Context, world: World) -> tuple[int, CampaignDefinition]:
    with context.database.organization(world.organization_id) as session:
        version = newest_version(session, world.campaign_id)
        return version.number, read_definition(version)


def send(browser: Browser, world: World, section: str, form: dict[str, Any], action: str = "save") -> Any:
    path = f"/campaigns/{world.campaign_id}/edit/{section}"
    return browser.post(path, {"version": "1", "action": action, **form}, follow_redirects=True)


def campaign_row(context: Context, world: World, slug: str) -> Campaign:
    with context.database.organization(world.organization_id) as session:
        return session.scalars(select(Campaign).where(Campaign.slug == slug)).one()


@pytest.mark.parametrize("section", ["audience", "retries", "messages", "ending", "contact"])
def test_a_form_that_is_sent_as_it_was_shown_changes_nothing(
    context: Context, browser: Browser, world: World, section: str
) -> None:
    page = browser.get(f"/campaigns/{world.campaign_id}/edit/{section}").text
    answer = send(browser, world, section, fields_of(page), action="check")
    assert "Nothing differs" in answer.text
    assert newest(context, world)[0] == 1


def test_what_would_change_is_shown_and_saved_only_then(context: Context, browser: Browser, world: World) -> None:
    form = {**RETRIES, "window_days": "35", "timing": "ladder"}
    shown = send(browser, world, "retries", form, action="check").text
    assert "window_days: 28 → 35" in shown
    assert "Save as version 2?" in shown
    assert "3 running cases stay on their versions" in shown
    assert newest(context, world)[0] == 1
    assert "Saved as version 2" in send(browser, world, "retries", form).text
    number, definition = newest(context, world)
    assert (number, definition.window_days, definition.retries.timing) == (2, 35, "ladder")
    with context.database.organization(world.organization_id) as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "campaign.saved")).one()
        assert "window_days" in str(entry.data)


@pytest.mark.parametrize(
    ("section", "form", "field", "told"),
    [
        ("retries", {**RETRIES, "window_days": "200"}, "window_days", "Has to be at most 90."),
        ("retries", {**RETRIES, "max_attempts": ""}, "max_attempts", "Has to be a whole number."),
        ("retries", {**RETRIES, "timing": "ladder", "ladder_days": ""}, "ladder_days", "Name the days"),
        ("retries", {**RETRIES, "window_days": "10"}, "window_days", "outside the window of 10 days"),
        ("retries", {**RETRIES, "grace_days": "inf"}, "grace_days", "Has to be"),
        ("audience", {**ROWS, "segment-0-field": "amount", "segment-0-sign": "at_least", "segment-0-text": "50"},
         "segment-0", "Write a number and its currency"),
        ("audience", {**ROWS, "segment-0-field": "country", "segment-0-sign": "is", "segment-0-text": "Germany",
                      "exclude-0-field": "interval", "exclude-0-sign": "is", "exclude-0-text": "decade"},
         "exclude-0", "is not known; choose"),
        ("audience", {**ROWS, "segment-0-field": "tag", "segment-0-sign": "at_least", "segment-0-text": "vip"},
         "segment-0", "numbers alone are compared by size"),
        ("audience", {**ROWS, "segment-as": "text", "segment-text": "all: [country: DE"}, "segment-text", "no YAML"),
        ("audience", {**ROWS, "segment-as": "text", "segment-text": "contry: DE"}, "segment", "did you mean country?"),
        ("messages", {"messages-0-key": "A b", "messages-0-kind": "reminder", "messages-0-when": "failure",
                      "messages-0-days": "1"}, "messages-0-key", "use small letters"),
        ("messages", {"messages-0-key": "a", "messages-0-kind": "reminder", "messages-0-when": "failure",
                      "messages-0-days": "40"}, "messages-0-days", "outside the window of 28 days"),
        ("messages", {"messages-0-key": "a", "messages-0-kind": "reminder", "messages-0-when": "end",
                      "messages-0-days": "1", "messages-0-soft_delay_hours": "5"},
         "messages-0-key", "take it out here"),
        ("messages", {"messages-0-key": "a", "messages-0-kind": "reminder", "messages-0-when": "failure",
                      "messages-0-days": ""}, "messages-0-days", "Has to be a number."),
        ("audience", {**ROWS, "segment-0-field": "metadata", "segment-0-sign": "is", "segment-0-text": "tier: gold"},
         "segment-0", "as in tier = gold"),
        ("ending", {"kind": "downgrade", "prices": "", "debt": "keep"}, "prices", "A downgrade needs a price"),
        ("ending", {"kind": "downgrade", "prices": "usd 12", "debt": "keep"}, "prices", "is no currency and price"),
        ("ending", {"kind": "explode", "prices": "", "debt": "keep"}, "kind", "is not known; choose"),
        ("contact", {**CONTACT, "max_per_week": "0"}, "max_per_week", "Has to be at least 1."),
        ("contact", {**CONTACT, "quiet_from": ""}, "quiet_from", "as in 21:00"),
        ("contact", {**CONTACT, "pause_months": "24"}, "pause_months", "Has to be at most 12."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_field_and_nothing_typed_is_lost(
    context: Context, browser: Browser, world: World, section: str, form: dict[str, str], field: str, told: str
) -> None:
    answer = send(browser, world, section, form)
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert f'id="{field}"' in answer.text
    assert told in answer.text.replace("&#39;", "'").replace("&#34;", '"')
    for value in form.values():
        assert value in answer.text
    assert newest(context, world)[0] == 1


def test_an_audience_is_previewed_against_todays_customers(context: Context, browser: Browser, world: World) -> None:
    rule = {"segment-0-field": "country", "segment-0-sign": "is", "segment-0-text": "AT, CH"}
    leave = {"exclude-0-field": "country", "exclude-0-sign": "is", "exclude-0-text": "DE"}
    shown = send(browser, world, "audience", {**ROWS, **rule, **leave}, action="check").text
    assert "fits <strong>0</strong> of 6" in shown
    assert "It leaves 6 alone" in shown
    assert "Only by default" in shown
    send(browser, world, "audience", {**ROWS, **rule, **leave})
    segment = newest(context, world)[1].segment
    assert segment is not None
    assert segment.parts()[0].country == ("AT", "CH")


def test_mails_are_added_changed_and_taken_out(context: Context, browser: Browser, world: World) -> None:
    page = fields_of(browser.get(f"/campaigns/{world.campaign_id}/edit/messages").text)
    form = page | {
        "messages-1-gone": "yes",
        "messages-2-days": "8.5",
        "messages-2-decline_classes": ["soft_timed", "soft_fast"],
        "messages-5-key": "promise",
        "messages-5-days": "0",
        "messages-5-when": "promise_broken",
        "messages-5-variants": "a, b",
    }
    send(browser, world, "messages", form)
    messages = {message.key: message for message in newest(context, world)[1].messages}
    assert "reminder_1" not in messages
    assert messages["reminder_2"].days == 8.5
    assert messages["reminder_2"].decline_classes == ("soft_timed", "soft_fast")
    assert (messages["promise"].on, messages["promise"].variants) == ("promise_broken", ("a", "b"))


def test_an_end_and_offers_are_set(context: Context, browser: Browser, world: World) -> None:
    send(browser, world, "ending", {"kind": "downgrade", "prices": "usd price_1\nEUR: price_2", "debt": "void"})
    final = newest(context, world)[1].final_action
    assert (final.kind, final.prices) == (FinalActionKind.DOWNGRADE, {"usd": "price_1", "eur": "price_2"})
    offers = {**CONTACT, "pick_a_day": "yes", "pause_months": "2", "smaller_prices": "usd price_3", "version": "2"}
    send(browser, world, "contact", offers)
    page = newest(context, world)[1].page
    assert (page.pick_a_day, page.pay_now) == (True, False)
    assert [offer.kind for offer in page.retention] == ["pause", "downgrade"]


def test_each_offer_says_what_becomes_of_the_open_invoice(context: Context, browser: Browser, world: World) -> None:
    page = PageOffers(retention=(RetentionOffer(kind="pause", months=2, debt=DebtAfterwards.VOID),))
    content = newest(context, world)[1].model_copy(update={"page": page})
    with context.database.organization(world.organization_id) as session:
        slug, name, now = world.mark.lower(), world.mark, context.clock.now()
        add_version(session, slug=slug, name=name, definition=content, is_default=True, now=now, by="a file")
    shown = fields_of(browser.get(f"/campaigns/{world.campaign_id}/edit/contact").text)
    assert [shown[name] for name in OFFER_DEBTS.values()] == ["void", "keep", "keep"]
    form = {**shown, "cancel": "yes", "cancel_debt": "mark_uncollectible", "smaller_prices": "usd price_3"}
    send(browser, world, "contact", form)
    offers = newest(context, world)[1].page.retention
    told = [(offer.kind, offer.debt.value) for offer in offers]
    assert told == [("pause", "void"), ("downgrade", "keep"), ("cancel", "mark_uncollectible")]


def test_a_debt_that_no_form_has_is_refused(context: Context, browser: Browser, world: World) -> None:
    answer = send(browser, world, "contact", {**CONTACT, "cancel": "yes", "cancel_debt": "forget"})
    assert (answer.status_code, newest(context, world)[0]) == (422, 1)
    assert "forget" in answer.text


def test_what_a_colleague_saved_meanwhile_is_not_overwritten(context: Context, browser: Browser, world: World) -> None:
    send(browser, world, "retries", {**RETRIES, "window_days": "40"})
    answer = send(browser, world, "retries", {**RETRIES, "window_days": "50"})
    assert answer.status_code == 409
    assert "saved version 2, where this is “40”." in answer.text
    assert 'value="50"' in answer.text
    assert newest(context, world)[1].window_days == 40
    insists = {**fields_of(answer.text), "window_days": "50"}
    assert "Saved as version 3" in send(browser, world, "retries", insists).text
    assert newest(context, world)[1].window_days == 50


def test_changes_of_two_people_that_touch_different_things_both_stand(
    context: Context, browser: Browser, world: World
) -> None:
    send(browser, world, "retries", {**RETRIES, "window_days": "40"})
    form = {**RETRIES, "grace_days": "3"}
    shown = send(browser, world, "retries", form, action="check").text
    assert "Your changes come on top of it" in shown
    assert "window_days" not in shown.split("What changes")[1].split("</section>")[0]
    assert "Saved as version 3" in send(browser, world, "retries", form).text
    definition = newest(context, world)[1]
    assert (definition.window_days, definition.grace_days) == (40, 3)


def test_campaigns_are_added_ordered_and_archived(context: Context, browser: Browser, world: World) -> None:
    slug = world.mark.lower()
    answer = browser.post("/campaigns", {"slug": "vip", "name": "VIPs", "copy": slug}, follow_redirects=True)
    assert "Say for whom it is" in answer.text
    vip = campaign_row(context, world, "vip")
    browser.post(f"/campaigns/{vip.id}/place", {"to": "earlier"})
    assert [campaign_row(context, world, each).position for each in ("vip", slug)] == [1, 2]
    refused = browser.post(f"/campaigns/{world.campaign_id}/archive", follow_redirects=True)
    assert "make another campaign the default first" in refused.text
    browser.post(f"/campaigns/{vip.id}/default")
    assert campaign_row(context, world, "vip").is_default
    archived = browser.post(f"/campaigns/{world.campaign_id}/archive", follow_redirects=True)
    assert "No new case comes to it" in archived.text
    browser.post(f"/campaigns/{world.campaign_id}/bring-back")
    assert campaign_row(context, world, slug).archived_at is None
    browser.post(f"/campaigns/{vip.id}/rename", {"name": "Dear friends"})
    assert "Dear friends" in browser.get("/campaigns").text


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"slug": "V I P", "name": "x"}, "slug:"),
        ({"slug": "vip", "name": ""}, "name:"),
        ({"slug": "", "name": ""}, "slug:"),
    ],
)
def test_a_campaign_without_a_proper_name_is_refused(browser: Browser, form: dict[str, str], told: str) -> None:
    answer = browser.post("/campaigns", form, follow_redirects=True)
    assert "Not done" in answer.text
    assert told in answer.text


def test_a_short_name_that_is_taken_is_refused(browser: Browser, world: World) -> None:
    answer = browser.post("/campaigns", {"slug": world.mark.lower(), "name": "Again"}, follow_redirects=True)
    assert "choose another short name" in answer.text


def test_running_cases_are_moved_after_a_look(context: Context, browser: Browser, world: World) -> None:
    send(browser, world, "retries", {**RETRIES, "window_days": "60"})
    look = browser.get(f"/campaigns/{world.campaign_id}/move?version=1").text
    assert "3 of 3 cases can be moved" in look
    form = {"version": "1", "to": "2", "target": world.mark.lower()}
    answer = browser.post(f"/campaigns/{world.campaign_id}/move", form, follow_redirects=True)
    assert "3 moved to version 2" in answer.text
    page = browser.get(f"/cases/{world.case_ids[CaseState.WAITING]}").text
    assert f"{world.mark} Mia moved the case from {world.mark} campaign, version 1" in page


def test_one_case_is_moved_to_another_campaign(context: Context, browser: Browser, world: World, now: datetime) -> None:
    with context.database.organization(world.organization_id) as session:
        annual = add_version(
            session, slug="annual", name="Annual", definition=ANNUAL, is_default=False, now=now, by="x"
        )
        target_id = annual.id
    case_id = world.case_ids[CaseState.NEEDS_CUSTOMER]
    form = {"version": "1", "to": "1", "target": "annual", "case": str(case_id)}
    browser.post(f"/campaigns/{world.campaign_id}/move", form)
    with context.database.organization(world.organization_id) as session:
        on = session.scalars(select(RecoveryCase.id).where(RecoveryCase.campaign_version_id == target_id)).all()
    assert on == [case_id]


def test_a_customer_is_tagged_and_left_alone_from_their_cases_page(
    context: Context, browser: Browser, world: World
) -> None:
    case_id = world.case_ids[CaseState.NEEDS_CUSTOMER]
    answer = browser.post(f"/cases/{case_id}/tags", {"tags": "vip, Beta "}, follow_redirects=True)
    assert "The tags are saved" in answer.text
    assert ">Beta</span>" in answer.text
    refused = browser.post(f"/cases/{case_id}/snooze-customer", {"until": "soon"}, follow_redirects=True)
    assert "choose the day on which it is over" in refused.text
    refused = browser.post(f"/cases/{case_id}/snooze-customer", {"until": "2001-01-01"}, follow_redirects=True)
    assert "a day after today" in refused.text
    with context.database.organization(world.organization_id) as session:
        case = session.get_one(RecoveryCase, case_id)
        assert session.get_one(Customer, case.customer_id).tags == ["Beta", "vip"]
        assert not session.scalars(
            select(Hold).where(Hold.customer_id == case.customer_id, Hold.case_id.is_(None))
        ).all()


def test_coverage_and_the_file_of_all_campaigns_are_shown(browser: Browser, world: World) -> None:
    page = browser.get("/campaigns/coverage").text
    assert f"{world.mark} Team" in page
    assert "none falls to the default" in page
    file = browser.get("/campaigns/export")
    assert file.headers["Content-Disposition"].endswith('"campaigns.yaml"')
    assert f"slug: {world.mark.lower()}" in file.text


def test_an_analyst_reads_everything_and_changes_nothing(
    app: Flask, context: Context, world: World, now: datetime
) -> None:
    reader = enter(app, context, add_member(context.database, world, Role.ANALYST, now, "Ana"))
    assert reader.get(f"/campaigns/{world.campaign_id}").status_code == 200
    assert send(reader, world, "retries", {**RETRIES, "window_days": "60"}).status_code == 403
    with context.database.organization(world.organization_id) as session:
        assert len(session.scalars(select(CampaignVersion)).all()) == 1


def fields_of(page: str) -> dict[str, Any]:
    """What a browser would send of a page's editor, with nothing changed."""
    reader = _Fields()
    reader.feed(page)
    return reader.fields


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, Any] = {}
        self.select: str | None = None
        self.area: str | None = None
        self.is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self.is_inside = given.get("id") == "form"
        elif not self.is_inside or name == "csrf_token":
            return
        elif tag == "input" and name:
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                self.fields[name] = value
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and (self.select not in self.fields or "selected" in given):
            self.fields[self.select] = value
        elif tag == "textarea":
            self.area, self.fields[name] = name, ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = None
        elif tag == "form":
            self.is_inside = False

    def handle_data(self, data: str) -> None:
        if self.area:
            self.fields[self.area] += data
