"""Errands carried on without a pace, in the test's own process."""

from typing import Any

from app.inbox.errands.running import Progress, begin, carry_on
from app.inbox.errands.upkeep import begin_backfill
from app.models import Connection, Errand, Finding
from app.vocabulary import ErrandKind
from tests.stage import Stage


def connection_of(stage: Stage) -> Connection:
    (found,) = stage.rows(Connection)
    return found  # type: ignore[no-any-return]


def run(stage: Stage, kind: ErrandKind, **options: Any) -> Progress:
    """One errand from its beginning as far as it goes."""
    errand_id = begin(stage.context, connection_of(stage), kind, "test", options)
    return carry_on(stage.context, stage.organization_id, errand_id, pace=lambda: None)


def reconcile(stage: Stage, options: dict[str, Any] | None = None) -> list[Finding]:
    """Look for what was missed; what this look found, in order."""
    progress = run(stage, ErrandKind.RECONCILE, **(options or {}))
    assert progress.standing == "done", progress
    newest = max(stage.rows(Errand, Errand.kind == ErrandKind.RECONCILE), key=lambda errand: errand.started_at)
    return sorted(stage.rows(Finding, Finding.errand_id == newest.id), key=lambda finding: finding.id)


def backfill(stage: Stage, months: int = 24) -> Progress:
    """Read the past."""
    errand_id = begin_backfill(stage.context, connection_of(stage), "test", months)
    return carry_on(stage.context, stage.organization_id, errand_id, pace=lambda: None)
