"""Prices."""

from app.sandbox import listing
from app.sandbox.checks import known_currency
from app.sandbox.door import Route
from app.sandbox.errors import bad_param, missing_param
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.shapes.customer import new_price, new_product
from app.sandbox.store import Doc

_IGNORED = (
    "billing_scheme",
    "currency_options",
    "tax_behavior",
    "tiers",
    "tiers_mode",
    "transform_quantity",
    "transfer_lookup_key",
)


def make_price(ledger: Ledger, params: Params, product: str) -> Doc:
    """A price from `currency`, `unit_amount` and `recurring`, for `product`."""
    params.ignore(*_IGNORED)
    recurring = params.child("recurring")
    cycle = None
    if recurring is not None:
        recurring.ignore("usage_type", "meter", "trial_period_days")
        interval = recurring.choice("interval", "day", "week", "month", "year")
        if interval is None:
            raise missing_param(recurring.name("interval"))
        cycle = (interval, recurring.integer("interval_count") or 1)
    price = new_price(product, _currency(params), _amount(params), cycle, ledger.now)
    _read(params, price)
    return ledger.add(price, "price.created")


def create(ledger: Ledger, params: Params) -> Doc:
    """Create a price for `product`, or for a new one described by `product_data`."""
    product, described = params.text("product"), params.child("product_data")
    if described is not None:
        described.ignore("active", "statement_descriptor", "tax_code", "unit_label", "id")
        made = new_product(described.required("name"), ledger.now)
        made["metadata"] = merged_metadata({}, described.mapping("metadata"))
        product = ledger.add(made, "product.created")["id"]
    if product is None:
        raise missing_param("product")
    ledger.get("product", product, "product")
    return make_price(ledger, params, product)


def update(ledger: Ledger, params: Params, price: str) -> Doc:
    """Change what may be changed of a price: never its amount."""
    doc = ledger.get("price", price)
    params.ignore("currency_options", "tax_behavior", "transfer_lookup_key")
    with ledger.changing(doc, "price.updated"):
        _read(params, doc)
    return doc


def retrieve(ledger: Ledger, params: Params, price: str) -> Doc:
    """One price."""
    return ledger.get("price", price)


def list_all(ledger: Ledger, params: Params) -> Doc:
    """Prices, newest first; by `product`, `active`, `currency`, `type` or `lookup_keys` if given."""
    params.ignore("recurring")
    clauses, values = [], []
    for name in ("product", "currency", "type"):
        value = params.text(name)
        if value is not None:
            clauses.append(f"json_extract(body, '$.{name}') = ?")
            values.append(value)
    active = params.flag("active")
    if active is not None:
        clauses.append(f"json_extract(body, '$.active') = {int(active)}")
    keys = params.texts("lookup_keys")
    if keys:
        clauses.append(f"json_extract(body, '$.lookup_key') in ({', '.join('?' * len(keys))})")
        values += keys
    return listing.page(ledger, params, "price", "/v1/prices", extra=" and ".join(clauses), extra_values=tuple(values))


def _currency(params: Params) -> str:
    try:
        return known_currency(params.required("currency"))
    except ValueError as problem:
        raise bad_param(params.name("currency"), f"Invalid currency: {problem}", "parameter_invalid") from None


def _amount(params: Params) -> int:
    amount, exact = params.integer("unit_amount"), params.text("unit_amount_decimal")
    if amount is not None and amount < 0:
        raise bad_param(params.name("unit_amount"), "This value must be 0 or more.", "parameter_invalid_integer")
    if amount is not None:
        return amount
    if exact is None:
        raise missing_param(params.name("unit_amount"))
    if not exact.isdigit():
        raise bad_param(params.name("unit_amount_decimal"), "This sandbox bills whole minor units only.")
    return int(exact)


def _read(params: Params, doc: Doc) -> None:
    for name in ("nickname", "lookup_key"):
        if name in params:
            doc[name] = params.text(name)
    active = params.flag("active")
    doc["active"] = doc["active"] if active is None else active
    doc["metadata"] = merged_metadata(doc["metadata"], params.mapping("metadata"))


ROUTES: list[Route] = [
    ("POST", "/v1/prices", create),
    ("GET", "/v1/prices", list_all),
    ("GET", "/v1/prices/<price>", retrieve),
    ("POST", "/v1/prices/<price>", update),
]
