"""The recovery report: by currency and by month of failure, as a page and as CSV."""

import io

from flask import Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from app.console import current, wanted
from app.console.blueprint import console
from app.reports import metrics, tables
from app.reports.metrics import ATTRIBUTION_RULE, Overview


@console.get("/reports")
def reports() -> ResponseReturnValue:
    report = _report()
    return render_template("console/reports.html", report=report, attribution_rule=ATTRIBUTION_RULE)


@console.get("/reports/<any(currencies, cohorts):table>.csv")
def report_csv(table: str) -> ResponseReturnValue:
    make = {"currencies": tables.currency_table, "cohorts": tables.cohort_table}[table]
    file = io.StringIO()
    report = _report()
    if wanted.notices():
        abort(400, f"{wanted.notices()[0]} A file cannot say so; put the address right.")
    tables.write_csv(make(report), file)
    response = Response(file.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="recoup-{table}.csv"'
    return response


def _report() -> Overview:
    currency = request.args.get("currency", "").lower() or None
    with current.rows() as session:
        return metrics.overview(
            session, now=current.now(), currency=currency, since=wanted.day("since"), until=wanted.day("until")
        )
