"""SendGrid's events over HTTP: signed or refused, repeated and shuffled without harm, and what they change."""

import base64
import itertools
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.campaigns.definition import CampaignDefinition
from app.context import Context
from app.inbox.sendgrid import LARGEST_BODY, SIGNATURE, TIMESTAMP, sendgrid_webhook
from app.messages.senders.port import OutgoingMail, SenderSilent
from app.messages.suppression import find_reason, lift
from app.models import CaseEntry, DeliveryEvent, Step
from app.recovery.campaigns import add_version
from app.vocabulary import MessageState
from tests.integration.messages.conftest import Post
from tests.integration.messages.rows import START, write_rows
from tests.integration.messages.scripted import Scripted

KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
MOMENT = int(START.timestamp())


@pytest.fixture
def signed_context(make_mail_context: Callable[..., Context]) -> Context:
    return make_mail_context(sendgrid_webhook_key=PUBLIC)


@pytest.fixture
def client(signed_context: Context) -> FlaskClient:
    return serve(signed_context)


def serve(context: Context) -> FlaskClient:
    app = Flask(__name__)
    app.extensions["recoup"] = context
    app.register_blueprint(sendgrid_webhook)
    return app.test_client()


@pytest.fixture
def message_id(post: Post) -> UUID:
    """A message that SendGrid has accepted."""
    message_id = post.queue()
    post.deliver(message_id, Scripted("sg-1"))
    return message_id


def event(post: Post, message_id: UUID, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "event": kind,
        "email": "anna.schmidt@example.com",
        "timestamp": MOMENT,
        "sg_event_id": uuid4().hex,
        "recoup_message": f"{post.rows.organization_id}.{message_id}",
    } | more


def tell(client: FlaskClient, *events: Any) -> TestResponse:
    body = json.dumps(events).encode() + b"\r\n"
    signature = KEY.sign(str(MOMENT).encode() + body, ec.ECDSA(hashes.SHA256()))
    headers = {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: str(MOMENT)}
    return client.post("/webhooks/sendgrid", data=body, headers=headers)


def stored(post: Post) -> list[DeliveryEvent]:
    with post.context.database.organization(post.rows.organization_id) as session:
        return list(session.scalars(select(DeliveryEvent)))


def suppressed(post: Post) -> bool:
    with post.context.database.organization(post.rows.organization_id) as session:
        return find_reason(session, "anna.schmidt@example.com") is not None


def test_without_a_key_there_is_no_such_address(mail_context: Context) -> None:
    assert tell(serve(mail_context)).status_code == 404


def test_what_is_not_signed_is_refused_and_changes_nothing(client: FlaskClient, post: Post, message_id: UUID) -> None:
    body = json.dumps([event(post, message_id, "bounce")])
    assert client.post("/webhooks/sendgrid", data=body).status_code == 401
    headers = {SIGNATURE: "bm9wZQ==", TIMESTAMP: str(MOMENT)}
    assert client.post("/webhooks/sendgrid", data=body, headers=headers).status_code == 401
    assert post.message(message_id).state is MessageState.ACCEPTED
    assert stored(post) == []


def test_a_batch_that_is_too_large_is_not_read(client: FlaskClient) -> None:
    assert client.post("/webhooks/sendgrid", data=b"x" * (LARGEST_BODY + 1)).status_code == 413


def test_a_signed_body_that_is_no_batch_is_refused(client: FlaskClient) -> None:
    body = b"{}"
    signature = base64.b64encode(KEY.sign(b"1" + body, ec.ECDSA(hashes.SHA256()))).decode()
    answer = client.post("/webhooks/sendgrid", data=body, headers={SIGNATURE: signature, TIMESTAMP: "1"})
    assert answer.status_code == 400


def test_a_delivery_is_recorded_without_the_address(client: FlaskClient, post: Post, message_id: UUID) -> None:
    reported = event(post, message_id, "delivered", response="250 OK for anna.schmidt@example.com")
    assert tell(client, reported).status_code == 200
    message = post.message(message_id)
    assert (message.state, message.delivered_at) == (MessageState.DELIVERED, START)
    [kept] = stored(post)
    assert kept.data == {"response": "250 OK for [address]"}


def test_a_report_that_comes_again_is_one_report(client: FlaskClient, post: Post, message_id: UUID) -> None:
    reported = event(post, message_id, "delivered")
    for _ in range(3):
        assert tell(client, reported, reported).status_code == 200
    tell(client, reported | {"sg_event_id": "another-id-for-the-same"})
    assert len(stored(post)) == 2
    with post.context.database.organization(post.rows.organization_id) as session:
        names = list(session.scalars(select(CaseEntry.name).order_by(CaseEntry.id)))
    assert names == ["mail_sent", "mail_delivered"]


def test_whatever_the_order_of_the_reports_the_end_is_the_same(client: FlaskClient, post: Post) -> None:
    ends = set()
    for number, order in enumerate(itertools.permutations(["processed", "delivered", "bounce", "click"])):
        message_id = post.queue(kind="action_required", key=f"mail-{number}")
        post.deliver(message_id, Scripted("sg-1"))
        with post.context.database.organization(post.rows.organization_id) as session:
            lift(session, "anna.schmidt@example.com")
        for kind in order:
            tell(client, event(post, message_id, kind))
        message = post.message(message_id)
        ends.add((message.state, message.clicked_at, message.bounced_at, suppressed(post)))
        with post.context.database.organization(post.rows.organization_id) as session:
            lift(session, "anna.schmidt@example.com")
    assert ends == {(MessageState.BOUNCED, START, START, True)}


@pytest.mark.parametrize(
    ("reported", "state", "is_given_up"),
    [
        ({"event": "bounce", "type": "bounce", "reason": "550 no such user"}, MessageState.BOUNCED, True),
        ({"event": "bounce", "type": "blocked"}, MessageState.BOUNCED, False),
        ({"event": "dropped", "reason": "Bounced Address"}, MessageState.BOUNCED, True),
        ({"event": "spamreport"}, MessageState.DELIVERED, True),
        ({"event": "unsubscribe"}, MessageState.DELIVERED, True),
        ({"event": "deferred", "response": "later"}, MessageState.ACCEPTED, False),
        ({"event": "open"}, MessageState.DELIVERED, False),
        ({"event": "open", "sg_machine_open": True}, MessageState.ACCEPTED, False),
    ],
)
def test_each_report_moves_the_message_and_the_address(
    client: FlaskClient, post: Post, message_id: UUID, reported: dict[str, Any], state: MessageState, is_given_up: bool
) -> None:
    tell(client, event(post, message_id, **({"kind": reported["event"]} | reported)))
    assert post.message(message_id).state is state
    assert suppressed(post) is is_given_up


def test_a_delivery_told_after_a_bounce_is_old_news(client: FlaskClient, post: Post, message_id: UUID) -> None:
    tell(client, event(post, message_id, "bounce", reason="gone"))
    tell(client, event(post, message_id, "delivered"))
    message = post.message(message_id)
    assert (message.state, message.reason) == (MessageState.BOUNCED, "bounce: gone")


def test_an_unknown_mail_that_sendgrid_speaks_of_is_not_sent_again(
    client: FlaskClient, post: Post, mail_clock: Any
) -> None:
    message_id = post.queue()
    assert post.deliver(message_id, Scripted(SenderSilent("timeout"))) is MessageState.UNKNOWN
    tell(client, event(post, message_id, "processed"))
    message = post.message(message_id)
    assert (message.state, message.reason, message.next_try_at) == (MessageState.ACCEPTED, None, None)
    assert post.deliver(message_id, Scripted()) is MessageState.ACCEPTED


def test_a_report_that_is_faster_than_the_answer_wins(client: FlaskClient, post: Post) -> None:
    def report(_mail: OutgoingMail) -> None:
        tell(client, event(post, message_id, "delivered"))

    message_id = post.queue()
    assert post.deliver(message_id, Scripted("sg-1", meanwhile=report)) is MessageState.DELIVERED
    assert post.message(message_id).provider_message_id == "sg-1"


def test_a_bounced_address_gets_no_further_mail(client: FlaskClient, post: Post, message_id: UUID) -> None:
    tell(client, event(post, message_id, "bounce", type="bounce"))
    further = post.queue(kind="action_required")
    assert post.deliver(further, Scripted()) is MessageState.SKIPPED
    assert post.message(further).reason == "suppressed"


def test_a_campaign_can_answer_a_mail_that_came_back(client: FlaskClient, post: Post, message_id: UUID) -> None:
    answer = {"key": "other_contact", "kind": "reminder", "days": 1, "anchor": "event", "on": "mail_bounced"}
    with post.context.database.organization(post.rows.organization_id) as session:
        content = CampaignDefinition.model_validate({"messages": [answer]})
        told: dict[str, Any] = {"slug": "monthly", "name": "Monthly", "definition": content, "by": "test"}
        post.rows.case(session).campaign_version_id = add_version(session, **told, is_default=True, now=START).id
    came_back = event(post, message_id, "bounce", type="bounce")
    assert tell(client, came_back).status_code == 200
    assert tell(client, came_back).status_code == 200
    with post.context.database.organization(post.rows.organization_id) as session:
        assert [step.key for step in session.scalars(select(Step))] == ["message:other_contact:1"]


def test_a_person_who_comes_back_is_written_to_again_unless_the_address_bounced(
    client: FlaskClient, post: Post, message_id: UUID
) -> None:
    tell(client, event(post, message_id, "group_unsubscribe"))
    tell(client, event(post, message_id, "group_resubscribe"))
    assert not suppressed(post)
    tell(client, event(post, message_id, "bounce"))
    tell(client, event(post, message_id, "group_resubscribe"))
    assert suppressed(post)


def test_a_batch_may_speak_of_strangers_and_of_several_organizations(
    client: FlaskClient, post: Post, message_id: UUID, signed_context: Context
) -> None:
    other = Post(signed_context, write_rows(signed_context.database))
    theirs = other.queue()
    other.deliver(theirs, Scripted("sg-2"))
    answer = tell(
        client,
        event(post, message_id, "delivered"),
        event(other, theirs, "delivered"),
        event(post, theirs, "bounce"),
        event(post, uuid4(), "bounce"),
        event(post, message_id, "bounce", recoup_message=f"{uuid4()}.{message_id}"),
        {"event": "delivered", "email": "someone@example.com"},
    )
    assert answer.status_code == 200
    assert post.message(message_id).state is MessageState.DELIVERED
    assert other.message(theirs).state is MessageState.DELIVERED


def test_an_open_by_a_machine_is_kept_apart_from_one_by_a_person(
    client: FlaskClient, post: Post, message_id: UUID
) -> None:
    tell(client, event(post, message_id, "open", sg_machine_open=True))
    tell(client, event(post, message_id, "open", useragent="Mozilla/5.0"))
    assert [kept.is_by_machine for kept in stored(post)] == [True, True]
    assert post.message(message_id).opened_at is None
    tell(client, event(post, message_id, "open", useragent="Mozilla/5.0 (via ggpht.com GoogleImageProxy)"))
    assert post.message(message_id).opened_at == START
    with post.context.database.organization(post.rows.organization_id) as session:
        names = list(session.scalars(select(CaseEntry.name).order_by(CaseEntry.id)))
    assert names == ["mail_sent", "mail_opened", "mail_delivered"]


@pytest.mark.parametrize(
    ("reported", "name"),
    [
        ({"kind": "deferred", "response": "451 try later"}, "mail_deferred"),
        ({"kind": "spamreport"}, "mail_complained"),
        ({"kind": "group_unsubscribe"}, "mail_unsubscribed"),
        ({"kind": "click"}, "mail_clicked"),
        ({"kind": "dropped", "reason": "Bounced Address"}, "mail_bounced"),
    ],
)
def test_what_became_of_a_mail_stands_on_the_cases_timeline_without_an_address(
    client: FlaskClient, post: Post, message_id: UUID, reported: dict[str, Any], name: str
) -> None:
    tell(client, event(post, message_id, **reported))
    with post.context.database.organization(post.rows.organization_id) as session:
        lines = session.scalars(select(CaseEntry).where(CaseEntry.name == name)).all()
    assert len(lines) == 1
    assert "@" not in f"{lines[0].summary}{lines[0].data}"


def test_a_complaint_takes_the_place_of_an_unsubscription_and_not_the_other_way(
    client: FlaskClient, post: Post, message_id: UUID
) -> None:
    for kind, expected in (
        ("unsubscribe", "unsubscribed"),
        ("spamreport", "spam_report"),
        ("unsubscribe", "spam_report"),
    ):
        tell(client, event(post, message_id, kind))
        with post.context.database.organization(post.rows.organization_id) as session:
            assert find_reason(session, "anna.schmidt@example.com") == expected
