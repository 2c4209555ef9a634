"""Who may ask the API: keys are shown once, kept as hashes, bound to one organization, and end when they should."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app.accounts import api_keys
from app.accounts.api_keys import Actor, KeyNotMade, MadeKey
from app.accounts.embed_tokens import make
from app.api.blueprint import FOR_STRANGERS
from app.api.operations import OPERATIONS
from app.api.throttle import OF_KEY, WRONG_KEYS, ApiThrottle
from app.clock import SystemClock
from app.context import Context
from app.models import ApiKey, AuditEntry
from app.vocabulary import ApiScope
from tests.integration.api.conftest import Program, make_key
from tests.integration.console.world import World

Holding = Callable[[MadeKey], Program]
WALL = SystemClock().now()


def test_a_key_opens_the_api_and_is_kept_only_as_a_hash(program: Program, context: Context, world: World) -> None:
    assert program.get("/api/v1/cases").status_code == 200
    with context.database.organization(world.organization_id) as session:
        row = session.get_one(ApiKey, program.key.row.id)
        audit = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"key {row.prefix}")).all()
    assert program.key.secret.startswith(f"{row.prefix}_")
    assert len(row.prefix) == api_keys.PREFIX_LENGTH
    kept = row.secret_hash + (row.sealed_signing_secret or b"")
    assert program.key.secret.encode() not in kept
    assert (program.key.signing_secret or "").encode() not in kept
    assert row.last_used_at is not None
    assert [entry.action for entry in audit] == ["api_key.created"]


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Basic abc", "Bearer rcp_", "Bearer rcp_0123456789ab_nonsense", "Bearer \u00fc"]
)
def test_without_a_good_key_the_answer_says_how_to_send_one(app: Flask, given: str) -> None:
    headers = {"Authorization": given.encode().decode("latin-1")} if given else {}
    answer = app.test_client().get("/api/v1/cases", headers=headers)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Authorization: Bearer" in answer.json["detail"]


def test_a_key_with_one_letter_changed_opens_nothing(program: Program) -> None:
    last = "A" if program.key.secret[-1] != "A" else "B"
    wrong = {"Authorization": f"Bearer {program.key.secret[:-1]}{last}"}
    assert program.client.get("/api/v1/cases", headers=wrong).status_code == 401


def test_a_revoked_key_opens_nothing_and_signs_nothing(context: Context, world: World, program: Program) -> None:
    with context.database.organization(world.organization_id) as session:
        assert api_keys.revoke(session, program.key.row.id, Actor("Ann"), WALL, WALL)
    assert program.get("/api/v1/cases").status_code == 401
    token = make(program.key.row.prefix, program.key.signing_secret or "", "cus_x", WALL + timedelta(hours=1))
    assert program.client.get(f"/embed/notice?token={token}").status_code == 401
    with context.database.organization(world.organization_id) as session:
        assert not api_keys.revoke(session, program.key.row.id, Actor("Ann"), WALL, WALL)
        assert session.get_one(ApiKey, program.key.row.id).sealed_signing_secret is None


def test_a_key_whose_time_is_over_opens_nothing(context: Context, world: World, holding: Holding) -> None:
    key = make_key(context, world, expires_at=WALL + timedelta(hours=1))
    assert holding(key).get("/api/v1/cases").status_code == 200
    with context.database.organization(world.organization_id) as session:
        session.get_one(ApiKey, key.row.id).expires_at = WALL - timedelta(seconds=1)
    assert holding(key).get("/api/v1/cases").status_code == 401


def test_a_key_that_only_reads_hands_out_no_link_and_no_token(context: Context, world: World, holding: Holding) -> None:
    reader = holding(make_key(context, world, ApiScope.READ))
    assert reader.key.signing_secret is None
    answer = reader.ask("POST", "/api/v1/embed-tokens", json={"customer": "cus_1"})
    assert answer.status_code == 403
    assert "`write`" in answer.json["detail"]
    brief = reader.get("/api/v1/cases?state=waiting").json["cases"][0]
    assert reader.get(f"/api/v1/customers/{brief['customer']}/status").json["pay_url"] is None


def test_every_operation_asks_for_a_key_and_nothing_else_is_open(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    assert {rule.endpoint for rule in rules} == OPERATIONS.keys() | FOR_STRANGERS


def test_too_many_requests_of_a_key_are_told_when_to_come_again(program: Program, context: Context) -> None:
    program.get("/api/v1/cases?limit=1")
    throttle = program.client.application.extensions["recoup.api_throttle"]
    while not throttle.take(OF_KEY, str(program.key.row.id), SystemClock().now()):
        pass
    answer = program.get("/api/v1/cases?limit=1")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert answer.json["code"] == "too_many_requests"


def test_guessing_at_keys_is_slowed_and_keeps_no_good_key_out(app: Flask, program: Program) -> None:
    wrong = {"Authorization": "Bearer rcp_000000000000_guess"}
    answers = [app.test_client().get("/api/v1/cases", headers=wrong).status_code for _ in range(WRONG_KEYS.amount + 1)]
    assert answers == [401] * WRONG_KEYS.amount + [429]
    assert program.get("/api/v1/cases?limit=1").status_code == 200


def test_while_redis_is_away_keys_still_work(app: Flask, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "recoup.api_throttle", ApiThrottle("redis://127.0.0.1:1/0"))
    assert program.get("/api/v1/cases?limit=1").status_code == 200


def test_a_key_that_makes_no_sense_is_not_made(context: Context, world: World) -> None:
    def wanted(**more: object) -> str:
        values: dict[str, object] = {"name": "shop", "scopes": [ApiScope.READ], "expires_at": None, "by": Actor("Ann")}
        with context.database.organization(world.organization_id) as session, pytest.raises(KeyNotMade) as refusal:
            api_keys.create(session, context.keys, now=WALL, wall=WALL, **{**values, **more})  # type: ignore[arg-type]
        return str(refusal.value)

    assert "name" in wanted(name=" ")
    assert "may do" in wanted(scopes=[])
    assert "has passed" in wanted(expires_at=WALL)


def test_a_form_sent_twice_makes_one_key(context: Context, world: World, program: Program) -> None:
    with (
        context.database.organization(world.organization_id) as session,
        pytest.raises(KeyNotMade, match="sent before"),
    ):
        api_keys.create(
            session, context.keys, name="shop", scopes=[ApiScope.READ], expires_at=None, by=Actor("Ann"), now=WALL,
            wall=WALL, key_id=program.key.row.id,
        )  # fmt: skip
