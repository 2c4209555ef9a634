"""A connection that Stripe refused, looked at again: it heals by itself once its key opens what it was refused.

A person may have given the key the permission it lacked, or Stripe may have refused it for an hour only. Looks are few
(the hourly reconciliation, the doctor), and the first refusal of the key itself is the last question asked.
"""

import re
from dataclasses import dataclass

from app.accounts.connections import gateway_for
from app.context import Context
from app.models import AuditEntry, Connection
from app.stripe_gateway.errors import ConnectionBroken, PermissionMissing, Unauthorized
from app.vocabulary import ConnectionStatus

_NAME = re.compile(r"[a-z_]+")


@dataclass(frozen=True)
class Looked:
    """Whether a connection is broken still, and all that Stripe has against its key: some lacks do without."""

    is_broken: bool
    problem: ConnectionBroken | None


def look_again(context: Context, connection: Connection, by: str) -> Looked:
    """Ask Stripe whether a broken connection works again, and keep the answer. `by` is who looks, for the audit.

    What the key never had and nobody missed is no reason to stay broken: only what the connection was broken for is.
    Raises the gateway's `RetryLater`, and `SecretUnreadable`.
    """
    try:
        lacking = gateway_for(context, connection).missing_permissions()
    except (Unauthorized, PermissionMissing) as problem:
        return _keep(context, connection, by, problem, problem)
    named = set(_NAME.findall(connection.status_reason or ""))
    missed = [lack for lack in lacking if lack.partition(" ")[0] in named]
    return _keep(context, connection, by, _lack(missed), _lack(lacking))


def find_problem(context: Context, connection: Connection) -> ConnectionBroken | None:
    """What Stripe has against a connection's key now; raises what `look_again` raises."""
    try:
        return _lack(gateway_for(context, connection).missing_permissions())
    except (Unauthorized, PermissionMissing) as problem:
        return problem


def _lack(names: list[str]) -> PermissionMissing | None:
    return PermissionMissing(f"the Stripe key lacks {', '.join(names)}: add to the key") if names else None


def _keep(
    context: Context,
    connection: Connection,
    by: str,
    grave: ConnectionBroken | None,
    problem: ConnectionBroken | None,
) -> Looked:
    with context.database.organization(connection.organization_id) as session:
        row = session.get_one(Connection, connection.id, with_for_update=True)
        if row.status is not ConnectionStatus.BROKEN or row.sealed_api_key != connection.sealed_api_key:
            # somebody was quicker, or has entered another key meanwhile
            return Looked(row.status is ConnectionStatus.BROKEN, problem)
        was, row.status_reason = row.status_reason, str(grave) if grave else None
        if grave is None:
            row.status = ConnectionStatus.ACTIVE
            session.add(
                AuditEntry(
                    organization_id=row.organization_id,
                    actor=by,
                    action="connection.healed",
                    subject=str(row.id),
                    happened_at=context.clock.now(),
                    data={"account": row.account_id, "was": was},
                )
            )
    return Looked(grave is not None, problem)
