"""Takes one final action in a process of its own, so that it can be killed on the way."""

import os
from pathlib import Path
from uuid import UUID

from app.outcomes.actions import FinalAction
from app.outcomes.final import run_final_action
from tests.integration.outcomes.doors import make_context, make_gateway


def take(
    place: str,
    database_url: str,
    home: Path,
    stripe_url: str,
    organization_id: UUID,
    case_id: UUID,
    action: FinalAction,
) -> None:
    """Die at `place`."""
    os.environ["RECOUP_FAILPOINT"] = place
    run_final_action(
        make_context(database_url, home),
        make_gateway(stripe_url),
        organization_id=organization_id,
        case_id=case_id,
        action=action,
    )
