"""Failpoints: silent unless armed, counted, and none of them unknown. That they kill is the fault suite's to show."""

import ast
from pathlib import Path

import pytest

from app import failpoints
from app.failpoints import FAILPOINTS, FailpointUnknown, failpoint, failpoint_during, is_next

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failpoints, "_passed", {})
    monkeypatch.delenv("RECOUP_FAILPOINT", raising=False)


def named_in_the_program() -> set[str]:
    files = [path for folder in ("app", "workers") for path in (ROOT / folder).rglob("*.py")]
    calls = [node for path in files for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in ("failpoint", "failpoint_during")
        and isinstance(call.args[0], ast.Constant)
    }


def test_the_list_names_every_failpoint_of_the_program_and_no_other() -> None:
    assert named_in_the_program() == set(FAILPOINTS)
    assert len(set(FAILPOINTS)) == len(FAILPOINTS)


def test_an_unarmed_failpoint_does_nothing_and_gives_the_answer_of_what_it_surrounds() -> None:
    for name in FAILPOINTS:
        failpoint(name)
        assert failpoint_during(name, lambda: "an answer") == "an answer"


def test_a_failpoint_armed_elsewhere_lets_this_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_FAILPOINT", "charge.answered")
    failpoint("step.begun")
    assert failpoint_during("charge.request_left", lambda: 1) == 1


def test_the_count_says_which_passage_is_meant() -> None:
    assert [is_next("step.begun", "step.begun@3") for _ in range(4)] == [False, False, True, False]
    assert is_next("charge.answered", "charge.answered")


@pytest.mark.parametrize("name", ["", "charge.anywhere"])
def test_a_failpoint_nobody_listed_cannot_be_passed(name: str) -> None:
    with pytest.raises(FailpointUnknown):
        failpoint(name)
    with pytest.raises(FailpointUnknown):
        failpoint_during(name, lambda: None)


def test_arming_a_failpoint_that_does_not_exist_is_an_error_and_not_a_calm_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOUP_FAILPOINT", "charge.anywhere")
    with pytest.raises(FailpointUnknown):
        failpoint("step.begun")
