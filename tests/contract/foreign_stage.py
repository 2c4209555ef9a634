"""A whole Recoup for one test, as in `tests.stage`, connected to a Stripe that is not ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from app.accounts.connections import connect
from app.clock import SandboxClock
from app.settings import Settings
from app.vocabulary import ConnectionMode
from tests.contract.foreign_stripe import SECRET, ForeignStripe, Manners, serving
from tests.house import House
from tests.stage import Stage, jobs_of, new_organization

KEY = "sk_test_of_a_foreign_stripe"


class ForeignStage(Stage):
    """The double delivers at once and plans nothing by itself, so all that is due is ours."""

    @property
    def double(self) -> ForeignStripe:
        return cast(ForeignStripe, self.sandbox)

    def sandbox_reading(self) -> dict[str, Any]:
        return {"pending_deliveries": 0, "next_event_at": None}

    def _turn(self, to: datetime) -> None:
        if to > self.now:
            cast(SandboxClock, self.context.clock).turn_to(to)


@contextmanager
def open_foreign_stage(house: House, settings: Settings, manners: Manners) -> Iterator[ForeignStage]:
    """Set the stage: an organization that drives the recovery of an account of a foreign Stripe."""
    double = ForeignStripe(SandboxClock(settings.home / "clock.json").now, manners)
    with serving(double), house.context(settings, double.url) as context, jobs_of(context):
        organization_id = new_organization(context)
        drive = ConnectionMode.DRIVE
        connected = connect(context, organization_id, api_key=KEY, webhook_secret=SECRET, mode=drive, actor="test")
        double.hook = connected.webhook_url
        yield ForeignStage(context, cast(Any, double), house.url, organization_id, connected.connection_id)
