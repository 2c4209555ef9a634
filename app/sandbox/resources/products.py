"""Products."""

from app.sandbox import listing
from app.sandbox.door import Route
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.resources.prices import make_price
from app.sandbox.shapes.customer import new_product
from app.sandbox.store import Doc

_IGNORED = ("images", "marketing_features", "package_dimensions", "shippable", "tax_code", "type", "provisioning")
_TEXTS = ("name", "description", "statement_descriptor", "unit_label", "url")


def create(ledger: Ledger, params: Params) -> Doc:
    """Create a product, with a first price when `default_price_data` is given."""
    product = new_product(params.required("name"), ledger.now)
    product["id"] = params.text("id") or product["id"]
    _read(params, product)
    ledger.add(product, "product.created")
    price = params.child("default_price_data")
    if price is not None:
        product["default_price"] = make_price(ledger, price, product["id"])["id"]
        ledger.save(product)
    return product


def update(ledger: Ledger, params: Params, product: str) -> Doc:
    """Change a product."""
    doc = ledger.get("product", product)
    with ledger.changing(doc, "product.updated"):
        _read(params, doc)
        if "default_price" in params:
            doc["default_price"] = params.text("default_price")
    return doc


def retrieve(ledger: Ledger, params: Params, product: str) -> Doc:
    """One product."""
    return ledger.get("product", product)


def list_all(ledger: Ledger, params: Params) -> Doc:
    """Products, newest first."""
    params.ignore("active", "ids", "shippable", "url", "type")
    return listing.page(ledger, params, "product", "/v1/products")


def _read(params: Params, doc: Doc) -> None:
    params.ignore(*_IGNORED)
    for name in _TEXTS:
        if name in params:
            doc[name] = params.text(name)
    active = params.flag("active")
    doc["active"] = doc["active"] if active is None else active
    doc["metadata"] = merged_metadata(doc["metadata"], params.mapping("metadata"))


ROUTES: list[Route] = [
    ("POST", "/v1/products", create),
    ("GET", "/v1/products", list_all),
    ("GET", "/v1/products/<product>", retrieve),
    ("POST", "/v1/products/<product>", update),
]
