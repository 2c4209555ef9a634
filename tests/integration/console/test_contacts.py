"""Who gets a customer's mails, changed by a person; what is told before anything fails; whether Stripe writes, too."""

import re

from sqlalchemy import select

from app.context import Context
from app.messages import recipients, suppression
from app.messages.notices import settings_of
from app.messages.words import SuppressedBecause
from app.models import AuditEntry, Connection, Customer, Organization
from app.vocabulary import Role
from tests.integration.console.conftest import Browser, enter
from tests.integration.console.world import World, add_member


def addresses(context: Context, world: World) -> list[tuple[str, bool]]:
    with context.database.organization(world.organization_id) as session:
        customer = session.get_one(Customer, world.customer_id)
        return [(one.address, one.is_main) for one in recipients.contacts_of(session, customer)]


def change(browser: Browser, world: World, act: str, address: str) -> str:
    path = f"/customers/{world.customer_id}"
    assert browser.post(f"{path}/contacts", {"act": act, "address": address}).status_code == 303
    return browser.get(path).text


def test_a_contact_is_added_put_first_and_taken_away_again(browser: Browser, context: Context, world: World) -> None:
    first = addresses(context, world)[0][0]
    page = change(browser, world, "add", "books@partner.example")
    assert "This address gets the mails, too." in page
    assert addresses(context, world) == [(first, True), ("books@partner.example", False)]
    assert "This address gets the mails, too." not in change(browser, world, "add", first.upper())
    change(browser, world, "main", "books@partner.example")
    assert addresses(context, world) == [("books@partner.example", True)]  # Stripe's own is replaced, not copied
    change(browser, world, "remove", "books@partner.example")
    assert addresses(context, world) == [(first, True)]


def test_what_is_no_address_is_refused_with_how_to_write_one(browser: Browser, context: Context, world: World) -> None:
    before = addresses(context, world)
    assert "write it like name@example.com" in change(browser, world, "add", "nobody")
    assert addresses(context, world) == before
    path = f"/customers/{world.customer_id}/contacts"
    assert browser.post(path, {"act": "surprise", "address": "a@b.example"}).status_code == 400


def test_an_address_is_silenced_and_opened_again_and_both_are_audited(
    browser: Browser, context: Context, world: World
) -> None:
    first = addresses(context, world)[0][0]
    assert "Never write to this address" in change(browser, world, "again", first)
    page = change(browser, world, "silence", first)
    assert "operator" in page
    with context.database.organization(world.organization_id) as session:
        assert suppression.find_reason(session, first) is SuppressedBecause.OPERATOR
    change(browser, world, "again", first)
    with context.database.organization(world.organization_id) as session:
        assert suppression.find_reason(session, first) is None
        audited = session.scalars(select(AuditEntry).where(AuditEntry.action.like("customer.address%"))).all()
    assert {entry.action for entry in audited} == {"customer.address_silenced", "customer.address_opened"}
    assert not any(first in str(entry.data) for entry in audited)


def test_an_address_that_is_none_of_this_customers_is_not_touched(
    browser: Browser, context: Context, world: World
) -> None:
    change(browser, world, "silence", "stranger@elsewhere.example")
    with context.database.organization(world.organization_id) as session:
        assert suppression.find_reason(session, "stranger@elsewhere.example") is None


def test_contacts_in_stripes_metadata_are_shown_and_cannot_be_taken_away_here(
    browser: Browser, context: Context, world: World
) -> None:
    with context.database.organization(world.organization_id) as session:
        session.get_one(Customer, world.customer_id).stripe_metadata = {"billing_contacts": "a@x.example; B@x.example"}
    assert [address for address, is_main in addresses(context, world) if not is_main] == ["a@x.example", "B@x.example"]
    page = change(browser, world, "remove", "a@x.example")
    assert "It was like this already." in page
    assert "a@x.example" in page


NOTICES = {"card_expiring": "on", "card_days": "21", "due_soon_days": "0", "overdue_days": "9, 2, 9"}


def test_notices_are_kept_as_chosen(browser: Browser, context: Context, world: World) -> None:
    assert browser.post("/mail-settings", NOTICES).status_code == 303
    with context.database.organization(world.organization_id) as session:
        chosen = settings_of(session.get_one(Organization, world.organization_id))
    assert (chosen.card_expiring, chosen.card_days, chosen.invoices, chosen.on_due_date) == (True, 21, False, False)
    assert (chosen.due_soon_days, chosen.overdue_days) == (0, (2, 9))
    page = browser.get("/mail-settings").text
    assert re.search(r'name="overdue_days"[^>]*value="2, 9"', page)


def test_days_that_cannot_be_are_named_and_nothing_is_lost(browser: Browser, context: Context, world: World) -> None:
    browser.post("/mail-settings", NOTICES)
    page = browser.post("/mail-settings", NOTICES | {"card_days": "900", "due_soon_days": "7", "overdue_days": "soon"})
    assert page.status_code == 422
    assert re.search(r'name="card_days"[^>]*value="900"[^>]*> <span class="bad"[^>]*>Has to be at most 45.', page.text)
    assert re.search(r'name="due_soon_days"[^>]*value="7"', page.text)
    assert re.search(r'name="overdue_days"[^>]*value="soon"[^>]*> <span class="bad"[^>]*>Has to be', page.text)
    with context.database.organization(world.organization_id) as session:
        assert settings_of(session.get_one(Organization, world.organization_id)).card_days == 21


def test_it_is_said_whether_stripe_writes_too(browser: Browser, context: Context, world: World) -> None:
    path = f"/connections/{world.connection_id}/stripe-mails"
    for wanted in ("on", "off"):
        browser.post(path, {"stripe_mails": wanted})
        with context.database.organization(world.organization_id) as session:
            assert session.get_one(Connection, world.connection_id).stripe_mails == (wanted == "on")


def test_an_analyst_sees_all_of_it_and_changes_nothing(browser: Browser, context: Context, world: World) -> None:
    analyst = enter(
        browser.client.application, context, add_member(context.database, world, Role.ANALYST, context.clock.now())
    )
    assert analyst.get(f"/customers/{world.customer_id}").status_code == 200
    assert "Write to it, too" not in analyst.get(f"/customers/{world.customer_id}").text
    assert analyst.post("/mail-settings", NOTICES).status_code == 403
