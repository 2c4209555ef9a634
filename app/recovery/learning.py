"""What an organization's failures teach the planner, once a night: read in one transaction, kept in another, thought
over in none. The newest row says when it was last done, so that any number of clocks may ask whether it is due.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from app.context import Context
from app.models import AuditEntry, Connection, Organization, RetryDecision, RetryKnowledge
from app.recovery import knowing
from app.recovery.stories import all_stories
from app.retries.knowledge import SHIPPED, Knowledge, read_knowledge
from app.retries.learning import learn

EVERY = timedelta(hours=24)
KEPT = timedelta(days=30)
HISTORY = timedelta(days=730)
MOST_CASES = 5000  # older ones have faded; these take seconds
BY_ITSELF, IMPORTED = "Recoup", "import"


def find_due(session: Session, now: datetime) -> list[UUID]:
    """Organizations with an account that have not learnt for a day; needs the system session."""
    last = (
        select(func.max(RetryKnowledge.learnt_at))
        .where(RetryKnowledge.organization_id == Organization.id, RetryKnowledge.by != IMPORTED)
        .scalar_subquery()
    )
    has_account = select(Connection.id).where(Connection.organization_id == Organization.id).exists()
    query = select(Organization.id).where(has_account, or_(last.is_(None), last <= now - EVERY))
    return list(session.scalars(query.order_by(Organization.id)))


def learn_if_due(context: Context, organization_id: UUID) -> None:
    """The nightly lesson, unless somebody has had it already."""
    with context.database.system() as session:
        is_due = organization_id in find_due(session, context.clock.now())
    if is_due:
        learn_now(context, organization_id, BY_ITSELF)


def learn_now(context: Context, organization_id: UUID, by: str) -> RetryKnowledge:
    """Learn from everything there is, and keep the outcome with its reason, also when it is not to be used."""
    now = context.clock.now()
    with context.database.organization(organization_id) as session:
        history = all_stories(session, now - HISTORY, MOST_CASES)
        base = _imported(session)
    lesson = learn(history, base)
    row = _row(organization_id, lesson.knowledge, by, now)
    row.is_used, row.reason, row.cases, row.gain = lesson.is_used, lesson.reason, len(history), lesson.gain_per_forecast
    with context.database.organization(organization_id) as session:
        session.add(row)
        session.flush()
        forget_unused(session, now)
    return row


def forget_unused(session: Session, now: datetime) -> None:
    """Drop lessons of more than a month ago that no decision was made with, but never the newest nor an import.

    A decision keeps what it needs to be made again; of several rows of one version the newest is enough.
    """
    newest = select(func.max(RetryKnowledge.id))
    latest_of_version = select(func.max(RetryKnowledge.id)).group_by(RetryKnowledge.version)
    named = select(RetryDecision.knowledge).distinct()
    is_needed = RetryKnowledge.version.in_(named) & RetryKnowledge.id.in_(latest_of_version)
    session.execute(
        delete(RetryKnowledge).where(
            RetryKnowledge.learnt_at < now - KEPT,
            RetryKnowledge.by != IMPORTED,
            RetryKnowledge.id.not_in(newest),
            ~is_needed,
        )
    )


def import_counts(context: Context, organization_id: UUID, text: str, by: str) -> RetryKnowledge:
    """Use exported counts from now on, and as what later lessons build upon. Raises `UnreadableCounts`."""
    knowledge, now = read_knowledge(text), context.clock.now()
    row = _row(organization_id, knowledge, IMPORTED, now)
    row.is_used, row.reason = True, f"imported by {by}: counts of {knowledge.cases} cases"
    row.cases, row.gain = knowledge.cases, 0.0
    with context.database.organization(organization_id) as session:
        session.add(row)
        session.add(
            AuditEntry(
                organization_id=organization_id,
                actor=by,
                action="retries.imported",
                subject=f"knowledge {knowledge.version}",
                happened_at=now,
                data={"cases": knowledge.cases},
            )
        )
    return row


def export_counts(context: Context, organization_id: UUID) -> str:
    """What the planner believes now, as JSON without anything personal."""
    with context.database.organization(organization_id) as session:
        return knowing.newest(session).to_json()


def _imported(session: Session) -> Knowledge:
    query = select(RetryKnowledge.content).where(RetryKnowledge.by == IMPORTED)
    content = session.scalar(query.order_by(RetryKnowledge.id.desc()).limit(1))
    return read_knowledge(content) if content else SHIPPED


def _row(organization_id: UUID, knowledge: Knowledge, by: str, now: datetime) -> RetryKnowledge:
    return RetryKnowledge(
        organization_id=organization_id,
        learnt_at=now,
        by=by,
        version=knowledge.version,
        content=knowledge.to_json(),
    )
