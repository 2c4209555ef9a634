"""What the planner believes before a case begins: the newest knowledge of the organization, or what is shipped."""

from functools import lru_cache

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.db import prepared
from app.models import RetryDecision, RetryKnowledge
from app.retries.facts import CaseFacts
from app.retries.knowledge import SHIPPED, Knowledge, read_knowledge
from app.retries.planning import last_news

_read = lru_cache(maxsize=32)(read_knowledge)


def newest(session: Session) -> Knowledge:
    """The organization's newest knowledge; the shipped one before anything was learnt."""
    content = session.scalar(*_newest())
    return _read(content) if content else SHIPPED


@prepared
def _newest() -> Select[str]:
    return select(RetryKnowledge.content).order_by(RetryKnowledge.id.desc()).limit(1)


def find(session: Session, version: str) -> Knowledge | None:
    """The knowledge of this version; None where it is neither kept nor what this release ships."""
    if version == SHIPPED.version:
        return SHIPPED
    query = select(RetryKnowledge.content).where(RetryKnowledge.version == version)
    content = session.scalar(query.order_by(RetryKnowledge.id.desc()).limit(1))
    found = _read(content) if content else None
    return found if found and found.version == version else None


def for_case(session: Session, facts: CaseFacts, last: RetryDecision | None) -> Knowledge:
    """What to decide a case with: a plan keeps the knowledge that it was made with until there is news of the case."""
    kept = find(session, last.knowledge) if last and last.news_at == last_news(facts) else None
    return kept or newest(session)
