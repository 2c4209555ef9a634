"""The editor of mails: what is typed, refused, kept, looked at, taken back; and that a customer's mail says it."""

import re
from datetime import datetime
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import delete, func, select

from app.campaigns.definition import MONTHLY
from app.context import Context
from app.models import AuditEntry, MailWording, Message, User
from app.recovery.campaigns import add_version
from app.vocabulary import Role
from emails.wording import ours, split_key
from tests.integration.console.conftest import Browser, enter
from tests.integration.console.world import World, add_member, make_world

HEADING = "reminder.heading"
OURS = "Your payment is still open"


@pytest.fixture(autouse=True)
def nothing_of_ones_own(context: Context, world: World) -> None:
    with context.database.organization(world.organization_id) as session:
        session.execute(delete(MailWording))


def form(
    key: str = HEADING, text: str = "A nudge for {product}", was: str = "", language: str = "en", **more: str
) -> dict[str, str]:
    """A form in which one text was touched; what stood in the field is ours, if nothing else is said."""
    stood = was or ours(language, (split_key(key) or ("", None))[0])[0]
    return {"language": language, f"text:{key}": text, f"was:{key}": stood} | more


def texts(context: Context, world: World) -> dict[tuple[str, str], str]:
    with context.database.organization(world.organization_id) as session:
        return {(row.language, row.key): row.text for row in session.scalars(select(MailWording))}


def test_a_text_that_was_saved_is_marked_and_said_in_the_preview(
    browser: Browser, context: Context, world: World
) -> None:
    answer = browser.post("/mails/reminder", form(action="save"))
    assert answer.status_code == 303
    assert texts(context, world) == {("en", HEADING): "A nudge for {product}"}
    page = browser.get(answer.location)
    assert "A nudge for {product}" in page.text
    assert "yours" in page.text
    assert "A nudge for Fernweh Pro" in browser.get("/mails/reminder/preview?language=en").text
    assert "1</strong>" in browser.get("/mails").text


def test_a_broken_text_is_refused_with_all_that_is_wrong_and_stays_in_its_field(
    browser: Browser, context: Context, world: World
) -> None:
    answer = browser.post("/mails/final_notice", form("final_notice.what.cancel_now", "Soon for {prodct}"))
    said = unescape(answer.text)
    assert answer.status_code == 422
    assert "Nothing here is called {prodct}; this text may use" in said
    assert "The text must say {final_date}" in said
    assert "Soon for {prodct}" in said
    assert texts(context, world) == {}


def test_a_text_as_ours_or_an_empty_one_is_ours(browser: Browser, context: Context, world: World) -> None:
    browser.post("/mails/reminder", form())
    browser.post("/mails/reminder", form(text=OURS, was="A nudge for {product}"))
    assert texts(context, world) == {}
    browser.post("/mails/reminder", form())
    browser.post("/mails/reminder", form(text="", was="A nudge for {product}"))
    assert texts(context, world) == {}


def test_a_field_that_nobody_touched_does_not_undo_what_a_colleague_saved(
    browser: Browser, context: Context, world: World
) -> None:
    browser.post("/mails/reminder", form(text="A colleague's"))
    both = form(text=OURS) | form("reminder.preheader", "In a minute")
    browser.post("/mails/reminder", both)
    assert texts(context, world) == {("en", HEADING): "A colleague's", ("en", "reminder.preheader"): "In a minute"}


def test_who_changes_what_a_colleague_changed_meanwhile_is_told_and_may_insist(
    browser: Browser, context: Context, world: World
) -> None:
    browser.post("/mails/reminder", form(text="A colleague's"))
    refused = browser.post("/mails/reminder", form(text="Mine"))
    assert refused.status_code == 422
    assert "It says now: “A colleague's”" in unescape(refused.text)
    was = re.search(r'name="was:reminder.heading" value="([^"]*)"', refused.text)
    assert was
    assert unescape(was[1]) == "A colleague's"
    browser.post("/mails/reminder", form(text="Mine", was="A colleague's"))
    assert texts(context, world)["en", HEADING] == "Mine"


def test_looking_at_another_case_keeps_what_was_typed(browser: Browser, context: Context, world: World) -> None:
    key = "reminder.what.unknown"
    page = browser.post("/mails/reminder", form(key, "Typed, not saved", action="look", state="no_funds"))
    assert page.status_code == 200
    assert "Typed, not saved" in page.text
    assert f"text:{key}" in page.text
    assert texts(context, world) == {}


def test_the_preview_says_what_was_typed_and_saves_nothing(browser: Browser, context: Context, world: World) -> None:
    shown = browser.post("/mails/reminder/preview", form(text="Only looked at", mode="dark", state="several"))
    assert "Only looked at" in shown.text
    assert "@media all" in shown.text
    assert "prefers-color-scheme" not in shown.text
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert "script-src" not in shown.headers["Content-Security-Policy"]
    assert texts(context, world) == {}


def test_the_preview_of_a_broken_text_says_ours_and_which(browser: Browser) -> None:
    shown = browser.post("/mails/reminder/preview", form(text="A nudge for {nobody}"))
    assert OURS in shown.text
    assert "Ours is said in place of Heading" in shown.text


def test_a_test_mail_goes_to_oneself_alone_and_is_no_message(
    browser: Browser, context: Context, world: World, owner: User
) -> None:
    folder = context.settings.home / "outbox"
    with context.database.organization(world.organization_id) as session:
        before = session.scalar(select(func.count(Message.id)))
    answer = browser.post("/mails/reminder", form(text="Just for me", action="test", to="somebody@else.example"))
    assert answer.status_code == 200
    assert "A test went" in answer.text
    assert "Just for me" in answer.text
    mail = max(folder.glob("*.eml"), key=lambda file: file.stat().st_mtime_ns).read_text()
    assert f"To: {owner.email}" in mail
    assert "somebody@else.example" not in mail
    assert "Subject: [Test] " in mail
    assert "/mails/reminder" in mail.replace("=\n", "")
    with context.database.organization(world.organization_id) as session:
        assert session.scalar(select(func.count(Message.id))) == before
    assert texts(context, world) == {}


def test_test_mails_are_rationed(browser: Browser) -> None:
    answers = [browser.post("/mails/recovered", {"language": "en", "action": "test"}).text for _ in range(11)]
    assert "sent yourself 10 tests" in answers[-1]


def test_a_change_can_be_taken_back_and_everything_is_in_the_audit(
    browser: Browser, context: Context, world: World
) -> None:
    browser.post("/mails/reminder", form(text="First"))
    browser.post("/mails/reminder", form(text="Second", was="First"))
    page = browser.get("/mails/history?kind=reminder&language=en")
    newest = re.search(r"/mails/history/(\d+)/back", page.text)
    assert newest
    assert "Second" in page.text
    assert "First" in page.text
    browser.post(newest[0])
    assert texts(context, world)["en", HEADING] == "First"
    with context.database.organization(world.organization_id) as session:
        entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert (entry.action, entry.data["why"]) == ("mail_texts.changed", "back")
    assert entry.data["texts"][HEADING] == {"before": "Second", "after": "First"}
    assert "Mail texts" in browser.get("/audit").text


def test_a_reset_asks_first_and_takes_one_language_of_one_mail(
    browser: Browser, context: Context, world: World
) -> None:
    browser.post("/mails/reminder", form())
    browser.post("/mails/reminder", form(language="de"))
    browser.post("/mails/recovered", form("recovered.heading", "Thanks"))
    assert "A nudge for {product}" in browser.get("/mails/reminder/reset?language=en").text
    browser.post("/mails/reminder/reset", {"language": "en"})
    assert set(texts(context, world)) == {("de", HEADING), ("en", "recovered.heading")}


def test_a_variant_is_added_worded_renamed_and_removed(browser: Browser, context: Context, world: World) -> None:
    added = browser.post("/mails/reminder/variants", {"language": "en", "name": "b", "action": "add"})
    assert "variant=b" in added.location
    browser.post("/mails/reminder", form("reminder@b.heading", "Another heading", variant="b"))
    page = browser.get("/mails/reminder?variant=b")
    assert "Another heading" in page.text
    assert "no step names it" in page.text
    assert OURS in browser.get("/mails/reminder/preview").text
    assert "Another heading" in browser.get("/mails/reminder/preview?variant=b").text
    browser.post("/mails/reminder/variants", {"language": "en", "variant": "b", "name": "c", "action": "rename"})
    assert texts(context, world) == {("en", "reminder@c.heading"): "Another heading"}
    browser.post("/mails/reminder/variants", {"language": "en", "variant": "c", "action": "remove"})
    assert texts(context, world) == {}


def test_a_variant_says_which_step_sends_it(browser: Browser, context: Context, world: World, now: datetime) -> None:
    steps = tuple(
        step.model_copy(update={"variants": ("a", "b")}) if step.kind == "reminder" else step
        for step in MONTHLY.messages
    )
    with context.database.organization(world.organization_id) as session:
        worded = MONTHLY.model_copy(update={"messages": steps})
        add_version(session, slug="worded", name="Worded", definition=worded, is_default=False, now=now, by="Ann")
    browser.post("/mails/reminder", form("reminder@b.heading", "Another heading", variant="b"))
    page = browser.get("/mails/reminder").text
    assert page.count("Worded</a>, step") >= 2
    assert "none: goes out as usual" in page
    assert "no step names it" not in page
    assert "Variants" not in browser.get("/mails/recovered").text


def test_a_variant_cannot_take_the_name_of_another_one(browser: Browser, context: Context, world: World) -> None:
    for name in "ab":
        browser.post("/mails/reminder", form(f"reminder@{name}.heading", f"Heading {name}", variant=name))
    browser.post("/mails/reminder/variants", {"language": "en", "variant": "a", "name": "b", "action": "rename"})
    assert texts(context, world)["en", "reminder@b.heading"] == "Heading b"
    refused = browser.post("/mails/reminder/variants", {"language": "en", "name": "B!", "action": "add"})
    assert "small letters" in browser.get(refused.location).text


def test_a_text_gone_bad_is_told_in_the_console_and_ours_is_said(
    browser: Browser, context: Context, world: World, now: datetime
) -> None:
    with context.database.organization(world.organization_id) as session:
        session.add(
            MailWording(organization_id=world.organization_id, language="en", key=HEADING, text="Of {yesteryear}",
                        changed_at=now, changed_by="by hand")
        )  # fmt: skip
    assert "1 mail text of yours not said" in browser.get("/").text
    assert "{yesteryear}" in unescape(browser.get("/mails").text)
    assert "to mend" in browser.get("/mails/reminder?language=en").text
    assert OURS in browser.get("/mails/reminder/preview?language=en").text


def test_an_analyst_reads_and_changes_nothing(app: Flask, context: Context, world: World, now: datetime) -> None:
    reader = enter(app, context, add_member(context.database, world, Role.ANALYST, now))
    page = reader.get("/mails/reminder")
    assert page.status_code == 200
    assert "Send a test" not in page.text
    assert 'name="action" value="save"' not in page.text
    assert reader.get("/branding").status_code == 200
    for path in ("/mails/reminder", "/mails/reminder/reset", "/mails/reminder/variants", "/branding", "/branding/logo"):
        assert reader.post(path, form()).status_code == 403, path
    assert texts(context, world) == {}


@pytest.mark.parametrize("address", ["/mails/no_such", "/mails/reminder?language=xx", "/mails/reminder?variant=A%20b"])
def test_what_does_not_exist_is_not_found(browser: Browser, address: str) -> None:
    assert browser.get(address).status_code == 404


def test_a_change_of_another_organization_cannot_be_taken_back(
    app: Flask, browser: Browser, context: Context, now: datetime
) -> None:
    other = make_world(context.database, "Capella", now)
    stranger = enter(app, context, add_member(context.database, other, Role.OWNER, now))
    stranger.post("/mails/reminder", form(text="Capella's own"))
    page = stranger.get("/mails/history")
    theirs = re.search(r"/mails/history/(\d+)/back", page.text)
    assert theirs
    assert browser.post(theirs[0]).status_code == 404
    assert "Capella" not in browser.get("/mails/history").text
    assert "Capella" not in browser.get("/mails/reminder").text
