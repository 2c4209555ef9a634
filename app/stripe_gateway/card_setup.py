"""Hosted pages on which a customer saves a card: Checkout sessions in setup mode. They set no default by themselves."""

from stripe import RequestOptions
from stripe.params import SetupIntentCreateParams
from stripe.params.checkout import SessionCreateParams

from app.stripe_gateway.client import StripeDoor
from app.stripe_gateway.readers import read_card_setup, read_setup_session
from app.stripe_gateway.readers.fields import Json, metadata, reference, table, text
from app.stripe_gateway.snapshots import CardSetup, SetupSecret, SetupSession


class CardSetupCalls(StripeDoor):
    """Calls about saving a card."""

    def create_card_setup_session(
        self,
        *,
        customer_id: str,
        currency: str,
        success_url: str,
        cancel_url: str,
        metadata: dict[str, str],
        idempotency_key: str | None = None,
    ) -> SetupSession:
        """A fresh page for the customer to save a payment method on; it lives for at most 24 hours.

        Make one at the click, never ahead of it. `success_url` may contain Stripe's `{CHECKOUT_SESSION_ID}`;
        `metadata` is also put on the setup intent, so that either object's events lead back to us.
        """
        params: SessionCreateParams = {
            "mode": "setup",
            "customer": customer_id,
            "currency": currency,
            "success_url": success_url,
            "cancel_url": cancel_url,
            "metadata": metadata,
            "setup_intent_data": {"metadata": metadata},
        }
        options: RequestOptions = {"idempotency_key": idempotency_key} if idempotency_key else {}
        return read_setup_session(
            self._ask("checkout_session_write", lambda: self._v1.checkout.sessions.create(params, options))
        )

    def get_card_setup(self, session_id: str) -> CardSetup:
        """What became of a setup session; raises `NotFound`."""
        session = self._ask("checkout_session_write", lambda: self._v1.checkout.sessions.retrieve(session_id))
        return read_card_setup(session, self._find_setup_intent(session))

    def create_setup_intent(
        self, *, customer_id: str, metadata: dict[str, str], idempotency_key: str | None = None
    ) -> SetupSecret:
        """An intent for Stripe's form inside a page of ours; its secret is for that one page and that one card."""
        params: SetupIntentCreateParams = {
            "customer": customer_id,
            "usage": "off_session",
            "automatic_payment_methods": {"enabled": True},
            "metadata": metadata,
        }
        options: RequestOptions = {"idempotency_key": idempotency_key} if idempotency_key else {}
        intent = self._ask("setup_intent_write", lambda: self._v1.setup_intents.create(params, options))
        return SetupSecret(text(intent, "id") or "", text(intent, "client_secret") or "")

    def get_setup_intent(self, intent_id: str) -> CardSetup:
        """What became of such an intent; raises `NotFound`."""
        intent = self._ask("setup_intent_write", lambda: self._v1.setup_intents.retrieve(intent_id))
        is_saved = text(intent, "status") == "succeeded"
        return CardSetup(
            session_id=intent_id,
            status="complete" if is_saved else "open",
            customer_id=reference(intent, "customer"),
            payment_method_id=reference(intent, "payment_method") if is_saved else None,
            metadata=metadata(intent),
        )

    def _find_setup_intent(self, session: Json) -> Json | None:
        expanded, intent_id = table(session, "setup_intent"), reference(session, "setup_intent")
        if expanded or intent_id is None:
            return expanded
        return self._ask("setup_intent_write", lambda: self._v1.setup_intents.retrieve(intent_id))
