"""What the outbox tests share: a sender that does as it is told, and the changes that life makes to rows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from app.messages.senders.port import OutgoingMail
from app.models import CaseEntry, Hold, Invoice, RecoveryCase, SubscriptionSnapshot
from app.vocabulary import CaseState, FinalActionKind, FinalActionState, HoldKind, RecoveredBy
from tests.integration.messages.conftest import Post
from tests.integration.messages.rows import START, Rows, write_case

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Scripted:
    """A sender that answers what it is told, in order, and keeps what it was given."""

    name = "scripted"
    delivers_at_once = False

    def __init__(
        self, *answers: BaseException | str | None, meanwhile: Callable[[OutgoingMail], None] | None = None
    ) -> None:
        self.answers = list(answers)
        self.taken: list[OutgoingMail] = []
        self.meanwhile = meanwhile

    def send(self, mail: OutgoingMail) -> str | None:
        answer = self.answers.pop(0)
        self.taken.append(mail)
        if self.meanwhile:
            self.meanwhile(mail)
        if isinstance(answer, BaseException):
            raise answer
        return answer


class ProcessDied(BaseException):
    """Stands for SIGKILL: nothing after it runs."""


def entries(post: Post) -> list[str]:
    with post.context.database.organization(post.rows.organization_id) as session:
        return list(session.scalars(select(CaseEntry.name).order_by(CaseEntry.id)))


def settle(post: Post, **case: Any) -> None:
    """The invoice is paid and the case knows it."""
    post.change(Invoice, post.rows.invoice_id, status="paid", amount_remaining=0, amount_paid=4900, paid_at=START)
    values = {"recovered_at": START, "recovered_by": RecoveredBy.RETRY, "recovered_amount": 4900}
    post.change(RecoveryCase, post.rows.case_id, state=CaseState.RECOVERED, **(values | case))


def add_snapshot(post: Post, **values: Any) -> None:
    given = {"action": FinalActionKind.PAUSE, "state": FinalActionState.DONE, "taken_at": START, "done_at": START}
    post.add(
        SubscriptionSnapshot(organization_id=post.rows.organization_id, case_id=post.rows.case_id, **(given | values))
    )


def add_promise(post: Post) -> UUID:
    """The customer has picked a day, four days from the start."""
    hold_id = uuid4()
    post.add(
        Hold(
            id=hold_id,
            organization_id=post.rows.organization_id,
            customer_id=post.rows.customer_id,
            case_id=post.rows.case_id,
            kind=HoldKind.PROMISE,
            key=f"promise:{hold_id}",
            reason="The customer promised to pay.",
            begins_at=START,
            promised_for=START + 96 * HOUR,
            until=START + 110 * HOUR,
            created_by="the customer",
        )
    )
    return hold_id


def another_case(post: Post, **customer: Any) -> Rows:
    rows = post.rows
    given = customer or {"customer_id": rows.customer_id}
    with post.context.database.organization(rows.organization_id) as session:
        return write_case(session, rows.organization_id, rows.connection_id, rows.version_id, **given)
