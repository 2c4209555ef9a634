"""A case whose next try of the card is due, and the ways in which the answer to it can get lost."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app.models import ChargeAttempt, RecoveryCase
from app.vocabulary import AttemptSource, StepKind
from tests.stage import Stage


@dataclass
class Trial:
    """One unpaid invoice on the stage."""

    stage: Stage
    customer: str
    subscription: str
    invoice: str

    @property
    def case(self) -> RecoveryCase:
        return self.stage.case(self.invoice)

    @property
    def ours(self) -> list[ChargeAttempt]:
        """Our own tries, oldest first."""
        return [one for one in self.stage.attempts(self.invoice) if one.source is AttemptSource.RECOUP]

    @property
    def attempt(self) -> ChargeAttempt:
        """Our only try."""
        (one,) = self.ours
        return one

    def trouble(self, kind: str, count: int | None = 1, path: str | None = None) -> None:
        """Have the next `count` requests to pay this invoice (or those of `path`) fail in one manner."""
        fault = {"kind": kind, "path": f"/invoices/{self.invoice}/pay" if path is None else path, "count": count}
        assert self.stage.http.post(f"{self.stage.sandbox.url}/_sandbox/faults", json=fault, timeout=10).ok

    def reach_the_retry(self) -> None:
        """Turn the clock to the planned try and let it happen."""
        (step,) = [one for one in self.stage.steps(self.invoice) if one.kind is StepKind.RETRY and not one.finished_at]
        self.stage.advance(seconds=(step.due_at - self.stage.now).total_seconds() + 1)

    def wait(self, **by: float) -> None:
        self.stage.advance(**by)

    def jump(self, **by: float) -> None:
        """Turn the clock while every process of Recoup is down: nothing happens on the way."""
        self.stage.control("clock", to=(self.stage.now + timedelta(**by)).isoformat())

    def books(self) -> dict[str, Any]:
        """What the sandbox itself says of the invoice."""
        answer = self.stage.http.get(f"{self.stage.sandbox.url}/_sandbox/books", timeout=20).json()
        (found,) = [one for one in answer["invoices"] if one["invoice"] == self.invoice]
        return dict(found)

    def pay_requests(self) -> int:
        """Charges, good or bad, that the card's bank has seen for this invoice."""
        found = self.books()
        return int(found["successful_charges"] + found["failed_charges"])


@pytest.fixture
def trial(stage: Stage) -> Trial:
    """A soft decline; the bank would approve the next try."""
    return begin_trial(stage)


def begin_trial(stage: Stage, *script: str) -> Trial:
    """A customer whose renewal has failed; `script` is what the bank answers, the failure first."""
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], *(script or ("insufficient_funds", "approve")))
    return Trial(stage, robin["customer"], robin["subscription"], invoice)
