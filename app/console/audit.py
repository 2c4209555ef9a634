"""Who did what: the audit entries of an organization, newest first."""

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app.console import current
from app.console.blueprint import console
from app.console.paging import read_page
from app.models import AuditEntry


@console.get("/audit")
def audit() -> ResponseReturnValue:
    with current.rows() as session:
        page = read_page(session, select(AuditEntry).order_by(AuditEntry.happened_at.desc(), AuditEntry.id.desc()))
    return render_template("console/audit.html", page=page)
