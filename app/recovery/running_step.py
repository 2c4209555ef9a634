"""A step that this process has begun, with all that carrying it out needs."""

from dataclasses import dataclass
from uuid import UUID

from app.context import Context
from app.models import Connection, Step
from app.recovery.steps import Claim
from app.stripe_gateway.gateway import StripeGateway


@dataclass(frozen=True)
class RunningStep:
    """`step` is as it was when begun; its row may have ended since, which only the claim's token can tell."""

    context: Context
    gateway: StripeGateway
    connection: Connection
    claim: Claim
    step: Step
    case_id: UUID
    invoice_stripe_id: str

    @property
    def organization_id(self) -> UUID:
        return self.claim.organization_id
