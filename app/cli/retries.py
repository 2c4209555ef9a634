"""`recoup retries`: look into the retry planner from outside. `evaluate` measures planners in simulated worlds."""

import json

import click

from app.cli.common import for_people
from app.cli.explanations import explain
from app.cli.learning import export, import_counts, learn, replay
from app.retries.evaluation import Evaluation, evaluate, load_world

HEADINGS = ("planner", "recovered", "95%", "tries/case", "violations", "days", "plan ms mean/p99", "calibration")


@click.group("retries")
def retries() -> None:
    """Look into the retry planner: why it decides as it does, and how it does in simulated worlds."""


for command in (explain, learn, export, import_counts, replay):
    retries.add_command(command)


@retries.command("evaluate")
@click.option("--world", required=True, help="PATH.py:FACTORY, MODULE:FACTORY, or a world of our own: us_consumer, …")
@click.option("--planner", "planners", multiple=True, default=("recoup",), show_default=True,
              help="recoup, even, even-8-in-14, fixed-1-3-5-7, clairvoyant; may be given often.")  # fmt: skip
@click.option("--window", type=click.IntRange(1, 60), default=28, show_default=True, help="Days after the failure.")
@click.option("--attempts", type=click.IntRange(1, 8), default=4, show_default=True, help="Most tries of one case.")
@click.option("--cases", type=click.IntRange(2), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--learn", type=click.IntRange(0), default=0, help="Let the planner learn first from so many other cases."
)
@click.option("--alone", is_flag=True, help="Leave out the baselines: even, fixed-1-3-5-7, clairvoyant.")
@click.option("--json", "as_json", is_flag=True)
@for_people
def run_evaluation(
    world: str, planners: tuple[str, ...], window: int, attempts: int, cases: int, seed: int, learn: int, alone: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Let planners play the same failed payments of a simulated world, and compare what they recover."""
    result = evaluate(
        load_world(world), planners, window=window, attempts=attempts, cases=cases, seed=seed, learning_cases=learn,
        alone=alone,
    )  # fmt: skip
    click.echo(json.dumps(result.to_dict(), indent=2) if as_json else _table(result))


def _table(result: Evaluation) -> str:
    lines = [
        f"{result.world}: {result.cases} failed payments, {result.attempts} tries in {result.window} days, "
        f"seed {result.seed}, learnt from {result.learn} other cases. A simulation: it compares, it promises nothing.",
        "  ".join(HEADINGS),
    ]
    for name, found in result.planners.items():
        low, high = found.interval95
        days = f"{found.mean_days_to_recovery:.1f}" if found.mean_days_to_recovery is not None else "-"
        error = f"{found.calibration_error:.3f}" if found.calibration_error is not None else "-"
        lines.append(
            f"{name:20} {found.recovered_share:6.1%}  {low:.1%}-{high:.1%}  {found.attempts_per_case:.2f}  "
            f"{found.violations}  {days}  {found.plan_ms_mean:.2f}/{found.plan_ms_p99:.2f}  {error}"
        )
    lines += [
        f"{one.planner} against {one.against}: {100 * one.difference:+.1f} points "
        f"({100 * one.interval95[0]:+.1f} to {100 * one.interval95[1]:+.1f}), {one.attempts_ratio:.0%} of its tries"
        for one in result.paired
    ]
    lines += [f"{name} closes {gap:.0%} of the gap from even to clairvoyant" for name, gap in result.gap_closed.items()]
    return "\n".join(lines)
