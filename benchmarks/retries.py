"""Measures the retry planner in our own worlds and in others: the targets, each part's worth, learning, speed.

`python -m benchmarks.retries contest|informed|ablations|learning|off-policy|speed [--world W] [--cases N] [--seed S]`,
a line at a time; `--world strange` stands for all of `strange_worlds`, `drawn:17` for one of `drawn_worlds` and
`drawn:20-31` for some; without it all of our own are played.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from math import pi, sqrt
from time import process_time

import numpy as np

from app.retries.evaluation import Evaluation, World, evaluate, load_world, policy_of
from app.retries.exploration import tickets
from app.retries.facts import RetryPolicy
from app.retries.measuring.contest import Played, opening, play
from app.retries.measuring.figures import Bin
from app.retries.measuring.ours import Ours
from app.retries.planning import make_plan
from app.retries.replaying import Tried, rehearse
from benchmarks import drawn_worlds, strange_worlds
from benchmarks.informed import informed_of

OWN = ("us_consumer", "uk_eu", "business_credit", "foreign_calendars", "no_structure")
STRANGE = {make.__name__: make for make in strange_worlds.ALL}
ABLATIONS = ("recoup-no-floors", "recoup-no-calendars", "recoup-no-updates", "recoup-short-window")
TAUGHT = (0, 100, 300)


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=tuple(PARTS))
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--world", action="append")
    given = parser.parse_args()
    for name in given.world or OWN:
        for world in _worlds(name):
            PARTS[given.part](world, given.cases, given.seed)


def _worlds(name: str) -> list[World]:
    if name == "strange":
        return [make() for make in strange_worlds.ALL]
    if name in STRANGE:
        return [STRANGE[name]()]
    if name.startswith("drawn:"):
        first, _, last = name.removeprefix("drawn:").partition("-")
        return [drawn_worlds.drawn(number) for number in range(int(first), int(last or first) + 1)]
    return [load_world(name)]


def contest(world: World, cases: int, seed: int) -> None:
    """The planner against everybody, from day 0."""
    result = evaluate(world, ("recoup", "even-8-in-14"), cases=cases, seed=seed)
    _show_planners(result)
    for one in result.paired:
        if one.planner == "recoup":
            low, high = one.interval95
            print(f"  against {one.against}: {100 * one.difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}], "
                  f"{one.attempts_ratio:.0%} of its tries", flush=True)  # fmt: skip
    print(f"  gap closed: {result.gap_closed.get('recoup', float('nan')):.0%}")
    for bin in result.calibration["recoup"]:
        print(f"  said {bin.said:.2f}, came {bin.came:.2f}, {bin.count} tries")


def informed(world: World, cases: int, seed: int) -> None:
    """How far somebody comes who knows the world's numbers and not the person, on the cases of the contest."""
    policy, planner = policy_of(28, 4), informed_of(world)
    found = [play(planner, case, policy, f"case_{number}", process_time)
             for number, case in enumerate(world.cases(cases, np.random.default_rng([seed, 0])))]  # fmt: skip
    bounds = evaluate(world, (), cases=cases, seed=seed).planners
    low, high = bounds["even"].recovered_share, bounds["clairvoyant"].recovered_share
    share = float(np.mean([each.recovered for each in found]))
    print(f"{world.name}: {share:.1%} of {cases}, even {low:.1%}, clairvoyant {high:.1%}: "
          f"{(share - low) / max(high - low, 0.01):.0%} of the gap", flush=True)  # fmt: skip


def ablations(world: World, cases: int, seed: int) -> None:
    """What each part is worth: the planner with one eye shut."""
    result = evaluate(world, ("recoup", *ABLATIONS), cases=cases, seed=seed, alone=True)
    _show_planners(result)
    for one in result.paired:
        if one.planner == "recoup":
            low, high = one.interval95
            print(
                f"  {one.against} costs {100 * one.difference:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]", flush=True
            )


def learning(world: World, cases: int, seed: int) -> None:
    """The same cases after so many others."""
    for taught in TAUGHT:
        result = evaluate(world, cases=cases, seed=seed, learning_cases=taught, alone=True)
        found = result.planners["recoup"]
        luck = _luck(result.calibration["recoup"])
        print(f"{world.name} after {taught}: {found.recovered_share:.1%}, {found.attempts_per_case:.2f} tries, "
              f"calibration error {found.calibration_error:.3f}, luck alone {luck:.3f}", flush=True)  # fmt: skip


def _luck(bins: Sequence[Bin]) -> float:
    """The calibration error that perfect forecasts would show: so few tries are in each bin."""
    distances = [sqrt(2 / pi * each.said * (1 - each.said) * each.count) for each in bins]
    return sum(distances) / sum(each.count for each in bins)


def speed(world: World, cases: int, seed: int) -> None:
    """CPU time to plan cases anew, one after the other."""
    spent = plan_times(world, cases, seed)
    print(f"{world.name}: {cases} plans, {sum(spent) / 1000:.1f} s of CPU, mean {np.mean(spent):.2f} ms, "
          f"p99 {np.percentile(spent, 99):.2f} ms", flush=True)  # fmt: skip


def plan_times(world: World, cases: int, seed: int) -> list[float]:
    """Milliseconds of CPU that each of so many plans took."""
    drawn = world.cases(min(cases, 200), np.random.default_rng(seed))
    facts = [opening(case.failure, f"case_{number}") for number, case in enumerate(drawn)]
    policy, spent = replace(policy_of(28, 4), exploration_loss=0.01), []
    for number in range(cases):
        started = process_time()
        make_plan(facts[number % len(facts)], policy)
        spent.append(1000 * (process_time() - started))
    return spent


def off_policy(world: World, cases: int, seed: int) -> None:
    """What never exploring would have recovered, estimated from tries that did explore, beside what it does recover."""
    drawn = world.cases(cases, np.random.default_rng(seed))
    draft = policy_of(28, 4)
    logging = replace(draft, exploration_loss=0.01)
    logged, truth = (
        [play(Ours(), case, policy, f"case_{number}", process_time) for number, case in enumerate(drawn)]
        for policy in (logging, draft)
    )
    found = rehearse([_tries_of(each, logging) for each in logged], draft).estimate
    low, high = found.interval95
    came = np.mean([each.recovered for each in truth])
    print(f"{world.name}: estimated {found.value:.1%} [{low:.1%}, {high:.1%}] from {cases} logged cases (worth "
          f"{found.effective_cases:.0f}); really {came:.1%}", flush=True)  # fmt: skip


def _tries_of(played: Played, policy: RetryPolicy) -> list[Tried]:
    """The logged tries of a case, as its decision records would have them."""
    tries, attempts = [], played.facts.attempts
    for number in range(1, len(attempts)):
        before = replace(played.facts, attempts=attempts[:number], card_attempts=played.facts.card_attempts[:number])
        of = tickets(make_plan(before, policy), policy, before.amount_minor)
        at = attempts[number].at
        chance = next(ticket.probability for ticket in of if ticket.option.at == at)
        tries.append(Tried(before, at, chance, attempts[number].outcome == "approved"))
    return tries


def _show_planners(result: Evaluation) -> None:
    for name, found in result.planners.items():
        low, high = found.interval95
        error = "-" if found.calibration_error is None else f"{found.calibration_error:.3f}"
        print(f"{result.world} {name}: {found.recovered_share:.1%} [{low:.1%}, {high:.1%}], "
              f"{found.attempts_per_case:.2f} tries, {found.violations} violations, calibration {error}, "
              f"{found.plan_ms_mean:.2f}/{found.plan_ms_p99:.2f} ms", flush=True)  # fmt: skip


PARTS = {
    "contest": contest,
    "informed": informed,
    "ablations": ablations,
    "learning": learning,
    "off-policy": off_policy,
    "speed": speed,
}

if __name__ == "__main__":
    main()
