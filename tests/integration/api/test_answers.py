"""What the API answers: lists chained by cursors, cases in full, errors that say what to do."""

from datetime import datetime

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from app.context import Context
from app.vocabulary import CaseState
from tests.integration.api.conftest import Program
from tests.integration.api.test_isolation import customer_of
from tests.integration.console.world import World, add_case


def test_pages_of_cases_neither_overlap_nor_leave_any_out(
    program: Program, context: Context, world: World, now: datetime
) -> None:
    every = [case["id"] for case in program.get("/api/v1/cases?limit=100").json["cases"]]
    seen, cursor = [], ""
    while True:
        page = program.get(f"/api/v1/cases?limit=4{cursor}").json
        seen += [case["id"] for case in page["cases"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
        with context.database.organization(world.organization_id) as session:
            add_case(session, world, CaseState.CLOSED, now, now, 90)  # newer than all: it shifts no later page
    assert seen == every
    assert len(seen) >= len(CaseState)


def test_a_list_can_be_had_by_state_and_by_customer(program: Program, context: Context, world: World) -> None:
    found = program.get("/api/v1/cases?state=waiting&state=exhausted&limit=100").json["cases"]
    assert {case["state"] for case in found} == {"waiting", "exhausted"}
    customer = customer_of(context, world)
    found = program.get(f"/api/v1/cases?customer={customer}").json["cases"]
    assert [case["id"] for case in found] == [str(world.case_ids[CaseState.WAITING])]
    assert found[0]["amount"] == {"minor": 4900, "currency": "eur", "decimal": "49.00"}


def test_a_case_in_full_says_what_comes_next_and_why(program: Program, world: World) -> None:
    found = program.get(f"/api/v1/cases/{world.case_ids[CaseState.WAITING]}").json
    assert found["next_step"]["kind"] == "retry"
    assert "third day after the failure" in found["next_step"]["why"]
    assert found["hold"]["kind"] == "promise"
    assert [entry["name"] for entry in found["timeline"]] == ["retry_not_made", "declined"]
    assert found["campaign"]["version"] == 1
    assert found["attempts"][0]["signals"]["decline_code"] == "insufficient_funds"
    assert "@" not in str(found)  # no address of anybody


def test_a_customer_s_status_sums_what_is_open_and_names_their_page(
    program: Program, context: Context, world: World
) -> None:
    waiting = program.get(f"/api/v1/customers/{customer_of(context, world)}/status").json
    assert waiting["status"] == "recovering"
    assert waiting["owed"] == [{"minor": 4900, "currency": "eur", "decimal": "49.00"}]
    assert "/pay/" in waiting["pay_url"]
    recovered = customer_of(context, world, CaseState.RECOVERED)
    assert program.get(f"/api/v1/customers/{recovered}/status").json | {"customer": ""} == {
        "customer": "", "status": "ok", "owed": [], "open_cases": [], "next_step": None, "hold": None, "pay_url": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "status"), [(CaseState.NEEDS_CUSTOMER, "needs_customer"), (CaseState.EXHAUSTED, "lost")]
)
def test_a_customer_s_status_follows_the_state_of_their_case(
    program: Program, context: Context, world: World, state: CaseState, status: str
) -> None:
    customer = customer_of(context, world, state)
    assert program.get(f"/api/v1/customers/{customer}/status").json["status"] == status


@pytest.mark.parametrize(
    ("address", "where"),
    [
        ("/api/v1/cases?limit=0", "limit"),
        ("/api/v1/cases?limit=many", "limit"),
        ("/api/v1/cases?limit=1&limit=2", "limit"),
        ("/api/v1/cases?state=asleep", "state.0"),
        ("/api/v1/cases?stat=waiting", "stat"),
        ("/api/v1/cases?cursor=abc", "cursor"),
        ("/api/v1/cases?cursor=%C3%BC", "cursor"),
        ("/api/v1/cases?cursor=MjAyNi0wMS0wMSAwMA", "cursor"),
        ("/api/v1/customers/cus_1/status?x=1", "x"),
        ("/api/v1/cases/00000000-0000-4000-8000-000000000000?x=1", "x"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_the_place(program: Program, address: str, where: str) -> None:
    answer = program.get(address)
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert [each["where"] for each in answer.json["errors"]] == [where]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/", 404),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/cases/not-a-uuid", 404),
        ("GET", "/api/v1/cases/%0A", 404),
        ("GET", "/api/v1/cases/00000000-0000-4000-8000-000000000000", 404),
        ("GET", "/api/v1/customers/cus_nobody/status", 404),
        ("DELETE", "/api/v1/cases", 405),
        ("GET", "/api/v1/embed-tokens", 405),
        ("GET", "/api/v1/cases?customer=a%00b", 400),
        ("POST", "/api/v1/embed-tokens", 400),
    ],
)
def test_every_error_is_a_problem_that_says_what_to_do(program: Program, method: str, path: str, status: int) -> None:
    answer = program.ask(method, path)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json["status"] == status
    assert len(answer.json["detail"]) > 20
    if status == 405:
        assert answer.headers["Allow"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        "[]",
        '{"customer": ""}',
        '{"customer": "a b"}',
        '{"customer": 7}',
        '{"customer": "c", "lifetime_minutes": "9"}',
    ],
)
def test_a_body_that_cannot_be_taken_is_refused(program: Program, body: str) -> None:
    answer = program.ask("POST", "/api/v1/embed-tokens", data=body)
    assert answer.status_code == 400
    assert answer.json["errors"]
    assert body not in answer.json["detail"] or not body


def test_what_has_not_changed_is_not_sent_again(program: Program, world: World) -> None:
    address = f"/api/v1/cases/{world.case_ids[CaseState.WAITING]}"
    first = program.get(address)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in first.headers["Vary"]
    again = program.get(address, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")


def test_a_page_of_cases_costs_the_same_however_many_are_on_it(program: Program, context: Context) -> None:
    engine = context.database._app
    counted: list[str] = []

    def count(*_args: object) -> None:
        counted.append(str(_args[2]))

    event.listen(engine, "before_cursor_execute", count)
    try:
        program.get("/api/v1/cases?limit=1")
        few, counted[:] = len(counted), []
        program.get("/api/v1/cases?limit=100")
    finally:
        event.remove(engine, "before_cursor_execute", count)
    assert len(counted) == few


def test_a_fault_of_ours_is_a_problem_too_and_shows_nothing_of_its_inside(
    program: Program, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_args: object) -> None:
        raise RuntimeError("sk_live_secret")

    monkeypatch.setattr(type(context.database), "organization", break_down)
    monkeypatch.setattr(program.client.application, "testing", False)
    answer = program.get("/api/v1/cases")
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert "sk_live" not in answer.text


def test_without_its_database_the_api_says_when_to_come_again(
    program: Program, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object) -> None:
        raise OperationalError("select 1", {}, Exception("gone"))

    monkeypatch.setattr(type(context.database), "system", away)
    answer = program.get("/api/v1/cases")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
