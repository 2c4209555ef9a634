"""Small charts as numbers: where each bar of an inline SVG stands. Pure; colours and words are the template's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH = 640
HEIGHT = 140
GAP = 3


@dataclass(frozen=True)
class Bar:
    """One day: money that came (above the line) and money that was lost (below), as coordinates and as amounts."""

    day: date
    x: float
    width: float
    recovered: int
    recovered_y: float
    recovered_height: float
    lost: int
    lost_height: float


@dataclass(frozen=True)
class BalanceChart:
    """Bars around a line at `baseline`, in a box of `WIDTH` by `HEIGHT`."""

    bars: tuple[Bar, ...]
    baseline: float

    @property
    def is_empty(self) -> bool:
        return not any(bar.recovered or bar.lost for bar in self.bars)


def balance_chart(days: Sequence[tuple[date, int, int]]) -> BalanceChart:
    """`days` are (day, recovered, lost) in minor units of one currency; both directions have one scale."""
    highest = max((recovered for _, recovered, _ in days), default=0)
    deepest = max((lost for _, _, lost in days), default=0)
    scale = HEIGHT / ((highest + deepest) or 1)
    baseline = highest * scale if highest + deepest else HEIGHT / 2
    step = WIDTH / max(1, len(days))
    bars = (
        Bar(
            day=day,
            x=round(index * step + GAP / 2, 2),
            width=round(step - GAP, 2),
            recovered=recovered,
            recovered_y=round(baseline - recovered * scale, 2),
            recovered_height=round(recovered * scale, 2),
            lost=lost,
            lost_height=round(lost * scale, 2),
        )
        for index, (day, recovered, lost) in enumerate(days)
    )
    return BalanceChart(tuple(bars), round(baseline, 2))
