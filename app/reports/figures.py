"""Counts, amounts and rates of failed payments as values. Pure arithmetic: knows no database and no clock.

Amounts are whole minor units of one currency; nothing here can add two currencies, because each value is made for one.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Tally:
    """How many cases, and how much money in minor units."""

    cases: int = 0
    amount: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.cases + other.cases, self.amount + other.amount)

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(self.cases - other.cases, self.amount - other.amount)


@dataclass(frozen=True)
class Share:
    """A part of a whole between 0 and 1, by number of cases and by money; None where the whole is nothing."""

    by_cases: float | None
    by_amount: float | None


def share(part: Tally, whole: Tally) -> Share:
    """`part` of `whole`."""
    return Share(
        by_cases=part.cases / whole.cases if whole.cases else None,
        by_amount=part.amount / whole.amount if whole.amount else None,
    )


@dataclass(frozen=True)
class Outcomes:
    """What became of one set of cases in one currency.

    `recovered.amount` is the money that came; every other amount is the debt as it was when the payment first failed.
    """

    recovered: Tally = Tally()
    settled_elsewhere: Tally = Tally()
    lost: Tally = Tally()
    withdrawn: Tally = Tally()
    in_recovery: Tally = Tally()
    failed: Tally = Tally()

    def __add__(self, other: "Outcomes") -> "Outcomes":
        return Outcomes(**{each.name: getattr(self, each.name) + getattr(other, each.name) for each in fields(self)})

    @property
    def owed(self) -> Tally:
        """The denominator of every rate: what failed, without debts that were withdrawn before the end."""
        return self.failed - self.withdrawn

    @property
    def decided(self) -> Tally:
        """Debts whose story is over."""
        return self.owed - self.in_recovery

    @property
    def recovery_rate(self) -> Share:
        """Recovered of everything owed: final once the window of every case has closed, until then a lower bound."""
        return self.share_of_owed(self.recovered)

    def share_of_owed(self, part: Tally) -> Share:
        """`part` of everything owed."""
        return share(part, self.owed)

    @property
    def rate_of_decided(self) -> Share:
        """Recovered of what is decided: for open cohorts it runs high, because easy recoveries come first."""
        return share(self.recovered, self.decided)
