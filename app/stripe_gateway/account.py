"""The connected account itself: who it is, what the key may do, and where its events go."""

from collections.abc import Callable
from functools import partial
from typing import Any

from app.stripe_gateway.client import API_VERSION, StripeDoor
from app.stripe_gateway.errors import GatewayError, Permanent, PermissionMissing, StripeUnavailable, Unsupported
from app.stripe_gateway.events import ENABLED_EVENTS
from app.stripe_gateway.readers import read_account, read_webhook_endpoint
from app.stripe_gateway.snapshots import AccountSnapshot, WebhookEndpoint

NOBODY = "RecoupAsksWhetherItMay"  # ends the ids of objects that are nowhere


class AccountCalls(StripeDoor):
    """Calls about the account."""

    def get_account(self) -> AccountSnapshot:
        """The account of the key, or the connected account it acts for; raises `Unauthorized`, `PermissionMissing`."""
        answer = self._ask("account_read", lambda: self._v1.accounts.retrieve_current())
        return read_account(answer, livemode=self.livemode)

    def missing_permissions(self) -> list[str]:
        """Permissions that a restricted key lacks, each as we call it and, where Stripe names it, as Stripe does.

        Found by reading one row of everything Recoup touches and by writing to objects that are not there: Stripe
        looks at the key first, so a key that may write is told that there is no such object, and nothing is changed
        [unverified]. Raises `Unauthorized` and the errors that mean "ask again later".
        """
        lacking = [self._find_lack(permission, ask) for permission, ask in self._reads()]
        lacking += [self._find_lack(permission, ask, StripeUnavailable) for permission, ask in self._writes()]
        return list(dict.fromkeys(one for one in lacking if one))

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

    def _find_lack(
        self, permission: str, ask: Callable[[], Any], shrug: type[GatewayError] = Unsupported
    ) -> str | None:
        """`shrug` is trouble that says nothing here: what an imitation does about an object that is nowhere, say."""
        try:
            self._ask(permission, ask)
        except PermissionMissing as lack:
            return lack.called
        except (Permanent, shrug):
            # What is not there (not every imitation has every list) is no matter of permissions.
            return None
        return None

    def _reads(self) -> list[tuple[str, Callable[[], Any]]]:
        v1 = self._v1
        lists: list[tuple[str, Callable[[Any], Any]]] = [
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
        one = {"limit": 1}
        return [
            ("account_read", v1.accounts.retrieve_current),
            *((permission, partial(ask, one)) for permission, ask in lists),
        ]

    def _writes(self) -> list[tuple[str, Callable[[], Any]]]:
        v1 = self._v1
        return [
            ("customer_write", partial(v1.customers.update, f"cus_{NOBODY}")),
            ("payment_method_write", partial(v1.payment_methods.update, f"pm_{NOBODY}")),
            ("setup_intent_write", partial(v1.setup_intents.update, f"seti_{NOBODY}")),
            ("invoice_write", partial(v1.invoices.update, f"in_{NOBODY}")),
            ("subscription_write", partial(v1.subscriptions.update, f"sub_{NOBODY}")),
            ("checkout_session_write", partial(v1.checkout.sessions.expire, f"cs_{NOBODY}")),
            ("webhook_write", partial(v1.webhook_endpoints.update, f"we_{NOBODY}")),
        ]
