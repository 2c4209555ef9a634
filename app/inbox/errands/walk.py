"""One errand under way in this process: what it needs to read, and how each of its pages is committed.

A page and the position after it are one transaction, and that transaction demands that the lease is still ours. A
rehearsal of an errand (`errand_id` is None) has no row and commits nothing; it only gathers findings.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.context import Context
from app.errors import RecoupError
from app.failpoints import failpoint
from app.models import Connection, Errand, Finding
from app.stripe_gateway.gateway import StripeGateway
from app.vocabulary import ErrandState, FindingKind

LEASE = timedelta(seconds=60)
ON_ITS_WAY = timedelta(minutes=2)
BY_HAND = "by_hand"  # the option of an errand that a person asked for


class LeaseLost(RecoupError):
    """Somebody else carries this errand on; what was about to be written must not be."""


@dataclass(frozen=True)
class Found:
    """One thing that is not as it should be; `outcome` is None until something was done about it."""

    kind: FindingKind
    subject: str
    why: str
    outcome: str | None = None


@dataclass
class Walk:
    """`position` and `counts` are as last committed, plus what the page under way has put into them."""

    context: Context
    gateway: StripeGateway
    connection: Connection
    started_at: datetime
    options: dict[str, Any]
    position: dict[str, Any]
    counts: dict[str, Any]
    errand_id: UUID | None = None
    token: UUID | None = None
    rehearsed: list[Found] = field(default_factory=list)

    @property
    def is_rehearsal(self) -> bool:
        return self.errand_id is None

    @property
    def organization_id(self) -> UUID:
        return self.connection.organization_id

    @property
    def on_its_way(self) -> timedelta:
        """How long what is told by a webhook may be on its way; nothing where a person asks, who wants to know now."""
        is_by_hand = self.is_rehearsal or self.options.get(BY_HAND, False)
        return timedelta(0) if is_by_hand else ON_ITS_WAY

    def place(self, stage: str) -> dict[str, Any]:
        """What one stage keeps of its own."""
        kept: dict[str, Any] = self.position.setdefault(stage, {})
        return kept

    def count(self, name: str, more: int = 1) -> None:
        """Add to a figure that is shown while the errand runs and afterwards."""
        self.counts[name] = self.counts.get(name, 0) + more

    def note(self, sentence: str) -> None:
        """Something that people should know about how far this errand could look."""
        notes: list[str] = self.counts.setdefault("notes", [])
        if sentence not in notes:
            notes.append(sentence)

    def see(self, found: list[Found]) -> None:
        """Remember what a rehearsal came upon, each thing once."""
        known = {(one.kind, one.subject) for one in self.rehearsed}
        self.rehearsed += [one for one in found if (one.kind, one.subject) not in known]

    def commit(self, write: Callable[[Session], None] | None = None) -> None:
        """Commit a page and the position after it; raises `LeaseLost`."""
        if self.errand_id is None:
            return
        with self.context.database.organization(self.organization_id) as session:
            if write:
                write(session)
            self._hold_on(session)
            failpoint("errand.page_uncommitted")
        failpoint("errand.page_committed")

    def found(self, session: Session, found: list[Found]) -> None:
        """Write findings into the transaction of a page; those of this errand that stand already stay as they are."""
        now = self.context.clock.now()
        rows = [
            {
                "organization_id": self.organization_id,
                "connection_id": self.connection.id,
                "errand_id": self.errand_id,
                "found_at": now,
                **vars(one),
            }
            for one in found
        ]
        if rows:
            session.execute(insert(Finding).values(rows).on_conflict_do_nothing())

    def _hold_on(self, session: Session) -> None:
        changed = session.scalars(
            update(Errand)
            .where(Errand.id == self.errand_id, Errand.lease_token == self.token, Errand.state == ErrandState.RUNNING)
            .values(position=self.position, counts=self.counts, tries=0, lease_until=self.context.clock.now() + LEASE)
            .returning(Errand.id)
        ).one_or_none()
        if changed is None:
            raise LeaseLost(str(self.errand_id))
