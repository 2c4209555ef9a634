"""One conversation with each person, from first failure to outcome: contacts, zones, promises, variants."""

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.campaigns.definition import CampaignDefinition, MessageStep
from app.messages import recipients, suppression
from app.messages.words import SuppressedBecause
from app.models import Customer, Message, RecoveryCase
from app.recovery import cases, promises
from app.vocabulary import CaseState, MessageState
from tests.stage import LADDER, Stage

DAY = timedelta(days=1)


def sent(stage: Stage, invoice: str) -> list[tuple[str, str | None]]:
    """Kind and recipient of every mail that left, in order."""
    left = [mail for mail in stage.messages(invoice) if mail.accepted_at]
    return [(mail.kind, mail.recipient) for mail in sorted(left, key=lambda mail: (mail.claimed_at, mail.recipient))]


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Berlin", "Asia/Tokyo"])
@pytest.mark.long
def test_every_mail_of_a_case_leaves_by_day_where_its_reader_lives(stage: Stage, zone: str) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com", timezone=zone)
    invoice = stage.fail(robin["customer"], *["generic_decline"] * 12)
    stage.advance(days=27)
    left = [mail for mail in stage.messages(invoice) if mail.accepted_at]
    assert len(left) >= 4
    assert all(8 <= mail.claimed_at.astimezone(ZoneInfo(zone)).hour < 21 for mail in left)
    gaps = [after.claimed_at - before.claimed_at for before, after in pairwise(left)]
    assert min(gaps) >= timedelta(hours=20)


def test_two_failed_invoices_are_one_conversation_until_one_of_them_is_paid(stage: Stage) -> None:
    kim = stage.customer(name="Kim", email="kim@example.com")
    first = stage.fail(kim["customer"], *["generic_decline"] * 20)
    second = stage.fail(kim["customer"], *["generic_decline"] * 20)
    stage.advance(days=8)
    assert len(sent(stage, first)) + len(sent(stage, second)) == 3
    quiet = [mail for mail in stage.messages(second) + stage.messages(first) if mail.reason == "named_elsewhere"]
    assert len(quiet) == 3
    told = next(mail for mail in stage.rows(Message) if mail.accepted_at)
    assert (told.text_body or "").count("$49.00") >= 2


def test_contacts_get_the_mails_too_each_by_a_state_of_their_own(stage: Stage) -> None:
    lou = stage.customer(name="Lou", email="lou@example.com", metadata={"billing_contacts": "books@partner.example"})
    with stage.context.database.organization(stage.organization_id) as session:
        suppression.suppress(session, "lou@example.com", SuppressedBecause.BOUNCED, stage.now)
    invoice = stage.fail(lou["customer"], "expired_card")
    with stage.context.database.organization(stage.organization_id) as session:
        customer = session.scalars(select(Customer).where(Customer.stripe_id == lou["customer"])).one()
        recipients.add(session, customer, "cfo@partner.example", by="Sam", now=stage.now)
    assert sent(stage, invoice) == [("payment_failed", "books@partner.example")]
    stage.advance(days=3)
    reminded = [("reminder", "books@partner.example"), ("reminder", "cfo@partner.example")]
    assert sorted(sent(stage, invoice)[1:], key=str) == reminded
    reasons = {mail.reason for mail in stage.messages(invoice) if mail.addressee is None and mail.state == "skipped"}
    assert reasons == {"suppressed"}


def promise(stage: Stage, invoice: str, days: int) -> None:
    """The customer picks the day so many days from now."""
    with stage.context.database.organization(stage.organization_id) as session:
        case = cases.lock_case(session, stage.case(invoice).id)
        promises.make(session, case, (stage.now + days * DAY).date(), stage.now)


def test_a_chosen_day_is_confirmed_kept_quiet_and_its_passing_told_once(stage: Stage) -> None:
    max_ = stage.customer(name="Max", email="max@example.com", timezone="Asia/Tokyo")  # midnight there
    stage.use_campaign(LADDER)
    invoice = stage.fail(max_["customer"], *["insufficient_funds"] * 12)
    promise(stage, invoice, 4)
    day = (stage.now + 4 * DAY).date()
    stage.advance(minutes=1)
    assert sent(stage, invoice) == [("promise_confirmed", "max@example.com")]
    confirmed = stage.messages(invoice)[0]
    assert (stage.now + 4 * DAY).strftime("%A") in (confirmed.text_body or "")
    stage.advance(days=3)
    assert len(sent(stage, invoice)) == 1
    stage.advance(days=2)
    assert [kind for kind, _ in sent(stage, invoice)].count("promise_broken") == 1
    told = [entry.summary for entry in stage.timeline(invoice) if entry.name == "promise_broken"]
    assert told == [f"The promise to pay on {day} was not kept."]
    stage.advance(days=6)
    assert [kind for kind, _ in sent(stage, invoice)].count("promise_broken") == 1


@pytest.mark.long
def test_a_chosen_day_on_which_the_money_came_is_not_told_as_broken(stage: Stage) -> None:
    nia = stage.customer(name="Nia", email="nia@example.com")
    stage.use_campaign(LADDER)
    invoice = stage.fail(nia["customer"], "insufficient_funds", "approve")
    promise(stage, invoice, 3)
    stage.advance(days=5)
    assert stage.case(invoice).state is CaseState.RECOVERED
    assert [kind for kind, _ in sent(stage, invoice)] == ["promise_confirmed", "recovered"]


@pytest.mark.long
def test_wordings_are_drawn_by_lot_for_each_customer_and_kept_with_the_mail(stage: Stage) -> None:
    step = MessageStep(key="first", kind="payment_failed", days=0, variants=("a", "b"))
    again = MessageStep(key="again", kind="reminder", days=3, variants=("a", "b"))
    stage.use_campaign(CampaignDefinition(messages=(step, again)))
    made = [stage.customer(name=f"Lot {number}", email=f"lot{number}@example.com") for number in range(6)]
    invoices = [stage.fail(one["customer"], "expired_card") for one in made]
    first = [stage.messages(invoice)[0].variant for invoice in invoices]
    assert set(first) <= {"a", "b"}
    assert all(mail.state is MessageState.DELIVERED for invoice in invoices for mail in stage.messages(invoice))
    with stage.context.database.organization(stage.organization_id) as session:
        ids = {case.id: case.customer_id for case in session.scalars(select(RecoveryCase))}
    assert len(set(ids.values())) == 6


def test_one_day_chosen_for_two_invoices_passes_in_one_mail(stage: Stage) -> None:
    oda = stage.customer(name="Oda", email="oda@example.com", timezone="Asia/Tokyo")
    stage.use_campaign(LADDER)
    invoices = [stage.fail(oda["customer"], *["insufficient_funds"] * 12) for _ in range(2)]
    for invoice in invoices:
        promise(stage, invoice, 3)
    stage.advance(days=6)
    broken = [mail for mail in stage.rows(Message) if mail.kind == "promise_broken" and mail.accepted_at]
    assert len(broken) == 1
    assert "$98.00" in (broken[0].text_body or "")
