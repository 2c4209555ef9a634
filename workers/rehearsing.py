"""One process of a rehearsal: what it plays comes in on its input, how far it is goes out line by line.

Here the stage gets its workers: the same job functions and the same sweep as everywhere, with the stage's context.
"""

from app.rehearsal.bell import StageBell
from workers import jobs

NAMES = ("drain_inbox", "run_steps", "deliver_message", "resolve_attempt", "sweep")


def stage_bell() -> StageBell:
    """A bell that runs the real jobs in this process."""
    return StageBell({name: getattr(jobs, name) for name in NAMES})
