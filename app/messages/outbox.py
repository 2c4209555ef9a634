"""The outbox: every mail is a row before it leaves, and its outcome is a row after.

Two short transactions around the call: the first decides anew (the case is re-read), writes the mail and claims it
under a token; the second records the answer only for the holder of that token. What happened between them and left no
answer is `unknown`: a provider's event resolves it, else it is sent once more. Knows no wording and no sender.
"""

from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

import emails
from app.context import Context
from app.db import get_row, prepared, table_of
from app.errors import RecoupError
from app.failpoints import failpoint
from app.log import get_logger
from app.messages import outcome, recipients, situation
from app.messages.claiming import Claim, claim
from app.messages.senders.choice import sender_for
from app.messages.senders.port import Sender, SenderBusy, SenderRefused, SenderSilent
from app.models import Customer, Invoice, Message, RecoveryCase, Subscription
from app.vocabulary import MessageState

log = get_logger(__name__)

# The one who plans a mail usually delivers it at once; the sweep comes in when that did not happen.
FIRST_SWEEP_AFTER = timedelta(seconds=15)
_PLAN = insert(table_of(Message)).on_conflict_do_nothing()


class MessageMissing(RecoupError):
    """There is no such message in this organization (its customer may have been erased)."""


def queue(
    session: Session,
    *,
    case: RecoveryCase,
    key: str,
    kind: str,
    step_id: UUID | None,
    now: datetime,
    addressee: str | None = None,
    variant: str | None = None,
) -> Message:
    """Plan one mail of `case`, to its customer's main address or to one `addressee` beside it.

    `key` is unique in the case: asking again gives the message that is there already. Flushes, and neither commits nor
    rings. Raises `emails.UnknownMail`.
    """
    about: dict[str, Any] = {
        "case_id": case.id,
        "customer_id": case.customer_id,
        "step_id": step_id,
        "variant": variant,
    }
    about["organization_id"] = case.organization_id
    return _plan(session, about, key=key, kind=kind, addressee=addressee, now=now)


def queue_for_all(
    session: Session,
    *,
    case: RecoveryCase,
    key: str,
    kind: str,
    step_id: UUID | None,
    now: datetime,
    variant: str | None = None,
) -> list[Message]:
    """Plan one mail of `case` to each of its customer's contacts, the main address first. As `queue` otherwise."""
    plan = partial(queue, session, case=case, kind=kind, step_id=step_id, now=now, variant=variant)
    others = recipients.others_of(session, get_row(session, Customer, case.customer_id))
    return [plan(key=key), *(plan(key=_key_of(key, one), addressee=one) for one in others)]


def queue_notice(
    session: Session,
    *,
    customer: Customer,
    about: Invoice | Subscription,
    key: str,
    kind: str,
    now: datetime,
) -> list[Message]:
    """Plan a mail about no case to each contact of `customer`; `key` is unique among those of the customer.

    Flushes, and neither commits nor rings. Raises `emails.UnknownMail`.
    """
    column = "invoice_id" if isinstance(about, Invoice) else "subscription_id"
    values = {"customer_id": customer.id, "organization_id": customer.organization_id, column: about.id}
    plan = partial(_plan, session, values, kind=kind, now=now)
    others = recipients.others_of(session, customer)
    return [plan(key=key), *(plan(key=_key_of(key, one), addressee=one) for one in others)]


def _key_of(key: str, address: str) -> str:
    """The key of the same mail to one of several people; no address stands in it."""
    return f"{key}+{sha256(address.lower().encode()).hexdigest()[:12]}"


def _plan(
    session: Session, about: dict[str, Any], *, key: str, kind: str, now: datetime, addressee: str | None = None
) -> Message:
    if kind not in emails.kinds:
        raise emails.UnknownMail(f"there is no mail called {kind}; there are {', '.join(emails.kinds)}")
    row = {
        "id": uuid4(),
        "key": key,
        "kind": kind,
        "addressee": addressee,
        "state": MessageState.PLANNED,
        "planned_at": now,
        "next_try_at": now + FIRST_SWEEP_AFTER,
        "tries": 0,
        "sends": 0,
        **about,
    }
    session.execute(_PLAN, row)
    case_id = about.get("case_id")
    mine = _of_case(case_id, key) if case_id else _of_customer(about["customer_id"], key)
    planned: Message = session.scalars(*mine).one()
    return planned


@prepared
def _of_case(case_id: UUID, key: str) -> Select[Message]:
    return select(Message).where(Message.case_id == case_id, Message.key == key)


@prepared
def _of_customer(customer_id: UUID, key: str) -> Select[Message]:
    return select(Message).where(Message.case_id.is_(None), Message.customer_id == customer_id, Message.key == key)


def deliver(context: Context, organization_id: UUID, message_id: UUID, sender: Sender | None = None) -> MessageState:
    """Send one message if it is to be sent now, and say what state it is in afterwards.

    Harmless to call at any time and by many at once. Raises `MessageMissing`, and whatever the database raises.
    """
    sender = sender or sender_for(context.settings)
    with context.database.organization(organization_id) as session:
        message = _lock(session, message_id)
        mine = claim(session, context.settings, message, sender.name, context.clock.now())
        state = message.state
    if mine is None:
        return state
    failpoint("message.intention_committed")
    answer = _send(sender, mine, context.clock.now())
    failpoint("message.answered")
    with context.database.organization(organization_id) as session:
        state = outcome.record(session, message_id, mine.token, answer, context.settings, context.clock.now())
        failpoint("message.outcome_uncommitted")
    failpoint("message.outcome_committed")
    log.info("message.answered", message=str(message_id), state=state, sender=sender.name)
    return state


def _lock(session: Session, message_id: UUID) -> Message:
    """The message, locked; and before it whoever else writes to this customer, so that two mails cannot both find
    that nobody was written to today."""
    planned = session.get(Message, message_id)
    if planned is None:
        raise MessageMissing(f"there is no message {message_id}")
    address = situation.address_for(session, get_row(session, Customer, planned.customer_id), planned)
    conversation = f"message:{planned.organization_id}:{(address or str(planned.customer_id)).lower()}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(conversation, 0))))
    locked: Message | None = session.scalars(*_locked(message_id)).first()
    if locked is None:
        raise MessageMissing(f"there is no message {message_id}")
    return locked


@prepared
def _locked(message_id: UUID) -> Select[Message]:
    found = select(Message).where(Message.id == message_id)
    return found.with_for_update().execution_options(populate_existing=True)


def _send(sender: Sender, mine: Claim, now: datetime) -> outcome.Answer:
    if now >= mine.until:
        # This process slept through its lease; somebody else may be sending the mail by now.
        return SenderBusy("lease_ran_out")
    try:
        return outcome.Taken(sender.send(mine.mail), sender.delivers_at_once)
    except (SenderRefused, SenderBusy, SenderSilent) as problem:
        return problem
