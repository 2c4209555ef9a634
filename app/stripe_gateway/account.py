"""The connected account itself: who it is, what the key may do, and where its events go."""

from collections.abc import Callable
from typing import Any

from app.stripe_gateway.client import API_VERSION, StripeDoor
from app.stripe_gateway.errors import LACKING, PermissionMissing
from app.stripe_gateway.events import ENABLED_EVENTS
from app.stripe_gateway.readers import read_account, read_webhook_endpoint
from app.stripe_gateway.snapshots import AccountSnapshot, WebhookEndpoint


class AccountCalls(StripeDoor):
    """Calls about the account."""

    def get_account(self) -> AccountSnapshot:
        """The account of the key, or the connected account it acts for; raises `Unauthorized`, `PermissionMissing`."""
        answer = self._ask("account_read", lambda: self._v1.accounts.retrieve_current())
        return read_account(answer, livemode=self.livemode)

    def missing_permissions(self) -> list[str]:
        """Permissions that a restricted key lacks, found by reading one row of everything Recoup touches.

        Reading cannot tell read from write: a write that is missing alone shows at the first write, as
        `PermissionMissing`. Raises `Unauthorized` and the errors that mean "ask again later".
        """
        return [permission for permission, read in self._probes() if not self._is_allowed(permission, read)]

    def create_webhook_endpoint(self, url: str, events: tuple[str, ...] = ENABLED_EVENTS) -> WebhookEndpoint:
        """Have events sent to `url` in the pinned API version. The answer alone holds the signing secret: keep it."""
        # Names of events are data to us, so the library's list of them is not consulted; Stripe's answer is.
        params: Any = {
            "url": url,
            "enabled_events": list(events),
            "api_version": API_VERSION,
            "description": "Recoup",
        }
        answer = self._ask("webhook_write", lambda: self._v1.webhook_endpoints.create(params))
        return read_webhook_endpoint(answer)

    def list_webhook_endpoints(self) -> list[WebhookEndpoint]:
        """Every webhook endpoint of the account, in this key's mode, without secrets."""
        pages = self._pages("webhook_write", lambda p: self._v1.webhook_endpoints.list(p))
        return [read_webhook_endpoint(row) for row in pages]

    def _is_allowed(self, permission: str, read: Callable[[Any], Any]) -> bool:
        try:
            self._ask(permission, lambda: read({"limit": 1}))
        except PermissionMissing:
            return False
        except LACKING:
            # Not every imitation has every list; that is no matter of permissions.
            return True
        return True

    def _probes(self) -> list[tuple[str, Callable[[Any], Any]]]:
        v1 = self._v1
        return [
            ("account_read", lambda _: v1.accounts.retrieve_current()),
            ("customer_write", v1.customers.list),
            ("payment_method_write", v1.payment_methods.list),
            ("setup_intent_write", v1.setup_intents.list),
            ("payment_intent_read", v1.payment_intents.list),
            ("charge_read", v1.charges.list),
            ("dispute_read", v1.disputes.list),
            ("invoice_write", v1.invoices.list),
            ("subscription_write", v1.subscriptions.list),
            ("plan_read", v1.prices.list),
            ("product_read", v1.products.list),
            ("event_read", v1.events.list),
            ("checkout_session_write", v1.checkout.sessions.list),
            ("webhook_write", v1.webhook_endpoints.list),
        ]
