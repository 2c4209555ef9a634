"""The doors without a sign-in, tried with what belongs to somebody else: payment links and webhooks."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import select

from app import create_app
from app.context import Context
from app.inbox import processing
from app.links import PayLink, make_pay_url
from app.models import InboxEvent, Invoice
from tests.integration.inbox.receiver import Receiver, add_connection, body_of, event, open_receiver
from tests.integration.messages.rows import Rows, write_rows


@dataclass(frozen=True)
class Door:
    """A program with two organizations, each with a customer who owes something."""

    app: Flask
    context: Context
    mine: Rows
    theirs: Rows

    def get(self, link: PayLink) -> tuple[int, str]:
        now = self.context.clock.now()
        url = make_pay_url("http://localhost", str(self.context.settings.secret_key), link, now)
        answer = self.app.test_client().get(url.removeprefix("http://localhost"))
        return answer.status_code, answer.text


@pytest.fixture
def door(context: Context) -> Door:
    mine = write_rows(context.database, name="Anna Mine", email="anna@mine.example.com")
    theirs = write_rows(context.database, name="Theo Theirs", email="theo@theirs.example.com")
    return Door(create_app(context), context, mine, theirs)


@pytest.fixture
def receiver(context: Context) -> Iterator[Receiver]:
    with open_receiver(context) as opened:
        yield opened


def test_a_link_into_ones_own_organization_that_names_anothers_case_opens_nothing(door: Door) -> None:
    for link in (
        PayLink(door.mine.organization_id, door.theirs.case_id, 1),
        PayLink(door.theirs.organization_id, door.mine.case_id, 1),
    ):
        status, page = door.get(link)
        assert 400 <= status < 500
        for secret in ("Anna", "Theo", "4900", "49.00", "NW-"):
            assert secret not in page


def test_an_account_cannot_write_into_what_another_accounts_invoice_is_known_as(receiver: Receiver) -> None:
    context = receiver.context
    theirs = write_rows(context.database)
    with context.database.organization(theirs.organization_id) as session:
        before = session.get_one(Invoice, theirs.invoice_id)
    told = event("invoice.updated")
    told["data"]["object"] |= {"id": before.stripe_id, "status": "void", "amount_due": 1, "customer": "cus_x"}
    assert receiver.post(body_of(told)).status_code == 200
    processing.drain(context)
    with context.database.organization(theirs.organization_id) as session:
        after = session.get_one(Invoice, theirs.invoice_id)
        assert (after.status, after.amount_due, after.refreshed_at) == ("open", 4900, before.refreshed_at)
        assert session.scalars(select(InboxEvent)).all() == []


def test_one_stripe_account_in_two_organizations_is_two_inboxes_with_secrets_of_their_own(receiver: Receiver) -> None:
    theirs = write_rows(receiver.context.database).organization_id
    second = add_connection(receiver.context, theirs, ("whsec_theirs",))
    told = event()
    body = body_of(told)
    url = f"{receiver.base_url}/webhooks/stripe/{second}"
    header = {"Stripe-Signature": receiver.signed(body)}
    assert receiver.http.post(url, data=body, headers=header, timeout=20).status_code == 400
    assert receiver.post(body).status_code == 200
    with receiver.context.database.organization(theirs) as session:
        assert session.scalars(select(InboxEvent)).all() == []
