"""Payment methods: cards made from test tokens or numbers, attached to customers and taken off again."""

from app.sandbox import fingerprints, ids, issuer, listing, policy
from app.sandbox.billing.declined import card_error
from app.sandbox.cards import APPROVE, AUTHENTICATE, BY_NUMBER, BY_TOKEN, TestCard, passes_luhn
from app.sandbox.declines import decline
from app.sandbox.door import Route
from app.sandbox.errors import StripeRefusal, bad_param, missing, missing_param
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.periods import moment
from app.sandbox.shapes.customer import new_billing_details, new_card_method
from app.sandbox.store import Doc

_YEARS_GOOD = 4


def method_of(
    ledger: Ledger, card: TestCard, exp_month: int | None = None, exp_year: int | None = None, prefix: str = "pm"
) -> Doc:
    """A new, unattached payment method for a test card, together with its issuer's script."""
    year = exp_year or moment(ledger.now).year + _YEARS_GOOD
    method = new_card_method(card, exp_month or 12, year, ledger.now, id=ids.new(prefix))
    fingerprints.issue(ledger, method, card.number)
    issuer.set_script(ledger, method["id"], list(card.script))
    conduct = {"at_setup": card.at_setup, "once_saved": list(card.once_saved), "after": card.after}
    ledger.save({"id": method["id"], **conduct}, "_conduct")
    return ledger.save(method)


def usable_method(ledger: Ledger, reference: str, param: str = "payment_method", prefix: str = "pm") -> Doc:
    """The payment method that a test token or an id stands for; a token makes a new one each time."""
    card = BY_TOKEN.get(reference)
    if card is not None:
        return method_of(ledger, card, prefix=prefix)
    if reference.startswith("tok_"):
        raise missing("token", reference, param)
    return ledger.get("payment_method", reference, param)


def attached(ledger: Ledger, method: Doc, customer: str) -> Doc:
    """Attach to a customer; raises when it is another's, or when the account checks cards and this one is declined."""
    if method["customer"] == customer:
        return method
    if method["customer"] is not None:
        raise StripeRefusal(
            400,
            "The payment method you provided has already been attached to a customer.",
            code="payment_method_unexpected_state",
        )
    if policy.load(ledger).attach_checks_card:
        _check_card(ledger, method)
    method["customer"] = customer
    fingerprints.hold(ledger, method, customer)
    ledger.save(method)
    ledger.emit("payment_method.attached", method)
    return method


def not_attached(reference: str) -> StripeRefusal:
    """The 400 for a default payment method that is not the customer's."""
    return StripeRefusal(
        400,
        f"The customer does not have a payment method with the ID {reference}. The payment method must be attached to"
        " the customer.",
        code="resource_missing",
        param="payment_method",
        executed=False,
    )


def create(ledger: Ledger, params: Params) -> Doc:
    """A card from `card[token]` or `card[number]`."""
    if params.required("type") != "card":
        raise bad_param("type", "This sandbox keeps payment methods of type card only.", "parameter_unknown")
    params.ignore("allow_redisplay")
    card = params.child("card")
    if card is None:
        raise missing_param("card")
    card.ignore("cvc", "networks")
    method = method_of(ledger, card_of(card), card.integer("exp_month"), card.integer("exp_year"))
    method["metadata"] = merged_metadata({}, params.mapping("metadata"))
    _read_billing(params, method)
    return ledger.save(method)


def card_of(params: Params) -> TestCard:
    """The test card that a `card` parameter means; an unknown number with a right check digit is a good Visa."""
    token, number = params.text("token"), params.text("number")
    if token:
        if token not in BY_TOKEN:
            raise missing("token", token, params.name("token"))
        return BY_TOKEN[token]
    if not number:
        raise missing_param(params.name("number"))
    return card_by_number(number)


def card_by_number(number: str) -> TestCard:
    """The test card with this number; raises the decline of a number that cannot be one."""
    digits = number.replace(" ", "").replace("-", "")
    if digits in BY_NUMBER:
        return BY_NUMBER[digits]
    if not digits.isdigit() or not 12 <= len(digits) <= 19 or not passes_luhn(digits):
        raise StripeRefusal(
            402,
            "Your card number is incorrect.",
            kind="card_error",
            code="incorrect_number",
            param="number",
            executed=False,
        )
    return TestCard(f"number_{digits[-4:]}", digits)


def retrieve(ledger: Ledger, params: Params, method: str) -> Doc:
    """One payment method."""
    return ledger.get("payment_method", method, "payment_method")


def list_all(ledger: Ledger, params: Params) -> Doc:
    """Payment methods, of one customer if given."""
    params.ignore("type", "allow_redisplay")
    return listing.page(ledger, params, "payment_method", "/v1/payment_methods", {"customer": params.text("customer")})


def update(ledger: Ledger, params: Params, method: str) -> Doc:
    """Change the expiry date, the billing details or metadata."""
    doc = ledger.get("payment_method", method, "payment_method")
    params.ignore("allow_redisplay")
    card = params.child("card")
    with ledger.changing(doc, "payment_method.updated"):
        if card is not None:
            card.ignore("networks")
            doc["card"]["exp_month"] = card.integer("exp_month") or doc["card"]["exp_month"]
            doc["card"]["exp_year"] = card.integer("exp_year") or doc["card"]["exp_year"]
        _read_billing(params, doc)
        doc["metadata"] = merged_metadata(doc["metadata"], params.mapping("metadata"))
    return doc


def attach(ledger: Ledger, params: Params, method: str) -> Doc:
    """Attach to `customer`."""
    customer = ledger.get("customer", params.required("customer"), "customer")
    return attached(ledger, usable_method(ledger, method), customer["id"])


def detach(ledger: Ledger, params: Params, method: str) -> Doc:
    """Take off its customer; where it was a default, there is none afterwards."""
    doc = ledger.get("payment_method", method, "payment_method")
    owner = ledger.find("customer", doc["customer"])
    if owner is None:
        raise StripeRefusal(
            400,
            "The payment method you provided is not attached to a customer so detachment is impossible.",
            code="payment_method_unexpected_state",
        )
    with ledger.changing(doc):
        doc["customer"] = None
    ledger.emit("payment_method.detached", doc, {"customer": owner["id"]})
    if not owner.get("deleted"):
        with ledger.changing(owner, "customer.updated"):
            for holder, name in ((owner["invoice_settings"], "default_payment_method"), (owner, "default_source")):
                holder[name] = None if holder[name] == method else holder[name]
    for subscription in ledger.linked("subscription", "customer", owner["id"]):
        if subscription["default_payment_method"] == method:
            with ledger.changing(subscription, "customer.subscription.updated"):
                subscription["default_payment_method"] = None
    return doc


def _check_card(ledger: Ledger, method: Doc) -> None:
    answer = (ledger.find("_conduct", method["id"]) or {}).get("at_setup", APPROVE)
    if answer not in (APPROVE, AUTHENTICATE):
        raise card_error(decline(answer), payment_method=method)


def _read_billing(params: Params, method: Doc) -> None:
    given = params.child("billing_details")
    if given is None:
        return
    details = new_billing_details(**{name: given.text(name) for name in ("email", "name", "phone", "tax_id")})
    address = given.child("address")
    if address is not None:
        details["address"] = {name: address.text(name) for name in details["address"]}
    method["billing_details"] = details


ROUTES: list[Route] = [
    ("POST", "/v1/payment_methods", create),
    ("GET", "/v1/payment_methods", list_all),
    ("GET", "/v1/payment_methods/<method>", retrieve),
    ("POST", "/v1/payment_methods/<method>", update),
    ("POST", "/v1/payment_methods/<method>/attach", attach),
    ("POST", "/v1/payment_methods/<method>/detach", detach),
]
