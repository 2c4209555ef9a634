"""Customers made to order, and new cards for them."""

from typing import Any

from app.sandbox import behaving, issuer, new_numbers
from app.sandbox.billing import cycles, standing
from app.sandbox.cards import APPROVE, BY_TOKEN
from app.sandbox.errors import missing, wrong_state
from app.sandbox.issuers.payers import Payer
from app.sandbox.ledger import Ledger
from app.sandbox.people import mailroom
from app.sandbox.periods import moment
from app.sandbox.resources.payment_methods import attached, method_of
from app.sandbox.shapes.customer import new_customer, new_price, new_product
from app.sandbox.shapes.subscription import new_item, new_subscription
from app.sandbox.store import Doc

_YEARS_RENEWED = 3


def subscribed_customer(ledger: Ledger, wanted: Doc) -> Doc:
    """A customer with a card, a price and a subscription whose first invoice has been paid.

    `wanted`: name, email, plan, amount (minor units), currency, interval, card (a test token), script, country,
    timezone, locale, `card_on` (`customer` or `subscription`), metadata; `behaviour` (a segment of payers) and
    `payer_seed` put a payer behind the card, who says where they live and what card it is unless that is given; with
    `reads_mail` they answer to mails.
    """
    payer = _payer(ledger, wanted)
    if payer is not None:
        at_home = {"country": payer.holder.country, "timezone": payer.holder.timezone}
        wanted = {**at_home, "card": behaving.token_for(payer), **wanted}
    metadata = {key: str(wanted[key]) for key in ("country", "timezone") if wanted.get(key)}
    customer = new_customer(
        ledger.now,
        name=wanted.get("name", "Robin Sample"),
        email=wanted.get("email", "robin@example.com"),
        preferred_locales=[wanted["locale"]] if wanted.get("locale") else [],
        metadata={**metadata, **wanted.get("metadata", {})},
    )
    if wanted.get("country"):
        parts = ("city", "line1", "line2", "postal_code", "state")
        customer["address"] = {**dict.fromkeys(parts), "country": wanted["country"]}
    ledger.add(customer, "customer.created")
    face = behaving.face_of(payer) if payer else None
    method = _carded(ledger, customer, wanted.get("card", "pm_card_visa"), ["approve"], face)
    price = plan_price(ledger, wanted)
    subscription = _subscribed(ledger, customer, price, method if wanted.get("card_on") == "subscription" else None)
    if subscription["status"] == "incomplete":
        raise wrong_state("Banks are away, so nobody can subscribe; end that first (`recoup sandbox outage --end`).")
    issuer.set_script(
        ledger, method["id"], wanted.get("script") or list(BY_TOKEN[wanted.get("card", "pm_card_visa")].script)
    )
    if payer is not None:
        behaving.give(ledger, customer["id"], method["id"], payer)
    if wanted.get("reads_mail"):
        mailroom.begin_reading(ledger, customer["id"])
    return {
        "customer": customer["id"],
        "payment_method": method["id"],
        "price": price["id"],
        "subscription": subscription["id"],
        "invoice": subscription["latest_invoice"],
    }


def plan_price(ledger: Ledger, wanted: Doc) -> Doc:
    """The price for a plan's name, amount, currency and interval; made when there is none yet."""
    name, currency = wanted.get("plan", "Team"), wanted.get("currency", "usd").lower()
    amount, interval = int(wanted.get("amount", 4900)), wanted.get("interval", "month")
    key = f"{name}-{amount}-{currency}-{interval}".lower().replace(" ", "-")
    known = ledger.find("_plan", key)
    if known is not None:
        return ledger.get("price", known["price"])
    product = ledger.find("product", (ledger.find("_plan_product", name) or {}).get("product"))
    if product is None:
        product = ledger.add(new_product(name, ledger.now), "product.created")
        ledger.save({"id": name, "product": product["id"]}, "_plan_product")
    price = ledger.add(
        new_price(product["id"], currency, amount, (interval, 1), ledger.now, nickname=name), "price.created"
    )
    ledger.save({"id": key, "price": price["id"]}, "_plan")
    return price


def new_card(ledger: Ledger, customer: str, wanted: Doc) -> Doc:
    """A good card in the place of the present one; nothing is charged.

    `by` is `operator` (another card becomes the customer's default, with `on_subscriptions` theirs too) or `updater`
    (the present card gets a new number and date in place, as card networks do it).
    """
    owner = ledger.get("customer", customer)
    if wanted.get("by") == "updater":
        return {"customer": customer, "payment_method": _renewed(ledger, owner)["id"]}
    method = _carded(ledger, owner, wanted.get("card", "pm_card_visa"), wanted.get("script"))
    for subscription in ledger.linked("subscription", "customer", customer):
        if wanted.get("on_subscriptions") and subscription["status"] not in standing.ENDED:
            with ledger.changing(subscription, "customer.subscription.updated"):
                subscription["default_payment_method"] = method["id"]
    return {"customer": customer, "payment_method": method["id"]}


def _renewed(ledger: Ledger, owner: Doc) -> Doc:
    method = ledger.find("payment_method", owner["invoice_settings"]["default_payment_method"])
    if method is None:
        raise wrong_state("This customer has no default card that could be renewed.")
    issuer.set_script(ledger, method["id"], [APPROVE])
    new_numbers.renew(ledger, method, (method["card"]["exp_month"], moment(ledger.now).year + _YEARS_RENEWED))
    return method


def _payer(ledger: Ledger, wanted: Doc) -> Payer | None:
    if not wanted.get("behaviour"):
        return None
    email = wanted.get("email", "robin@example.com")
    return behaving.payer_for(wanted["behaviour"], email, ledger.now, wanted.get("payer_seed"))


def _carded(ledger: Ledger, customer: Doc, token: str, script: list[Any] | None, face: Doc | None = None) -> Doc:
    if token not in BY_TOKEN:
        raise missing("token", token, "card")
    method = method_of(ledger, BY_TOKEN[token])
    method["card"].update(face or {})
    attached(ledger, method, customer["id"])
    if script:
        issuer.set_script(ledger, method["id"], script)
    with ledger.changing(customer, "customer.updated"):
        customer["invoice_settings"]["default_payment_method"] = method["id"]
    return method


def _subscribed(ledger: Ledger, customer: Doc, price: Doc, own_method: Doc | None) -> Doc:
    subscription = new_subscription(customer["id"], price["currency"], ledger.now)
    subscription["default_payment_method"] = own_method and own_method["id"]
    item = new_item(subscription["id"], price, 1, (ledger.now, ledger.now), ledger.now)
    subscription["items"]["data"] = [item]
    cycles.set_period(ledger, subscription, cycles.following_period(subscription, ledger.now))
    ledger.add(subscription, "customer.subscription.created")
    cycles.begin(ledger, subscription)
    return subscription
