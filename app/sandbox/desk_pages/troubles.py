"""The page of faults: a switch for each kind, terms for those who want them, and banks that are away."""

from typing import Any

from flask import request

from app.sandbox import issuer
from app.sandbox.checks import checked
from app.sandbox.control.wishes import FaultWish, OutageWish
from app.sandbox.desk_pages.rendering import Pages, Route, go
from app.sandbox.faults import KINDS, Fault

_OUTAGE_MINUTES = 180
_TERMS = ("rate", "count", "minutes", "seconds", "path", "seed")


class Troubles:
    """Its routes and what they do."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._desk = pages.desk

    def routes(self) -> list[Route]:
        """Method, rule, name and action of each."""
        return [
            ("GET", "/faults", "faults", self.show),
            ("POST", "/faults", "on_terms", self.switch_on_terms),
            ("POST", "/faults/calm", "calm", self.calm),
            ("POST", "/faults/outage", "outage", self.outage),
            ("POST", "/faults/on/<kind>", "switch_on", self.switch_on),
            ("POST", "/faults/off/<fault>", "switch_off", self.switch_off),
        ]

    def show(self) -> Any:
        """The page."""
        with self._desk.ledger() as ledger:
            away = issuer.outage_until(ledger)
        return self._pages.show("faults", kinds=KINDS, active=self._desk.faults.listed(), away=away)

    def switch_on(self, kind: str) -> Any:
        """One kind, on the terms given or always."""
        given = {name: request.form[name] for name in _TERMS if request.form.get(name)}
        if "rate" in given:
            given["rate"] = _share(given["rate"])
        self._desk.faults.add(Fault(**checked(FaultWish, {**given, "kind": kind}).model_dump()))
        return go("faults", "Switched on.")

    def switch_on_terms(self) -> Any:
        """The kind chosen, on the terms given."""
        return self.switch_on(request.form.get("kind", ""))

    def switch_off(self, fault: str) -> Any:
        """One of them."""
        self._desk.faults.clear(fault)
        return go("faults", "Switched off.")

    def calm(self) -> Any:
        """All of them, and the banks are back."""
        self._desk.faults.clear()
        with self._desk.ledger() as ledger:
            issuer.begin_outage(ledger, ledger.now)
        return go("faults", "All is calm.")

    def outage(self) -> Any:
        """Banks do not answer."""
        share = _share(request.form.get("share", "100"))
        wish = checked(OutageWish, {"minutes": request.form.get("minutes", _OUTAGE_MINUTES), "share": share})
        with self._desk.ledger() as ledger:
            issuer.begin_outage(ledger, ledger.now + int(wish.minutes * 60), wish.share)
        return go("faults", "Banks are away.")


def _share(percent: str) -> Any:
    """A share from a percentage as typed; what is no number is left for the check to refuse."""
    try:
        return float(percent) / 100
    except ValueError:
        return percent
