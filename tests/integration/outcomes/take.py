"""Takes one final action in a process of its own, so that it can be killed on the way."""

import sys
from pathlib import Path
from uuid import UUID

from app.outcomes.actions import FinalAction
from app.outcomes.final import run_final_action
from app.vocabulary import DebtAfterwards, FinalActionKind
from tests.integration.outcomes.doors import make_context, make_gateway

database_url, home, stripe_url, organization_id, case_id, price_id = sys.argv[1:]
run_final_action(
    make_context(database_url, Path(home)),
    make_gateway(stripe_url),
    organization_id=UUID(organization_id),
    case_id=UUID(case_id),
    action=FinalAction(FinalActionKind.DOWNGRADE, price_id, DebtAfterwards.VOID),
)
