"""The overview as JSON-ready values: amounts in minor units, rates between 0 and 1, moments in ISO 8601."""

from dataclasses import asdict
from typing import Any

from app.reports.figures import Outcomes
from app.reports.metrics import ATTRIBUTION_RULE, Cohort, CurrencyReport, Overview


def plain_overview(report: Overview) -> dict[str, Any]:
    """Everything the overview knows. `rate` is null while a set still has open windows; `range` then says how far
    it is known (see docs/metrics.md)."""
    period = report.period
    return {
        "as_of": report.as_of.isoformat(),
        "attribution_rule": ATTRIBUTION_RULE,
        "currencies": {each.currency: _currency(each) for each in report.currencies},
        "since": period.since.isoformat() if period.since else None,
        "until": period.until.isoformat() if period.until else None,
    }


def _currency(report: CurrencyReport) -> dict[str, Any]:
    return {
        **asdict(report.outcomes),
        "cohorts": [_cohort(cohort) for cohort in report.cohorts],
        "days_to_recover": {"mean": report.mean_days_to_recover, "median": report.median_days_to_recover},
        "matured": {**asdict(report.matured), "rate": asdict(report.matured.recovery_rate)},
        "recovered_by": {cause.value: asdict(total) for cause, total in report.recovered_by.items()},
        "still_open": {**asdict(report.still_open), "range": _range(report.still_open)},
    }


def _range(outcomes: Outcomes) -> dict[str, Any]:
    return {"of_all": asdict(outcomes.recovery_rate), "of_decided": asdict(outcomes.rate_of_decided)}


def _cohort(cohort: Cohort) -> dict[str, Any]:
    return {
        **asdict(cohort.outcomes),
        "is_matured": cohort.is_matured,
        "month": cohort.month.isoformat()[:7],
        "range": None if cohort.is_matured else _range(cohort.outcomes),
        "rate": asdict(cohort.outcomes.recovery_rate) if cohort.is_matured else None,
    }
