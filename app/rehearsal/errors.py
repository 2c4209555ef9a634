"""What can go wrong with a rehearsal."""

from app.errors import RecoupError


class RehearsalFailed(RecoupError):
    """A rehearsal cannot go on; the text says why and what to do."""


class UnknownJob(RehearsalFailed):
    """Something rang for a job that this stage does not have."""


class Cancelled(RecoupError):
    """Somebody asked for this rehearsal to end early."""
