"""A connection that Stripe refused, looked at again: it heals by itself once its key opens all that is needed.

A person may have given the key the permission it lacked, or Stripe may have refused it for an hour only. Looks are few
(the hourly reconciliation, the doctor), and the first refusal of the key itself is the last question asked.
"""

from app.accounts.connections import gateway_for
from app.context import Context
from app.models import AuditEntry, Connection
from app.stripe_gateway.errors import ConnectionBroken, PermissionMissing, Unauthorized
from app.vocabulary import ConnectionStatus


def look_again(context: Context, connection: Connection, by: str) -> ConnectionBroken | None:
    """Ask Stripe whether a broken connection works again, and keep the answer: None if so, else why it does not.

    `by` is who looks, for the audit. Raises the gateway's `RetryLater`, and `SecretUnreadable`.
    """
    problem = find_problem(context, connection)
    with context.database.organization(connection.organization_id) as session:
        row = session.get_one(Connection, connection.id, with_for_update=True)
        if row.status is not ConnectionStatus.BROKEN or row.sealed_api_key != connection.sealed_api_key:
            return problem  # somebody was quicker, or has entered another key meanwhile
        row.status = ConnectionStatus.BROKEN if problem else ConnectionStatus.ACTIVE
        was, row.status_reason = row.status_reason, str(problem) if problem else None
        if problem is None:
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
    return problem


def find_problem(context: Context, connection: Connection) -> ConnectionBroken | None:
    """What Stripe has against a connection's key now; raises what `look_again` raises."""
    try:
        lacking = gateway_for(context, connection).missing_permissions()
    except (Unauthorized, PermissionMissing) as problem:
        return problem
    return PermissionMissing(f"the Stripe key lacks {', '.join(lacking)}: add to the key") if lacking else None
