"""Pure readers: a plain dict of any API version in, a snapshot out. They never raise on missing or unknown fields.

The inbox uses them on events as they came, the gateway on answers. They know no network and no library of Stripe's.
"""

from app.stripe_gateway.readers.happenings import read_card_setup as read_card_setup
from app.stripe_gateway.readers.happenings import read_event as read_event
from app.stripe_gateway.readers.happenings import read_setup_session as read_setup_session
from app.stripe_gateway.readers.happenings import read_webhook_endpoint as read_webhook_endpoint
from app.stripe_gateway.readers.invoices import read_invoice as read_invoice
from app.stripe_gateway.readers.invoices import read_line as read_line
from app.stripe_gateway.readers.parties import read_account as read_account
from app.stripe_gateway.readers.parties import read_customer as read_customer
from app.stripe_gateway.readers.payments import merge_signals as merge_signals
from app.stripe_gateway.readers.payments import read_card as read_card
from app.stripe_gateway.readers.payments import read_charge as read_charge
from app.stripe_gateway.readers.payments import read_charge_signals as read_charge_signals
from app.stripe_gateway.readers.payments import read_error_signals as read_error_signals
from app.stripe_gateway.readers.payments import read_latest_charge as read_latest_charge
from app.stripe_gateway.readers.payments import read_payment_intent as read_payment_intent
from app.stripe_gateway.readers.payments import read_payment_method as read_payment_method
from app.stripe_gateway.readers.subscriptions import TERMINAL_STATUSES as TERMINAL_STATUSES
from app.stripe_gateway.readers.subscriptions import read_subscription as read_subscription
