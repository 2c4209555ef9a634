"""A rehearsal from its order to its report."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.context import Context
from app.rehearsal import shares
from app.rehearsal.figures import figures
from app.rehearsal.findings import findings
from app.rehearsal.orders import Order
from app.rehearsal.report import render

Plain = dict[str, Any]


@dataclass(frozen=True)
class Rehearsed:
    """What came of it: plain figures, sentences worth a look, and the page that shows both."""

    figures: Plain
    findings: list[str]
    html: str

    def plain(self) -> Plain:
        """For programs; the page is left out."""
        return {"simulation": True, **self.figures, "findings": self.findings}


def rehearse(
    context: Context,
    order: Order,
    say: Callable[[float], None] = lambda _share: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Rehearsed:
    """Play `order` in rooms of its own beside this installation's tables; raises `RehearsalFailed` and `Cancelled`."""
    result = shares.perform(order, context.settings.require("database_url"), say, is_cancelled)
    counted = figures(order, result)
    found = findings(order, result, counted)
    return Rehearsed(counted, found, render(order, result, counted, found))
