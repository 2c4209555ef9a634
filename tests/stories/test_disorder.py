"""Events late, first, twice and in any order: a case ends in the same state, because Stripe is asked and not the event.

Several invoices live through real stories in one organization. What Stripe told on the way is then told to other
organizations on the same account, shuffled and repeated by hypothesis, and all of them must know the same in the end.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.accounts.users import create_organization
from app.campaigns.definition import CampaignDefinition, FinalActionSettings, RetrySettings
from app.inbox import processing
from app.models import ChargeAttempt, Connection, Customer, Hold, InboxEvent, Invoice, RecoveryCase, Subscription
from app.recovery.campaigns import add_defaults
from app.vocabulary import CaseState, ConnectionMode, ConnectionStatus, FinalActionKind, InboxState
from tests.stage import SANDBOX_KEY, Stage

Doc = dict[str, Any]
SECRET = "whsec_of_the_listeners"
SHORT = CampaignDefinition(
    window_days=3,
    retries=RetrySettings(timing="ladder", ladder_days=(1,)),
    final_action=FinalActionSettings(kind=FinalActionKind.CANCEL_NOW),
)
KNOWN_OF_INVOICE = ("status", "amount_due", "amount_paid", "amount_remaining", "attempt_count", "paid_out_of_band")
KNOWN_OF_CASE = ("state", "decline_class", "customer_reason", "amount_due", "currency", "failed_at")
KNOWN_OF_END = ("recovered_amount", "recovered_by", "recovered_at", "stop_reason", "new_card_id")
KNOWN_OF_ATTEMPT = ("charge_id", "source", "state", "amount", "signals", "started_at", "fingerprint", "reached_network")
KNOWN_OF_SUBSCRIPTION = (
    "status",
    "price_id",
    "cancel_at_period_end",
    "default_payment_method_id",
    "current_period_end",
)
KNOWN_OF_CUSTOMER = ("deleted", "email", "delinquent", "default_payment_method_id")


@dataclass
class Listener:
    """Another organization with the same Stripe account, told of it in its own way."""

    stage: Stage
    organization_id: UUID
    connection_id: UUID

    def tell(self, event: Doc) -> None:
        body = orjson.dumps(event)
        stamp = str(int(self.stage.now.timestamp()))
        signature = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        url = f"{self.stage.base_url}/webhooks/stripe/{self.connection_id}"
        header = {"Stripe-Signature": f"t={stamp},v1={signature}"}
        assert self.stage.http.post(url, data=body, headers=header, timeout=20).status_code == 200

    def handle(self) -> None:
        processing.drain(self.stage.context)

    def handle_again(self, event_ids: set[str]) -> None:
        """As after a worker died between the handler's end and the event's."""
        with self.stage.context.database.organization(self.organization_id) as session:
            session.execute(
                update(InboxEvent)
                .where(InboxEvent.event_id.in_(event_ids))
                .values(state=InboxState.RECEIVED, next_try_at=self.stage.now)
            )
        self.handle()

    def knowledge(self, invoice: str) -> Doc:
        """All that this organization knows of a story, without its own ids and the moments of its own reading."""
        now = self.stage.now
        with self.stage.context.database.organization(self.organization_id) as session:
            bill = session.scalars(select(Invoice).where(Invoice.stripe_id == invoice)).one()
            case = session.scalars(select(RecoveryCase).where(RecoveryCase.invoice_id == bill.id)).one()
            tries = session.scalars(select(ChargeAttempt).where(ChargeAttempt.case_id == case.id)).all()
            customer = session.get_one(Customer, case.customer_id)
            holds = session.scalars(select(Hold).where(Hold.customer_id == customer.id)).all()
            subscription = session.get_one(Subscription, case.subscription_id)
            unfinished = session.scalars(select(InboxEvent).where(InboxEvent.state != InboxState.HANDLED)).all()
        return {
            "unfinished": [(event.type, event.problem) for event in unfinished],
            "invoice": _values(bill, KNOWN_OF_INVOICE),
            "case": _values(case, KNOWN_OF_CASE + KNOWN_OF_END),
            "attempts": sorted(
                (_values(one, KNOWN_OF_ATTEMPT) for one in tries), key=lambda one: str(one["charge_id"])
            ),
            "customer": _values(customer, KNOWN_OF_CUSTOMER),
            "subscription": _values(subscription, KNOWN_OF_SUBSCRIPTION),
            "holds": sorted(
                hold.key for hold in holds if not hold.released_at and (not hold.until or hold.until > now)
            ),
        }


def _values(row: object, names: tuple[str, ...]) -> Doc:
    return {name: getattr(row, name) for name in names}


def listener(stage: Stage) -> Listener:
    """A new organization that has heard of nothing yet. It observes, so that no step of its own acts on the account."""
    now, context = stage.now, stage.context
    with context.database.system() as session:
        organization = create_organization(session, f"listener-{uuid4().hex[:12]}", "Listener", now)
        session.flush()
        organization_id = organization.id
    with context.database.organization(organization_id) as session:
        add_defaults(session, now, "test")
        connection = Connection(
            id=uuid4(),
            organization_id=organization_id,
            account_id=stage.rows(Connection)[0].account_id,
            livemode=False,
            mode=ConnectionMode.OBSERVE,
            status=ConnectionStatus.ACTIVE,
            created_at=now,
        )
        connection.sealed_api_key = context.keys.seal(SANDBOX_KEY, connection.context("api_key"))
        secrets = orjson.dumps([SECRET]).decode()
        connection.sealed_webhook_secrets = context.keys.seal(secrets, connection.context("webhook_secrets"))
        session.add(connection)
    return Listener(stage, organization_id, connection.id)


def live_through(stage: Stage) -> dict[str, str]:
    """Six stories at once, over a few days; the invoice of each."""
    stage.use_campaign(SHORT)

    # a card of their own for each: what a bank says of one is remembered by its number
    cards = iter(("visa", "mastercard", "discover", "jcb", "amex", "unionpay"))

    def begin(name: str, *script: str) -> Doc:
        customer = stage.customer(name=name, email=f"{name}@example.com", card=f"pm_card_{next(cards)}")
        return {**customer, "invoice": stage.fail(customer["customer"], *script)}

    retried = begin("retried", "insufficient_funds", "approve")
    renewed = begin("renewed", "lost_card", "approve")
    gone = begin("gone", "do_not_honor")
    voided = begin("voided", "insufficient_funds")
    disputed = begin("disputed", "insufficient_funds")
    settled = begin("settled", "insufficient_funds", "approve")
    stage.stripe("POST", f"invoices/{voided['invoice']}/void")
    stage.control(f"customers/{renewed['customer']}/new-card")
    for told, closes in ((disputed, False), (settled, True)):
        paid = stage.stripe("GET", f"invoices?customer={told['customer']}&status=paid")["data"][0]["id"]
        dispute = stage.control(f"invoices/{paid}/dispute")
        if closes:
            stage.control(f"disputes/{dispute['id']}/close", status="won")
    stage.advance(days=4)
    told = {"retried": retried, "renewed": renewed, "gone": gone, "voided": voided}
    stories = {**told, "disputed": disputed, "settled": settled}
    assert stage.case(retried["invoice"]).state is CaseState.RECOVERED
    assert stage.case(renewed["invoice"]).state is CaseState.RECOVERED
    assert stage.case(gone["invoice"]).state is CaseState.EXHAUSTED
    assert stage.case(voided["invoice"]).state is CaseState.CLOSED
    return {name: story["invoice"] for name, story in stories.items()}


def told_of(stage: Stage, stories: dict[str, str]) -> dict[str, list[Doc]]:
    """Every event of each story, oldest first, as the account lists them."""
    customers = {stage.stripe("GET", f"invoices/{invoice}")["customer"]: name for name, invoice in stories.items()}
    events: dict[str, list[Doc]] = defaultdict(list)
    charges: dict[str, str] = {}
    everything = list(_every_event(stage))[::-1]
    for event in everything:
        inside = event["data"]["object"]
        if inside["object"] == "charge":
            charges[inside["id"]] = inside["customer"]
    for event in everything:
        inside = event["data"]["object"]
        whose = (
            inside["id"]
            if inside["object"] == "customer"
            else inside.get("customer") or charges.get(inside.get("charge"))
        )
        if whose in customers:
            events[customers[whose]].append(event)
    return events


def _every_event(stage: Stage) -> Iterator[Doc]:
    after = ""
    while True:
        page = stage.stripe("GET", f"events?limit=100{after}")
        yield from page["data"]
        if not page["has_more"]:
            return
        after = f"&starting_after={page['data'][-1]['id']}"


def thin(event: Doc) -> Doc:
    """The thin event that tells of the same happening."""
    inside = event["data"]["object"]
    return {
        "id": event["id"],
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "created": "2026-09-01T09:00:00.000Z",
        "livemode": False,
        "related_object": {"id": inside["id"], "type": inside["object"], "url": "/v1/whatever"},
    }


def test_a_case_ends_in_the_same_state_in_whatever_order_and_how_often_its_events_come(stage: Stage) -> None:
    stories = live_through(stage)
    events = told_of(stage, stories)
    expected: dict[str, Doc] = {}
    for name, told in events.items():
        in_order = listener(stage)
        for event in told:
            in_order.tell(event)
        in_order.handle()
        expected[name] = in_order.knowledge(stories[name])
        assert expected[name]["unfinished"] == []
    assert expected["retried"]["case"]["state"] is CaseState.RECOVERED
    assert expected["voided"]["case"]["state"] is CaseState.CLOSED
    assert len(expected["disputed"]["holds"]) == 1
    assert expected["settled"]["holds"] == []
    check_every_order(stage, stories, events, expected)()


def check_every_order(
    stage: Stage, stories: dict[str, str], events: dict[str, list[Doc]], expected: dict[str, Doc]
) -> Callable[[], None]:
    """The property itself, over stories that have been lived through."""

    @settings(
        max_examples=6,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(name=st.sampled_from(sorted(stories)), data=st.data())
    def in_any_order(name: str, data: st.DataObject) -> None:
        told = events[name]
        order = data.draw(st.permutations(range(len(told))), label="order")
        pauses = data.draw(st.sets(st.sampled_from(order), max_size=3), label="handled after")
        twice = data.draw(st.sets(st.sampled_from(order), max_size=4), label="delivered twice")
        again = data.draw(st.sets(st.sampled_from(order), max_size=2), label="handled twice")
        someone = listener(stage)
        for number in order:
            someone.tell(told[number])
            if number in pauses:
                someone.handle()
        for number in twice:
            someone.tell(told[number])
        someone.handle()
        someone.handle_again({told[number]["id"] for number in again})
        assert someone.knowledge(stories[name]) == expected[name], name

    return in_any_order


def test_thin_events_lead_to_the_same_case(stage: Stage) -> None:
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], "insufficient_funds", "approve")
    stage.advance(days=2)
    told = [
        event
        for event in told_of(stage, {"thin": invoice})["thin"]
        if event["type"].startswith(("invoice.pay", "customer.sub"))
    ]
    full, slim = listener(stage), listener(stage)
    for event in told:
        full.tell(event)
        slim.tell(thin(event))
    full.handle()
    assert slim.knowledge(invoice) == full.knowledge(invoice)
