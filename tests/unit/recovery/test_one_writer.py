"""One function moves a case: held against the program's source, so that a second one cannot slip in."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WRITER = "app/recovery/cases.py"
RAW = re.compile(r"\b(update|insert\s+into)\s+recovery_cases\b", re.IGNORECASE)


def offences(source: str) -> Iterator[str]:
    """What in a module writes the state of a case; by convention a case is held in a name that ends in `case`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (
                f"line {node.lineno}: state assigned" for target in targets for one in _flat(target) if _is_state(one)
            )
        elif isinstance(node, ast.Call):
            yield from _call(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and RAW.search(node.value):
            yield f"line {node.lineno}: raw statement"


def _flat(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        for inner in target.elts:
            yield from _flat(inner)
    else:
        yield target


def _is_state(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute) and target.attr == "state" and _is_case(target.value)


def _is_case(value: ast.expr) -> bool:
    name = value.id if isinstance(value, ast.Name) else value.attr if isinstance(value, ast.Attribute) else ""
    return name.lower().endswith("case")


def _call(node: ast.Call) -> Iterator[str]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name == "setattr" and _is_case(node.args[0]):
        yield f"line {node.lineno}: setattr on a case"
    if name in ("RecoveryCase", "update", "insert") and (
        name == "RecoveryCase" or any(_is_case(argument) for argument in node.args)
    ):
        yield f"line {node.lineno}: {name} of cases"


def modules() -> list[str]:
    found = [path for folder in ("app", "workers") for path in (ROOT / folder).rglob("*.py")]
    return sorted(str(path.relative_to(ROOT)) for path in found if path != ROOT / "app/models/recovery_case.py")


def test_nothing_but_the_writer_moves_a_case() -> None:
    watched = [name for name in modules() if name != WRITER]
    assert len(watched) > 200
    assert {name: found for name in watched if (found := list(offences((ROOT / name).read_text())))} == {}


def test_the_writer_assigns_the_state_in_one_place_and_makes_cases_in_one() -> None:
    found = [line.split(": ")[1] for line in offences((ROOT / WRITER).read_text())]
    assert sorted(found) == ["RecoveryCase of cases", "state assigned"]


@pytest.mark.parametrize(
    "source",
    [
        "case.state = 'paid'",
        "self.case.state = state",
        "(case.state, case.why) = pair",
        "found.recovery_case.state: str = 'x'",
        "setattr(case, name, value)",
        "session.execute(update(RecoveryCase).values(state='x'))",
        "session.add(RecoveryCase(state='x'))",
        "text('UPDATE  recovery_cases set state = :state')",
    ],
)
def test_the_watch_notices_each_way_to_write_a_state(source: str) -> None:
    assert list(offences(source))


def test_the_watch_lets_other_states_be_written() -> None:
    assert not list(offences("attempt.state = state\ncase.why = 'x'\nstep.state = case.state"))
