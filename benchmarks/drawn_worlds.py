"""Worlds drawn by lot: nobody chose their paydays, purses and banks, so nobody can have had the planner in mind.

`python -m benchmarks.retries contest --world drawn:17`; the number is the seed of the world's nature. Half of them have
customs that people of the card's country know, half have any. The mechanism is that of `strange_worlds`; what is drawn
goes beyond its numbers: pay that is moved behind weekends or not at all, other hours, banks that calm down within a day
or a fortnight, accounts that hardly or hardly ever surprise. Refuses to know the planner.
"""

import numpy as np

from benchmarks.strange_worlds import OFF_WEEKENDS, USUAL_CAUSES, WEEKDAYS, Nature, Shares

PLACES = {
    "US": "America/Chicago", "GB": "Europe/London", "DE": "Europe/Berlin", "FR": "Europe/Paris", "PL": "Europe/Warsaw",
    "CA": "America/Toronto", "AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "MX": "America/Mexico_City",
    "JP": "Asia/Tokyo", "ZA": "Africa/Johannesburg", "NG": "Africa/Lagos",
}  # fmt: skip
WEEKLY = ("every 14 fri 0", "every 14 fri 1", "every 7 fri 0", "every 14 thu 0", "days 15 31", "days 1 15")
MONTHLY = ("days 31", "days 25", "days 28", "days 1", "days 27", "days 15")
KNOWN = {
    "US": WEEKLY, "CA": WEEKLY, "AU": ("every 7 thu 0", "every 14 wed 0", "every 14 thu 1", "days 15"),
    "BR": ("workday 5", "days 5", "days 20", "days 31"), "MX": ("days 15 31", "days 31", "every 7 fri 0"),
}  # fmt: skip


def drawn(number: int) -> Nature:
    """The world of this number."""
    rng = np.random.default_rng((2026, number))
    country = str(rng.choice(list(PLACES)))
    customs = KNOWN.get(country, MONTHLY) if rng.random() < 0.5 else tuple(_custom(rng) for _ in range(6))
    return Nature(
        name=f"drawn:{number}",
        paydays=_shares(rng, rng.choice(customs, int(rng.integers(1, 6)))),
        countries={country: PLACES[country]},
        causes=_about(rng, USUAL_CAUSES),
        funding=_about(rng, {"debit": 0.5, "credit": 0.4, "prepaid": 0.1}),
        lasts_days=(float(np.clip(rng.lognormal(np.log(4), 0.6), 1.2, 15)), float(rng.uniform(0.3, 0.9))),
        posted=((0.0, 9.0), (0.0, 9.0), (0.0, 3.0), (6.0, 16.0), (16.0, 22.0))[int(rng.integers(5))],
        hides=float(rng.beta(2, 4)),
        calms=float(rng.uniform(0.2, 0.7)),
        limit_daily=float(rng.uniform(0.2, 0.9)),
        knows_zone=float(rng.uniform(0.2, 1.0)),
        calm_days=float(rng.lognormal(np.log(3), 0.7)),
        with_money=float(rng.uniform(0.8, 0.98)),
        noise=float(rng.uniform(0.1, 0.8)),
        off_weekends=str(rng.choice(list(OFF_WEEKENDS))),
    )


def _custom(rng: np.random.Generator) -> str:
    weekday, day = WEEKDAYS[int(rng.integers(5))], int(rng.integers(1, 29))
    return (
        f"every 7 {weekday} 0",
        f"every 14 {weekday} {rng.integers(2)}",
        f"days {day}",
        f"days {day} {(day + 13) % 28 + 1}",
        f"nth {rng.integers(1, 5)} {weekday}",
        f"workday {rng.integers(1, 15)}",
        "any",
    )[int(rng.integers(7))]


def _shares(rng: np.random.Generator, names: np.ndarray) -> Shares:
    shares = rng.dirichlet(np.ones(len(names)))
    return {name: float(shares[names == name].sum()) for name in sorted(set(names.tolist()))}


def _about(rng: np.random.Generator, usual: Shares) -> Shares:
    """Other shares around the usual ones, as far from them as some 15 observations would be."""
    return dict(zip(usual, rng.dirichlet(15 * np.array(list(usual.values()))).tolist(), strict=True))
