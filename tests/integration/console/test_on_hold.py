"""While a hold lasts, the console says what is really next: not the step that it stops."""

from datetime import datetime, timedelta
from uuid import UUID

from flask import Flask

from app.context import Context
from app.models import Hold, PaymentMethod, RecoveryCase, User
from app.vocabulary import CaseState, HoldKind
from tests.integration.console.conftest import Browser, enter
from tests.integration.console.world import World


def put_on_hold(context: Context, world: World, kind: HoldKind, until: datetime | None, now: datetime) -> UUID:
    """A hold on everything of the customer who waits; the case's id."""
    with context.database.organization(world.organization_id) as session:
        case = session.get_one(RecoveryCase, world.case_ids[CaseState.WAITING])
        terms = {"kind": kind, "key": str(kind), "reason": "They asked their bank.", "created_by": "test"}
        terms |= {"begins_at": now, "until": until, "organization_id": case.organization_id}
        session.add(Hold(customer_id=case.customer_id, **terms))
        return case.id


def test_a_hold_that_ends_before_the_next_step_changes_nothing_about_it(browser: Browser, world: World) -> None:
    page = browser.get(f"/cases/{world.case_ids[CaseState.WAITING]}").text
    assert "<strong>Next:</strong> Try the card" in page


def test_a_longer_hold_is_what_is_next_and_a_dispute_longer_than_any(
    context: Context, browser: Browser, world: World, now: datetime
) -> None:
    case_id = put_on_hold(context, world, HoldKind.SNOOZE, now + timedelta(days=5), now)
    page = browser.get(f"/cases/{case_id}").text
    assert "<strong>Next:</strong> the case waits until <time" in page
    assert "On hold until <time" in browser.get("/cases?state=waiting").text
    put_on_hold(context, world, HoldKind.DISPUTE, None, now)
    page = browser.get(f"/cases/{case_id}").text
    assert "the case waits until the dispute is settled; before that nothing is tried, written or ended." in page
    row = browser.get("/cases?state=waiting").text
    assert "In dispute" in row
    assert 'data-label="Next step"><span class="quiet">On hold</span>' in row


def test_a_brand_is_written_as_it_writes_itself(app: Flask, context: Context, owner: User, world: World) -> None:
    with context.database.organization(world.organization_id) as session:
        for card in session.query(PaymentMethod):
            card.brand = "amex"
    page = enter(app, context, owner).get(f"/cases/{world.case_ids[CaseState.WAITING]}").text
    assert "American Express ending in" in page
