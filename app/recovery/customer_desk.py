"""What people may say of a customer: tags, which campaigns ask for, and a snooze over all that is and will be owed."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import RecoupError
from app.models import AuditEntry, Customer, Hold, RecoveryCase
from app.recovery import cases, holds, mail_steps, planning
from app.recovery.operator import NotAllowedNow, Person
from app.vocabulary import OPEN_CASE_STATES, EntryKind, HoldKind

LONGEST_TAG, MOST_TAGS = 40, 30
LONGEST_SNOOZE = timedelta(days=366)
SNOOZE_KEY = "snooze:customer:"


class CustomerUnknown(RecoupError):
    """There is no such customer, or several accounts have one of this id."""


def find_customer(session: Session, stripe_id: str) -> Customer:
    """The customer with this id at Stripe; raises `CustomerUnknown`."""
    found = session.scalars(select(Customer).where(Customer.stripe_id == stripe_id)).all()
    if len(found) != 1:
        raise CustomerUnknown(f"{len(found) or 'no'} customers are called {stripe_id}; give the id that Stripe shows")
    return found[0]


def read_tags(given: Iterable[str]) -> list[str]:
    """Tags as they are kept: trimmed, each once whatever its letters. Raises `NotAllowedNow` for what is too much."""
    tags = {tag.strip().casefold(): tag.strip() for tag in given if tag.strip()}
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG or "," in tag for tag in tags):
        raise NotAllowedNow(f"a customer has {MOST_TAGS} tags at most, of {LONGEST_TAG} characters without a comma")
    return sorted(tags.values(), key=str.casefold)


def tag(session: Session, customer_id: UUID, tags: Iterable[str], by: Person, now: datetime) -> bool:
    """Set a customer's tags; False where they were so. Open cases hear of it, because campaigns may exclude by tags.

    Raises `NotAllowedNow` for too many or too long ones.
    """
    customer = session.get_one(Customer, customer_id, with_for_update={"key_share": True})
    before, after = list(customer.tags), read_tags(tags)
    if before == after:
        return False
    customer.tags = after
    session.flush()
    _audit(session, customer, by, "customer.tagged", now, before=before, after=after)
    for case in _open_cases(session, customer_id):
        definition = planning.definition_of(session, case)
        summary = f"{by.name} changed the customer's tags to {', '.join(after) or 'none'}."
        key = f"tagged:{now.isoformat()}"
        cases.append(session, case, EntryKind.ACTION, "tagged", key, now, now, summary, {"by": by.name})
        if definition.exclude is not None:
            mail_steps.refit(session, case, definition, now)
    return True


def snooze(session: Session, customer_id: UUID, until: datetime, by: Person, note: str, now: datetime) -> None:
    """Leave a customer alone until a day (aware UTC), whatever is or will be owed; it ends by itself.

    The last word counts: another day, also a sooner one, takes the place of the one that stood. Raises `NotAllowedNow`
    for a day that is past or more than a year away.
    """
    if not now < until <= now + LONGEST_SNOOZE:
        raise NotAllowedNow("a snooze ends on a day after today and within a year")
    customer = session.get_one(Customer, customer_id, with_for_update={"key_share": True})
    standing = _standing_snoozes(session, customer_id, now)
    if any(hold.until == until for hold in standing):
        return
    is_new = holds.place(
        session,
        organization_id=customer.organization_id,
        customer_id=customer.id,
        case_id=None,
        kind=HoldKind.SNOOZE,
        key=f"{SNOOZE_KEY}{until.isoformat()}:{now.isoformat()}",
        reason=note or f"snoozed by {by.name}",
        until=until,
        by=by.name,
        now=now,
    )
    if is_new:
        _audit(session, customer, by, "customer.snoozed", now, until=until.isoformat(), note=note)
    for hold in standing:
        holds.release(session, hold, f"{by.name} chose another day", now)


def _standing_snoozes(session: Session, customer_id: UUID, now: datetime) -> list[Hold]:
    query = select(Hold).where(
        Hold.customer_id == customer_id,
        Hold.case_id.is_(None),
        Hold.key.startswith(SNOOZE_KEY),
        Hold.released_at.is_(None),
        Hold.until > now,
    )
    return list(session.scalars(query.with_for_update()))


def _open_cases(session: Session, customer_id: UUID) -> list[RecoveryCase]:
    query = select(RecoveryCase.id).where(
        RecoveryCase.customer_id == customer_id, RecoveryCase.state.in_(OPEN_CASE_STATES)
    )
    return [cases.lock_case(session, case_id) for case_id in session.scalars(query.order_by(RecoveryCase.id)).all()]


def _audit(session: Session, customer: Customer, by: Person, action: str, now: datetime, **data: object) -> None:
    session.add(
        AuditEntry(
            organization_id=customer.organization_id,
            actor=by.name,
            user_id=by.user_id,
            action=action,
            subject=f"customer {customer.stripe_id}",
            happened_at=now,
            data=data,
        )
    )
