"""`/healthz`, `/readyz` and `/metrics`: for load balancers and Prometheus. No organization's data is shown."""

from datetime import datetime

from flask import Blueprint, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.context import Context

watch = Blueprint("watch", __name__)

_COUNTS = {
    "recoup_inbox_events": ("Webhooks kept, by state.", "select state, count(*) from inbox_events group by state"),
    "recoup_cases": ("Recovery cases, by state.", "select state, count(*) from recovery_cases group by state"),
    "recoup_attempts": ("Charge attempts, by state.", "select state, count(*) from charge_attempts group by state"),
    "recoup_messages": ("Mails, by state.", "select state, count(*) from messages group by state"),
    "recoup_missed": (
        "What the last thirty days' looks at Stripe found missing or changed, by kind.",
        "select kind, count(*) from findings where found_at > :now - interval '30 days' group by kind",
    ),
    "recoup_errands": ("Long errands at Stripe, by state.", "select state, count(*) from errands group by state"),
}
_AGES = {
    "recoup_oldest_unhandled_event_seconds": (
        "Age of the oldest webhook that nobody has handled yet.",
        "select extract(epoch from :now - min(received_at)) from inbox_events where state = 'received'",
    ),
    "recoup_last_reconcile_seconds": (
        "How long ago the connection that waits longest was last looked over for what was missed.",
        "select extract(epoch from :now - min(last)) from (select max(started_at) as last from errands"
        " where kind = 'reconcile' and state = 'done' group by connection_id) looks",
    ),
    "recoup_oldest_due_step_seconds": (
        "How late the latest step is that should have run.",
        "select extract(epoch from :now - min(due_at)) from steps"
        " where state in ('planned', 'claimed', 'running') and due_at <= :now",
    ),
}


@watch.get("/healthz")
def healthz() -> Response:
    """This process answers."""
    return Response("ok\n", mimetype="text/plain")


@watch.get("/readyz")
def readyz() -> tuple[dict[str, str], int]:
    """Whether Postgres can be used. Redis may be away: work then waits for the clock, and nothing is lost."""
    context: Context = current_app.extensions["recoup"]
    parts = {"redis": "ok" if context.bell.is_reachable() else "away (work is found by the clock)"}
    try:
        with context.database.system() as session:
            session.execute(text("select 1 from organizations limit 1"))
        parts["database"] = "ok"
    except SQLAlchemyError as problem:
        parts["database"] = f"away ({type(problem).__name__})"
    return parts, 200 if parts["database"] == "ok" else 503


@watch.get("/metrics")
def metrics() -> Response:
    """Counts and ages from the rows themselves, so that every web process tells the same."""
    context: Context = current_app.extensions["recoup"]
    registry = CollectorRegistry()
    with context.database.system() as session:
        for name, (meaning, query) in _COUNTS.items():
            gauge = Gauge(name, meaning, ["state"], registry=registry)
            for state, count in session.execute(text(query), _now(context, query)):
                gauge.labels(state=state).set(count)
        for name, (meaning, query) in _AGES.items():
            Gauge(name, meaning, registry=registry).set(_age(context, session, query))
    Gauge("recoup_queue_jobs", "Jobs waiting in Redis.", registry=registry).set(context.bell.waiting())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _age(context: Context, session: Session, query: str) -> float:
    return float(session.scalar(text(query), _now(context, query)) or 0)


def _now(context: Context, query: str) -> dict[str, datetime]:
    return {"now": context.clock.now()} if ":now" in query else {}
