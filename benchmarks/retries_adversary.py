"""Hunts for a charge that breaks a rule: random stories over all brands, each charge judged by rules written anew.

`python -m benchmarks.retries_adversary --charges 1000000 --processes 2`. The stories and the judge are those of the
test suite (`tests/unit/retries`): cards of every brand shared by several invoices, codes in any mixture, tries of
Stripe, customers and others in between, new cards, holds, promises, outages.
"""

import argparse
from collections import Counter
from multiprocessing import Pool
from time import process_time

from tests.unit.retries.adversary import any_story

BATCH = 400


def main() -> None:
    """Run stories until so many charges have been judged; exits with 1 where one broke a rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--charges", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    judged: Counter[str] = Counter()
    complaints: list[str] = []
    started = process_time()
    with Pool(given.processes) as pool:
        for counts, found in pool.imap_unordered(run_batch, range(given.seed, 10**9, BATCH)):
            judged += counts
            complaints += found
            if complaints or judged.total() >= given.charges:
                break
        pool.terminate()
    for line in complaints[:5]:
        print(line)
    print(f"{judged.total()} charges judged, {len(complaints)} broke a rule; by brand: {dict(judged)}; "
          f"{process_time() - started:.0f} s of CPU in the first process")  # fmt: skip
    raise SystemExit(1 if complaints else 0)


def run_batch(first: int) -> tuple[Counter[str], list[str]]:
    """The stories of some seeds: charges by brand, and complaints."""
    counts: Counter[str] = Counter()
    complaints: list[str] = []
    for seed in range(first, first + BATCH):
        story = any_story(seed)
        story.run(steps=60)
        brand = story.facts.card.brand if story.facts.card else None
        counts[brand or "unknown"] += len(story.charges)
        complaints += [f"seed {seed}: {one}" for one in story.complaints]
    return counts, complaints


if __name__ == "__main__":
    main()
