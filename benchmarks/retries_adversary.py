"""Hunts for a charge that breaks a rule: random stories over all brands, each charge judged by rules written anew.

`python -m benchmarks.retries_adversary --charges 1000000 --processes 2`. The stories and the judge are those of the
test suite (`tests/unit/retries`): cards of every brand that are charged elsewhere too, codes in any mixture, tries of
Stripe, customers and others in between, new cards, holds, promises, outages. `--eager` has the loosest settings that
are accepted and a ladder that always wants to try, so that only the rules stand between it and the card.
"""

import argparse
from collections import Counter
from multiprocessing import Pool

from app.retries.facts import RetryPolicy
from tests.unit.retries.adversary import any_story

BATCH = 400
EAGER = RetryPolicy(
    ladder_days=tuple(0.5 * number for number in range(1, 60)), window_days=60, max_attempts=8, min_gap_hours=24,
    per_card_30d=35, visa_30d=20, mastercard_24h=10, debit_no_funds_attempts=8, open_hour=0, close_hour=24,
)  # fmt: skip


def main() -> None:
    """Run stories until so many charges have been judged; exits with 1 where one broke a rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--charges", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--eager", action="store_true")
    given = parser.parse_args()
    judged: Counter[str] = Counter()
    complaints: list[str] = []
    seeds = range(given.seed, 10**7, BATCH)
    with Pool(given.processes) as pool:
        for counts, found in pool.imap_unordered(eager_batch if given.eager else run_batch, seeds):
            judged += counts
            complaints += found
            if complaints or judged.total() >= given.charges:
                break
        pool.terminate()
    for line in complaints[:5]:
        print(line)
    print(f"{judged.total()} charges judged, {len(complaints)} broke a rule; by brand: {dict(judged)}")
    raise SystemExit(1 if complaints else 0)


def eager_batch(first: int) -> tuple[Counter[str], list[str]]:
    """The same with settings that want to try all the time."""
    return run_batch(first, EAGER)


def run_batch(first: int, policy: RetryPolicy | None = None) -> tuple[Counter[str], list[str]]:
    """The stories of some seeds, with their own settings or `policy`: charges by brand, and complaints."""
    counts: Counter[str] = Counter()
    complaints: list[str] = []
    for seed in range(first, first + BATCH):
        story = any_story(seed)
        story.policy = policy or story.policy
        story.run(steps=60)
        brand = story.facts.card.brand if story.facts.card else None
        counts[brand or "unknown"] += len(story.charges)
        complaints += [f"seed {seed}: {one}" for one in story.complaints]
    return counts, complaints


if __name__ == "__main__":
    main()
