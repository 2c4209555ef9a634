"""The embedded notice: whom a token is for, where it may be shown, what it says, and when it says nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.accounts import embed_tokens
from app.accounts.api_keys import MadeKey
from app.api import notice
from app.api.notice import Kind
from app.api.throttle import OF_NOTICE
from app.clock import SystemClock
from app.context import Context
from app.models import (
    ChargeAttempt,
    Connection,
    Customer,
    Hold,
    Invoice,
    Organization,
    RecoveryCase,
    Step,
    SubscriptionSnapshot,
)
from app.vocabulary import (
    ApiScope,
    AttemptSource,
    AttemptState,
    CaseState,
    ConnectionStatus,
    FinalActionKind,
    FinalActionState,
    HoldKind,
    StepKind,
    StepState,
)
from emails.locales import languages
from tests.integration.api.conftest import make_key
from tests.integration.console.world import World, add_case

HOME = "https://app.example.com"
WALL = SystemClock().now()
HOUR = timedelta(hours=1)
Ask = Callable[..., TestResponse]


@pytest.fixture(scope="module")
def key(context: Context, world: World) -> MadeKey:
    with context.database.organization(world.organization_id) as session:
        session.get_one(Connection, world.connection_id).status = ConnectionStatus.ACTIVE
        session.get_one(Organization, world.organization_id).embed_origins = [HOME]
    return make_key(context, world)


def token_for(key: MadeKey, customer: str, ends_at: datetime = WALL + HOUR) -> str:
    return embed_tokens.make(key.row.prefix, key.signing_secret or "", customer, ends_at)


@pytest.fixture
def ask(app: Flask, key: MadeKey) -> Ask:
    def asking(customer: str, language: str = "", **headers: str) -> TestResponse:
        address = f"/embed/notice?token={token_for(key, customer)}&language={language}"
        return app.test_client().get(address, headers=headers)

    return asking


def written(context: Context, case: RecoveryCase, change: Callable[[Session, RecoveryCase], object]) -> None:
    with context.database.organization(case.organization_id) as session:
        change(session, session.get_one(RecoveryCase, case.id))


@pytest.fixture
def case(context: Context, world: World, now: datetime) -> RecoveryCase:
    with context.database.organization(world.organization_id) as session:
        return add_case(session, world, CaseState.WAITING, now - timedelta(days=5), now, 50)


def customer_of(context: Context, case: RecoveryCase) -> str:
    with context.database.organization(case.organization_id) as session:
        return session.get_one(Customer, case.customer_id).stripe_id


def test_the_notice_is_a_sentence_and_a_link_and_names_nobody(ask: Ask, context: Context, case: RecoveryCase) -> None:
    answer = ask(customer_of(context, case), Origin=HOME)
    shown = answer.json["notice"]
    assert shown["text"] == "Your last payment didn’t go through."
    assert "/pay/" in shown["url"]
    assert (shown["kind"], shown["language"], shown["direction"]) == ("failed", "en", "ltr")
    assert answer.headers["Access-Control-Allow-Origin"] == HOME
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not {"Aldebaran", "4900", "49.00", "@"} & set(answer.text.split('"'))


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://app.example.com", "null", "https://app.example.com.evil"]
)
def test_other_origins_are_told_nothing(ask: Ask, context: Context, case: RecoveryCase, origin: str) -> None:
    answer = ask(customer_of(context, case), Origin=origin)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "/pay/" not in answer.text


@pytest.mark.parametrize(
    ("forged", "says"),
    [
        (lambda key, customer: "", "no token"),
        (lambda key, customer: "a.b", "no token"),
        (lambda key, customer: "a.b.ü", "no token"),
        (lambda key, customer: "x" * 3000, "no token"),
        (lambda key, customer: "!!.!!.!!", "damaged"),
        (lambda key, customer: token_for(key, customer)[:-3] + "AAA", "not signed"),
        (lambda key, customer: embed_tokens.make(key.row.prefix, "rcs_guess", customer, WALL + HOUR), "not signed"),
        (lambda key, customer: embed_tokens.make("rcp_000000000000", "rcs_guess", customer, WALL + HOUR), "no key"),
        (lambda key, customer: token_for(key, customer, WALL - timedelta(seconds=2)), "time is over"),
        (lambda key, customer: token_for(key, customer, WALL + timedelta(hours=25)), "too long"),
        (lambda key, customer: token_for(key, ""), "sub"),
    ],
)
def test_a_token_that_is_forged_or_over_shows_nothing(
    app: Flask, key: MadeKey, context: Context, case: RecoveryCase, forged: Callable[[MadeKey, str], str], says: str
) -> None:
    answer = app.test_client().get("/embed/notice", query_string={"token": forged(key, customer_of(context, case))})
    assert answer.status_code == 401
    assert says in answer.json["detail"].lower()


def test_a_key_that_only_reads_signs_nothing(app: Flask, context: Context, world: World, key: MadeKey) -> None:
    reader = make_key(context, world, ApiScope.READ)
    token = embed_tokens.make(reader.row.prefix, reader.secret, "cus_1", WALL + HOUR)
    assert app.test_client().get(f"/embed/notice?token={token}").status_code == 401


def test_an_unknown_customer_has_no_problem(ask: Ask) -> None:
    assert ask("cus_nobody").json == {"notice": None}


def test_the_kind_follows_the_case(ask: Ask, context: Context, case: RecoveryCase) -> None:
    customer = customer_of(context, case)

    def become(state: CaseState, reason: str) -> None:
        written(context, case, lambda _session, row: setattr(row, "state", state))
        written(context, case, lambda _session, row: setattr(row, "customer_reason", reason))

    become(CaseState.NEEDS_CUSTOMER, "needs_approval")
    assert ask(customer).json["notice"]["kind"] == Kind.NEEDS_APPROVAL
    become(CaseState.NEEDS_CUSTOMER, "bank_declined")
    assert ask(customer).json["notice"]["kind"] == Kind.FAILED


def test_what_is_over_but_owed_is_still_spoken_of(ask: Ask, context: Context, world: World, now: datetime) -> None:
    with context.database.organization(world.organization_id) as session:
        over = add_case(session, world, CaseState.EXHAUSTED, now - timedelta(days=40), now, 51)
    assert ask(customer_of(context, over)).json["notice"]["kind"] == Kind.OPEN


def _hold(session: Session, row: RecoveryCase) -> None:
    now = row.failed_at + timedelta(days=5)
    session.add(
        Hold(
            organization_id=row.organization_id, customer_id=row.customer_id, case_id=row.id, kind=HoldKind.PROMISE,
            key="promise", reason="Friday", begins_at=now, until=now + timedelta(days=2), created_by="the customer",
        )
    )  # fmt: skip


def _try_due(session: Session, row: RecoveryCase) -> None:
    session.add(
        Step(organization_id=row.organization_id, case_id=row.id, kind=StepKind.RETRY, key="retry:9", why="due",
             due_at=row.failed_at + timedelta(days=1), state=StepState.PLANNED)
    )  # fmt: skip


def _chosen(session: Session, row: RecoveryCase) -> None:
    row.state, row.exhausted_at = CaseState.EXHAUSTED, row.failed_at
    session.add(
        SubscriptionSnapshot(
            organization_id=row.organization_id, case_id=row.id, action=FinalActionKind.PAUSE, taken_at=row.failed_at,
            state=FinalActionState.DONE, parameters={"chosen": True, "did": ["subscription"]},
        )
    )  # fmt: skip


def _paid(session: Session, row: RecoveryCase) -> None:
    session.get_one(Invoice, row.invoice_id).status = "paid"


QUIET: dict[str, Callable[[Session, RecoveryCase], object]] = {
    "within the silence for soft declines": lambda _session, row: setattr(
        row, "failed_at", row.failed_at + timedelta(days=4, hours=20)
    ),
    "while a promise lasts": _hold,
    "while a try is due": _try_due,
    "while a new card waits for its try": lambda _session, row: setattr(row, "new_card_at", row.failed_at),
    "while Stripe is charging": lambda _session, row: setattr(row, "state", CaseState.CHARGING),
    "once they chose something instead": _chosen,
    "once it is paid": _paid,
    "while the connection is broken": lambda session, row: setattr(
        session.get_one(Connection, row.connection_id), "status", ConnectionStatus.BROKEN
    ),
}


@pytest.mark.parametrize("when", QUIET)
def test_nothing_is_shown(ask: Ask, context: Context, case: RecoveryCase, when: str) -> None:
    customer = customer_of(context, case)
    assert ask(customer).json["notice"] is not None
    written(context, case, QUIET[when])
    try:
        assert ask(customer).json == {"notice": None}
    finally:
        written(
            context, case,
            lambda session, row: setattr(
                session.get_one(Connection, row.connection_id), "status", ConnectionStatus.ACTIVE
            ),
        )  # fmt: skip


def test_a_new_card_that_was_declined_is_a_problem_again(ask: Ask, context: Context, case: RecoveryCase) -> None:
    def give(session: Session, row: RecoveryCase) -> None:
        row.new_card_at = row.failed_at + timedelta(days=1)
        session.add(
            ChargeAttempt(
                organization_id=row.organization_id, connection_id=row.connection_id, case_id=row.id, amount=1,
                source=AttemptSource.STRIPE, state=AttemptState.DECLINED, currency="eur", charge_id=f"ch_{row.id}",
                started_at=row.failed_at + timedelta(days=2),
            )
        )  # fmt: skip

    written(context, case, give)
    assert ask(customer_of(context, case)).json["notice"] is not None


def test_each_problem_has_its_own_mark_so_that_hiding_one_hides_no_other(
    ask: Ask, context: Context, case: RecoveryCase
) -> None:
    customer = customer_of(context, case)
    first = ask(customer).json["notice"]["id"]
    assert ask(customer).json["notice"]["id"] == first
    written(context, case, lambda _session, row: setattr(row, "state", CaseState.NEEDS_CUSTOMER))
    written(context, case, lambda _session, row: setattr(row, "customer_reason", "needs_approval"))
    assert ask(customer).json["notice"]["id"] != first


def test_it_is_spoken_in_the_app_s_language_else_in_the_customer_s(
    ask: Ask, context: Context, case: RecoveryCase
) -> None:
    customer = customer_of(context, case)

    def speak(session: Session, row: RecoveryCase) -> None:
        session.get_one(Customer, row.customer_id).locales = ["sv-SE"]

    written(context, case, speak)
    assert ask(customer).json["notice"]["language"] == "sv"
    assert ask(customer, "ar-EG").json["notice"]["direction"] == "rtl"
    assert ask(customer, "zh-CN").json["notice"]["language"] == "zh-Hans"
    assert ask(customer, "tlh").json["notice"]["language"] == "sv"
    assert ask(customer, "../../etc").json["notice"]["language"] == "sv"


def test_every_language_of_the_mails_has_every_text() -> None:
    assert notice.languages() == list(languages())
    wanted = notice.texts("en").keys()
    assert {"dismiss", *Kind, *(f"{kind}_action" for kind in Kind)} == wanted
    for language in notice.languages():
        words = notice.texts(language)
        assert words.keys() == wanted
        assert all(isinstance(text, str) and text.strip() for text in words.values())
        assert language == "en" or not set(words.values()) & set(notice.texts("en").values())


def test_a_nul_in_the_address_is_refused(app: Flask) -> None:
    answer = app.test_client().get("/embed/notice?token=a%00b")
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_asking_without_end_is_slowed(app: Flask, key: MadeKey) -> None:
    token, client = token_for(key, "cus_nobody"), app.test_client()
    for _ in range(OF_NOTICE.amount):
        assert client.get(f"/embed/notice?token={token}").status_code == 200
    answer = client.get(f"/embed/notice?token={token}")
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1


def test_the_script_may_be_loaded_anywhere_and_is_small(app: Flask) -> None:
    answer = app.test_client().get("/embed.js")
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert len(answer.data) < 5000
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "max-age=3600" in answer.headers["Cache-Control"]
    again = app.test_client().get("/embed.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
