"""One round of the clock: what is due or was left behind is claimed in Postgres and rung for. Any number may run it."""

from collections.abc import Sequence
from datetime import timedelta

from app.bell import Urgency
from app.context import Context
from app.failpoints import failpoint
from app.inbox import claiming
from app.inbox.errands import upkeep
from app.messages.sweep import sweep_due
from app.recovery import learning, steps, unanswered

BATCH = 50
A_JOB = 10  # steps in one job: enough to spare the queue, few enough to spread over workers
CROWDED = 20  # jobs waiting in the queue: what is claimed beyond that is not heard in time, and claimed again
MISSED = timedelta(seconds=1)  # an event this old was not brought by its bell


def sweep_once(context: Context) -> int:
    """Ring for everything that is due; how many rings there were."""
    return _ring_events(context) + _ring_steps(context) + _ring_messages(context) + _ring_attempts(context)


def ring_upkeep(context: Context, every: timedelta = upkeep.EVERY) -> int:
    """Begin the long errands that are due, ring for those that nobody works on and for lessons; how many rings.

    Not part of every round: it is no matter of seconds.
    """
    upkeep.begin_due(context, every)
    with context.database.system() as session:
        waiting = upkeep.find_unattended(session, context.clock.now())
        unlearnt = learning.find_due(session, context.clock.now())
    lessons = sum(context.bell.ring("learn_retries", str(one), urgency=Urgency.LATER) for one in unlearnt)
    return lessons + sum(
        context.bell.ring("run_errand", str(organization), str(errand), urgency=Urgency.LATER)
        for organization, errand in waiting
    )


def _ring_events(context: Context) -> int:
    with context.database.system() as session:
        left = claiming.has_unfinished(session, context.clock.now() - MISSED)
    return int(left and context.bell.ring("drain_inbox", urgency=Urgency.NOW))


def _ring_steps(context: Context) -> int:
    if context.bell.waiting() > CROWDED:
        return 0
    failpoint("sweep.before_claim")
    with context.database.system() as session:
        claims = steps.claim_due(session, context.clock.now(), BATCH)
    failpoint("sweep.after_claim")
    rings = 0
    for batch in _batches(claims, A_JOB):
        named = [[str(one.organization_id), str(one.step_id), str(one.token)] for one in batch]
        if context.bell.ring("run_steps", named):
            rings += 1
            continue
        with context.database.system() as session:
            steps.unclaim(session, list(batch))
    return rings


def _ring_messages(context: Context) -> int:
    resend_after = timedelta(minutes=context.settings.resend_unknown_after_minutes)
    with context.database.system() as session:
        due = sweep_due(session, context.clock.now(), BATCH, resend_after)
    return sum(context.bell.ring("deliver_message", str(organization), str(message)) for organization, message in due)


def _ring_attempts(context: Context) -> int:
    with context.database.system() as session:
        due = unanswered.claim_due(session, context.clock.now(), BATCH)
    return sum(
        context.bell.ring("resolve_attempt", str(organization), str(attempt), urgency=Urgency.NOW)
        for organization, attempt in due
    )


def _batches(items: Sequence[steps.Claim], size: int) -> list[Sequence[steps.Claim]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
