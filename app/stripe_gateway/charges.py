"""Reading payments: intents and the charges made for them, Stripe's own included. Charging is in `paying.py`."""

from app.stripe_gateway.client import StripeDoor
from app.stripe_gateway.errors import LACKING, GatewayError
from app.stripe_gateway.readers import read_charge, read_payment_intent
from app.stripe_gateway.readers.fields import reference, rows, table
from app.stripe_gateway.snapshots import ChargeSnapshot, Json, PaymentIntentSnapshot


class ChargeCalls(StripeDoor):
    """Calls about charges and payment intents; all of them only read."""

    def get_payment_intent(self, payment_intent_id: str) -> PaymentIntentSnapshot:
        """A payment intent as it stands."""
        return read_payment_intent(self._retrieve_intent(payment_intent_id))

    def get_charge(self, charge_id: str) -> ChargeSnapshot:
        """One charge; raises `NotFound`."""
        return read_charge(self._ask("charge_read", lambda: self._v1.charges.retrieve(charge_id)))

    def list_charges(self, payment_intent_id: str) -> list[ChargeSnapshot]:
        """Every charge of a payment intent, Stripe's own attempts included, oldest first.

        Where an imitation cannot list them, those that the intent itself leads to: at least the newest.
        """
        params = {"payment_intent": payment_intent_id}
        try:
            found = list(self._pages("charge_read", lambda p: self._v1.charges.list(p), params))
        except LACKING:
            if not self._is_imitation:
                raise
            found = self._find_charges_of_intent(payment_intent_id)
        # A filter that is ignored would bring in everybody's charges.
        own = [row for row in found if _is_of_intent(row, payment_intent_id)]
        charges = [read_charge(row) for row in reversed(own)]  # so that charges of one second keep their order
        return sorted(charges, key=lambda charge: charge.created)

    def find_customer_of_charge(self, charge_id: str) -> str | None:
        """Whose charge it was (a dispute names the charge only); None for a guest's or an unknown one."""
        return reference(self._find_charge(charge_id), "customer")

    def _find_charges_of_intent(self, payment_intent_id: str) -> list[Json]:
        intent = self._retrieve_intent(payment_intent_id)
        latest_id = reference(intent, "latest_charge")
        latest = table(intent, "latest_charge") or (self._find_charge(latest_id) if latest_id else None)
        return rows(intent, "charges") or ([latest] if latest else [])

    def _find_charge(self, charge_id: str) -> Json | None:
        try:
            return self._ask("charge_read", lambda: self._v1.charges.retrieve(charge_id))
        except GatewayError:
            return None

    def _find_intent(self, payment_intent_id: str) -> Json | None:
        try:
            return self._retrieve_intent(payment_intent_id)
        except GatewayError:
            return None

    def _retrieve_intent(self, payment_intent_id: str) -> Json:
        return self._ask("payment_intent_read", lambda: self._v1.payment_intents.retrieve(payment_intent_id))


def _is_of_intent(charge: Json, payment_intent_id: str) -> bool:
    return "payment_intent" not in charge or reference(charge, "payment_intent") == payment_intent_id
