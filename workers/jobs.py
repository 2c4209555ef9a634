"""The jobs that a bell can name. Each loads, calls and returns; every rule is in the slice it calls.

Any of them may be lost or run twice without harm: rows say what is to be done, and claims say by whom.
"""

from datetime import timedelta
from uuid import UUID

from app.inbox import bell as inbox_bell
from app.inbox import processing
from app.inbox.errands import running as errands
from app.messages import outbox
from app.recovery import learning, running, unanswered
from app.recovery.steps import Claim
from workers import boot, keeping_rehearsal, sweeping

_LEAVES_ROOM = (errands.Standing.PAUSED, errands.Standing.DONE, errands.Standing.FAILED)  # for the connection's next
ERRAND_SLICE = timedelta(seconds=40)  # with its last page well within the bell's two minutes for a job


def drain_inbox() -> None:
    """Handle webhooks until none waits."""
    context = boot.context()
    inbox_bell.heard(context.bell)
    processing.drain(context)


def run_steps(claims: list[list[str]]) -> None:
    """Carry out claimed steps: (organization, step, token) each."""
    for organization_id, step_id, token in claims:
        running.run(boot.context(), Claim(UUID(organization_id), UUID(step_id), UUID(token)))


def deliver_message(organization_id: str, message_id: str) -> None:
    """Send one mail that is waiting in the outbox."""
    outbox.deliver(boot.context(), UUID(organization_id), UUID(message_id))


def resolve_attempt(organization_id: str, attempt_id: str) -> None:
    """Find out what came of a charge whose answer never came."""
    unanswered.resolve(boot.context(), UUID(organization_id), UUID(attempt_id))


def run_errand(organization_id: str, errand_id: str) -> None:
    """Carry a long errand on for a while, then let others have their turn."""
    context = boot.context()
    until = context.clock.now() + ERRAND_SLICE
    progress = errands.carry_on(context, UUID(organization_id), UUID(errand_id), until=until)
    if progress.standing in _LEAVES_ROOM:
        sweeping.ring_upkeep(context)


def play_rehearsal(organization_id: str, rehearsal_id: str) -> None:
    """Have a rehearsal played by a process of its own."""
    keeping_rehearsal.begin(organization_id, rehearsal_id)


def learn_retries(organization_id: str) -> None:
    """Have the planner learn from an organization's cases, if it has not done so for a day."""
    learning.learn_if_due(boot.context(), UUID(organization_id))


def sweep() -> None:
    """Look for due rows now instead of at the clock's next round."""
    sweeping.sweep_once(boot.context())
