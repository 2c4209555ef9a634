"""Whether the key of a broken connection works again: then the rest of the look has much to find."""

from app.accounts.mending import look_again
from app.inbox.errands.walk import Walk
from app.vocabulary import ConnectionStatus

BY_ITSELF = "Recoup"


def look(walk: Walk) -> bool:
    """Heal a broken connection if its key works again; raises `ConnectionBroken` if it does not."""
    if walk.connection.status is ConnectionStatus.BROKEN and not walk.is_rehearsal:
        looked = look_again(walk.context, walk.connection, BY_ITSELF)
        if looked.is_broken and looked.problem:
            raise looked.problem
        walk.note("Stripe had refused the key, and takes it again: the connection was mended.")
        walk.commit()
    return True
