"""Who may put something into the inbox: only Stripe, with a secret of this connection, about now."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import orjson
import pytest

from app.models import Connection
from app.vocabulary import ConnectionStatus
from tests.integration.inbox.receiver import SECRET, Receiver, add_connection, body_of, event, signature

MINUTES = 60


def stamp_of(receiver: Receiver, seconds: int = 0) -> str:
    return str(int(receiver.context.clock.now().timestamp()) + seconds)


def refused(receiver: Receiver, header: str, words: str) -> bool:
    """Whether a post with this header was refused with 400 and these words, and nothing was kept."""
    told = event()
    answer = receiver.post(body_of(told), header)
    return answer.status_code == 400 and words in answer.text and receiver.rows(told["id"]) == []


def test_a_signed_event_is_kept_just_as_it_came(shared: Receiver) -> None:
    told = event("invoice.payment_failed")
    answer = shared.post(body_of(told))
    assert (answer.status_code, answer.text) == (200, "kept\n")
    (row,) = shared.rows(told["id"])
    assert (row.type, row.object_type, row.object_id) == ("invoice.payment_failed", "invoice", row.object_id)
    assert row.object_id == told["data"]["object"]["id"]
    assert row.api_version == "2026-08-26.dahlia"


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(",", id="a comma"),
        pytest.param("v1=" + "0" * 64, id="no timestamp"),
        pytest.param("t=,v1=0", id="empty timestamp"),
        pytest.param("t=yesterday,v1=0", id="a word for a timestamp"),
        pytest.param("t=999999999999999,v1=0", id="a year that does not exist"),
        pytest.param("t=-1,v1=0", id="before all time"),
        pytest.param("t", id="a bare letter"),
        pytest.param("=" * 500, id="nothing but equals signs"),
    ],
)
def test_a_header_without_a_usable_timestamp_is_refused(shared: Receiver, header: str) -> None:
    assert refused(shared, header, "missing or has no single timestamp")


def test_no_header_at_all_is_refused(shared: Receiver) -> None:
    told = event()
    answer = shared.http.post(shared.url, data=body_of(told), timeout=20)
    assert answer.status_code == 400
    assert shared.rows(told["id"]) == []


def test_another_accounts_secret_does_not_sign_for_this_one(shared: Receiver) -> None:
    body = body_of(event())
    assert shared.post(body, shared.signed(body, "whsec_of_somebody_else")).status_code == 400


def test_a_signature_stands_for_one_body_to_the_byte(shared: Receiver) -> None:
    told = event()
    header = shared.signed(body_of(told))
    assert shared.post(body_of(told) + b" ", header).status_code == 400
    assert shared.rows(told["id"]) == []


def test_a_signature_of_another_scheme_does_not_count(shared: Receiver) -> None:
    body, stamp = body_of(event()), stamp_of(shared)
    assert shared.post(body, f"t={stamp},v0={signature(body, SECRET, stamp)}").status_code == 400


def test_one_good_signature_among_several_is_enough(shared: Receiver) -> None:
    told, stamp = event(), stamp_of(shared)
    good = signature(body_of(told), SECRET, stamp)
    assert shared.post(body_of(told), f"t={stamp},v1={'0' * 64},v1={good},v0=x").status_code == 200


def test_letters_beyond_ascii_in_the_header_are_refused_and_break_nothing(shared: Receiver) -> None:
    assert refused(shared, f"t={stamp_of(shared)},v1=\xe9\xe9", "damaged")


@pytest.mark.parametrize("off", [-5 * MINUTES + 20, 5 * MINUTES - 20, 0])
def test_a_webhook_of_the_last_or_next_five_minutes_is_accepted(shared: Receiver, off: int) -> None:
    body = body_of(event())
    assert shared.post(body, shared.signed(body, off=timedelta(seconds=off))).status_code == 200


@pytest.mark.parametrize("off", [-5 * MINUTES - 20, 5 * MINUTES + 20, -86400, 86400 * 365])
def test_a_webhook_signed_more_than_five_minutes_away_is_refused(shared: Receiver, off: int) -> None:
    body = body_of(event())
    answer = shared.post(body, shared.signed(body, off=timedelta(seconds=off)))
    assert answer.status_code == 400
    assert "five minutes" in answer.text


@pytest.mark.parametrize(
    "layout", ["v1={sig}, t={new},t={old}", "t={old}=1,v1={sig}, t={new}", "t={new},t={old},v1={sig}"]
)
def test_an_old_signature_does_not_pass_behind_a_second_timestamp(shared: Receiver, layout: str) -> None:
    told, old = event(), stamp_of(shared, -7 * 86400)
    header = layout.format(old=old, new=stamp_of(shared), sig=signature(body_of(told), SECRET, old))
    assert shared.post(body_of(told), header).status_code == 400
    assert shared.rows(told["id"]) == []


def test_both_secrets_are_good_while_one_is_being_rolled(shared: Receiver) -> None:
    two = add_connection(shared.context, shared.organization_id, ("whsec_new", "whsec_old"), account_id="acct_two")
    rolling = replace(shared, connection_id=two)
    for secret in ("whsec_new", "whsec_old"):
        body = body_of(event())
        assert rolling.post(body, rolling.signed(body, secret)).status_code == 200
    body = body_of(event())
    assert rolling.post(body, rolling.signed(body, SECRET)).status_code == 400


@pytest.mark.parametrize("secrets", [(), ("",), (" ",), ("", "\t")])
def test_an_empty_secret_signs_nothing(shared: Receiver, secrets: tuple[str, ...]) -> None:
    account = f"acct_{uuid4().hex}"
    bare = replace(
        shared, connection_id=add_connection(shared.context, shared.organization_id, secrets, account_id=account)
    )
    for secret in {"", *secrets}:
        body = body_of(event())
        assert bare.post(body, bare.signed(body, secret)).status_code == 400
    assert bare.rows() == []


def test_a_secret_that_was_only_just_added_is_good_at_once(receiver: Receiver) -> None:
    body = body_of(event())
    assert receiver.post(body).status_code == 200
    with receiver.context.database.organization(receiver.organization_id) as session:
        row = session.get_one(Connection, receiver.connection_id)
        sealed = receiver.context.keys.seal(orjson.dumps(["whsec_fresh"]).decode(), row.context("webhook_secrets"))
        row.sealed_webhook_secrets = sealed
    receiver.context.clock.turn_to(receiver.context.clock.now() + timedelta(seconds=2))  # type: ignore[attr-defined]
    body = body_of(event())
    assert receiver.post(body, receiver.signed(body, "whsec_fresh")).status_code == 200


@pytest.mark.parametrize("address", ["00000000-0000-4000-8000-000000000000", "not-an-id", "..%2f..", "%00"])
def test_nothing_is_received_for_a_connection_that_does_not_exist(shared: Receiver, address: str) -> None:
    body = body_of(event())
    url = f"{shared.base_url}/webhooks/stripe/{address}"
    answer = shared.http.post(url, data=body, headers={"Stripe-Signature": shared.signed(body)}, timeout=20)
    assert answer.status_code == 404


def test_nothing_is_received_for_an_account_that_was_disconnected(shared: Receiver) -> None:
    gone = add_connection(
        shared.context, shared.organization_id, account_id="acct_gone", status=ConnectionStatus.DISCONNECTED
    )
    assert replace(shared, connection_id=gone).post(body_of(event())).status_code == 404


def test_an_event_of_the_other_mode_is_refused_and_says_so(shared: Receiver) -> None:
    answer = shared.post(body_of(event(livemode=True)))
    assert answer.status_code == 400
    assert "other mode" in answer.text


def test_an_event_of_another_account_is_refused_and_says_so(shared: Receiver) -> None:
    answer = shared.post(body_of(event(account="acct_somebody_else")))
    assert answer.status_code == 400
    assert "another account" in answer.text


def test_a_broken_connection_still_takes_events_in(shared: Receiver) -> None:
    broken = add_connection(
        shared.context, shared.organization_id, account_id="acct_broken", status=ConnectionStatus.BROKEN
    )
    assert replace(shared, connection_id=broken).post(body_of(event())).status_code == 200
