"""The contest is fair: same cases, same luck, nobody looks into the cards, and figures that say what they mean."""

import json
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from app.cli.retries import retries
from app.retries.evaluation import (
    Case,
    Evaluation,
    NoSuchPlanner,
    NoSuchWorld,
    World,
    evaluate,
    load_world,
    make_contestant,
    policy_of,
)
from app.retries.measuring.contest import broken_rules, opening, play
from app.retries.measuring.figures import calibration_error, wilson
from benchmarks import strange_worlds
from benchmarks.drawn_worlds import drawn
from benchmarks.informed import informed_of
from tests.unit.retries.cases import after, case, declined

OWN = ("us_consumer", "uk_eu", "business_credit", "foreign_calendars", "no_structure")
STRANGE = [f"benchmarks.strange_worlds:{make.__name__}" for make in strange_worlds.ALL]
KEYS = {"recovered_share", "interval95", "attempts_per_case", "violations", "mean_days_to_recovery", "plan_ms_mean",
        "plan_ms_p99", "calibration_error"}  # fmt: skip


@pytest.fixture(scope="module")
def result() -> Evaluation:
    return evaluate(load_world("us_consumer"), cases=150, seed=4)


def test_the_planner_breaks_no_rule_and_beats_even_spacing_with_fewer_tries(result: Evaluation) -> None:
    ours, even = result.planners["recoup"], result.planners["even"]
    assert ours.violations == 0
    assert ours.recovered_share >= even.recovered_share + 0.06
    assert ours.attempts_per_case < even.attempts_per_case


def test_the_clairvoyant_is_ahead_of_everybody(result: Evaluation) -> None:
    best = max(result.planners.values(), key=lambda found: found.recovered_share)
    assert best == result.planners["clairvoyant"]
    assert 0 < result.gap_closed["recoup"] < 1


@pytest.mark.parametrize("name", [*OWN, *STRANGE])
def test_a_moment_gives_everybody_the_same_answer_and_a_seed_the_same_world(name: str) -> None:
    one, other = (load_world(name).cases(12, np.random.default_rng(9)) for _ in range(2))
    for mine, yours in zip(one, other, strict=True):
        assert mine.failure == yours.failure
        at = mine.failure.failed_at + (after(9) - after(0))
        assert mine.attempt(at) == yours.attempt(at)
        assert mine.approval_probability(at) == yours.approval_probability(at)
        assert 0 <= mine.approval_probability(at) <= 1


@pytest.mark.parametrize("name", ["us_consumer", "uk_eu", "business_credit"])
def test_the_common_ladder_recovers_about_what_vendors_report(name: str) -> None:
    found = evaluate(load_world(name), ("fixed-1-3-5-7",), cases=300, seed=1, alone=True).planners["fixed-1-3-5-7"]
    assert 0.22 < found.recovered_share < 0.48


class Sealed:
    """A case whose true chances nobody may ask for."""

    def __init__(self, inner: Case) -> None:
        self.failure = inner.failure
        self.attempt = inner.attempt

    def approval_probability(self, at: datetime) -> float:
        raise AssertionError("somebody looked into the cards")


def test_the_planner_never_asks_for_the_true_chance() -> None:
    for each in load_world("us_consumer").cases(15, np.random.default_rng(2)):
        play(make_contestant("recoup"), Sealed(each), policy_of(28, 4), "x", lambda: 0.0)


@pytest.mark.parametrize("world", [load_world("uk_eu"), strange_worlds.benefits(), drawn(3)], ids=lambda one: one.name)
def test_who_knows_the_world_alone_does_not_look_at_the_case_either(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.informed.PEOPLE", 15)
    for each in world.cases(3, np.random.default_rng(2)):
        assert not play(informed_of(world), Sealed(each), policy_of(28, 4), "x", lambda: 0.0).violations


def test_a_number_draws_the_same_world_each_time_and_numbers_differ() -> None:
    assert drawn(5) == drawn(5)
    assert len({str(drawn(number)) for number in range(40)}) == 40
    assert all(sum(drawn(number).paydays.values()) == pytest.approx(1) for number in range(40))


def test_broken_rules_are_seen() -> None:
    lost = case(replace(case().attempts[0].signals, decline_code="lost_card"), retries=(declined(after(1)),))
    broken = set(broken_rules(lost, policy_of(28, 1), after(1.5)))
    assert broken == {"card closed", "before min_gap", "cap of the invoice"}
    assert "window" in broken_rules(case(), policy_of(28, 4), after(28))


def test_a_world_of_somebody_else_is_loaded_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("from app.retries.worlds import no_structure\ndef make():\n    return no_structure()\n")
    assert load_world(f"{file}:make").name == "no_structure"
    assert load_world("app.retries.worlds:uk_eu").name == "uk_eu"


STRANGER = """
from __future__ import annotations
from dataclasses import dataclass, field
import neighbour

@dataclass
class World:
    name: str = "strange"
    sizes: dict[str, float] = field(default_factory=dict)
    def cases(self, n, rng):
        return neighbour.cases(n, rng)

INSTANCE = World("made")
def make(name="default"):
    return World(name)
def needs(something):
    return World(something)
def makes_none():
    return None
class Shelf:
    world = INSTANCE
"""


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [*sys.path])
    neighbour = "from app.retries.worlds import no_structure\ncases = no_structure().cases\n"
    (tmp_path / "neighbour.py").write_text(neighbour)
    file = tmp_path / "stranger.py"
    file.write_text(STRANGER)
    return file


@pytest.mark.parametrize(
    ("factory", "name"), [("World", "strange"), ("INSTANCE", "made"), ("make", "default"), ("Shelf.world", "made")]
)
def test_a_factory_may_be_a_class_a_world_or_a_function(stranger: Path, factory: str, name: str) -> None:
    world = load_world(f"{stranger}:{factory}")
    assert world.name == name
    assert evaluate(world, ("recoup",), cases=5, alone=True).planners["recoup"].violations == 0


@pytest.mark.parametrize("factory", ["needs", "makes_none", "missing", "neighbour"])
def test_what_is_no_world_is_said_with_what_to_give(stranger: Path, factory: str) -> None:
    with pytest.raises(NoSuchWorld, match="a world, its class, or a function without arguments"):
        load_world(f"{stranger}:{factory}")


def test_a_file_with_a_mistake_is_named_with_its_mistake(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("def make(:\n")
    with pytest.raises(NoSuchWorld, match="SyntaxError"):
        load_world(f"{file}:make")


@pytest.mark.parametrize("name", ["nowhere", "no.such.module:make", "/no/such/file.py:make", ""])
def test_a_world_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(NoSuchWorld, match="no world"):
        load_world(name)


def test_nobody_pays_for_the_tries_of_another_contestant() -> None:
    first = evaluate(load_world("us_consumer"), ("even",), cases=60, seed=8, alone=True)
    later = evaluate(load_world("us_consumer"), ("fixed-1-3-5-7", "even-8-in-14", "even"), cases=60, seed=8, alone=True)
    assert first.planners["even"].recovered_share == later.planners["even"].recovered_share
    assert first.planners["even"].attempts_per_case == later.planners["even"].attempts_per_case


def test_planners_are_made_by_name() -> None:
    for name in ("recoup", "even", "even-8-in-14", "fixed-1-3-5-7", "clairvoyant", "recoup-no-calendars"):
        assert make_contestant(name).name == name
    with pytest.raises(NoSuchPlanner, match="no planner best"):
        make_contestant("best")


def test_the_command_prints_the_figures_as_json() -> None:
    arguments = ["evaluate", "--world", "no_structure", "--planner", "recoup", "--cases", "20", "--seed", "3", "--json"]
    answer = CliRunner().invoke(retries, arguments)
    assert answer.exit_code == 0, answer.output
    content = json.loads(answer.output)
    assert set(content["planners"]) == {"recoup", "even", "fixed-1-3-5-7", "clairvoyant"}
    assert all(set(found) == KEYS for found in content["planners"].values())
    assert {one["against"] for one in content["paired"]} == {"even", "fixed-1-3-5-7", "clairvoyant"}


def test_the_command_shows_people_a_table_and_a_bad_world_as_a_sentence() -> None:
    shown = CliRunner().invoke(retries, ["evaluate", "--world", "no_structure", "--cases", "10", "--alone"])
    assert "A simulation" in shown.output
    wrong = CliRunner().invoke(retries, ["evaluate", "--world", "nowhere"])
    assert wrong.exit_code == 1
    assert "no world nowhere" in wrong.output


def test_figures_of_small_numbers() -> None:
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert calibration_error([(0.2, False), (0.2, True), (0.9, True)]) == pytest.approx((2 * 0.3 + 0.1) / 3)
    assert calibration_error([]) is None


def test_a_try_that_never_reached_the_network_uses_no_budget() -> None:
    failure = load_world("us_consumer").cases(1, np.random.default_rng(1))[0].failure
    unsent = replace(failure, signals=replace(failure.signals, network_status="not_sent_to_network"))
    assert len(opening(failure, "x").card_attempts) == 1
    assert opening(unsent, "x").card_attempts == ()
