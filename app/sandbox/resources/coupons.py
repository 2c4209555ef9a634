"""Coupons, and the discounts that come of them where a subscription or an invoice names one."""

from app.sandbox import ids, listing
from app.sandbox.billing import discounts
from app.sandbox.checks import known_currency
from app.sandbox.door import Route
from app.sandbox.errors import StripeRefusal, bad_param, missing_param
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.store import Doc

_ID_LENGTH = 8


def create(ledger: Ledger, params: Params) -> Doc:
    """A coupon: `percent_off`, or `amount_off` in minor units of `currency`; used `once` unless `duration` is given."""
    identifier = params.text("id") or ids.random_text(_ID_LENGTH)
    if ledger.find("coupon", identifier) is not None:
        raise StripeRefusal(400, "Coupon already exists.", code="resource_already_exists", executed=False)
    duration = params.choice("duration", "forever", "once", "repeating") or "once"
    percent, amount, currency = _worth(params)
    coupon = {
        "id": identifier,
        "object": "coupon",
        "amount_off": amount,
        "created": ledger.now,
        "currency": currency,
        "duration": duration,
        "duration_in_months": _months(params, duration),
        "livemode": False,
        "max_redemptions": params.integer("max_redemptions"),
        "metadata": merged_metadata({}, params.mapping("metadata")),
        "name": params.text("name"),
        "percent_off": percent,
        "redeem_by": params.integer("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    return ledger.add(coupon, "coupon.created")


def update(ledger: Ledger, params: Params, coupon: str) -> Doc:
    """Change a coupon's name or metadata; what it is worth stays."""
    doc = _standing(ledger, coupon)
    with ledger.changing(doc, "coupon.updated"):
        if "name" in params:
            doc["name"] = params.text("name")
        doc["metadata"] = merged_metadata(doc["metadata"], params.mapping("metadata"))
    return doc


def retrieve(ledger: Ledger, params: Params, coupon: str) -> Doc:
    """One coupon."""
    return _standing(ledger, coupon)


def list_all(ledger: Ledger, params: Params) -> Doc:
    """Coupons, newest first."""
    return listing.page(ledger, params, "coupon", "/v1/coupons")


def delete(ledger: Ledger, params: Params, coupon: str) -> Doc:
    """Nobody can redeem it any more; discounts that came of it go on."""
    doc = _standing(ledger, coupon)
    ledger.emit("coupon.deleted", doc)
    ledger.store.remove("coupon", coupon)
    return {"id": coupon, "object": "coupon", "deleted": True}


def read_discounts(ledger: Ledger, params: Params, holder: Doc, **of: str) -> None:
    """Give a subscription or a draft the discounts that `discounts` names, by coupon or by discount; `""` takes all."""
    if "discounts" not in params:
        return
    kept, wanted = [], []
    for entry in params.children("discounts"):
        coupon, discount = entry.text("coupon"), entry.text("discount")
        if discount is not None:
            kept.append(ledger.get("discount", discount, entry.name("discount"))["id"])
        elif coupon is not None:
            wanted.append(_standing(ledger, coupon)["id"])
        else:
            raise missing_param(entry.name("coupon"))
    for identifier in [entry for entry in holder["discounts"] if entry not in kept]:
        discounts.remove(ledger, holder, identifier)
    made = [discounts.redeem(ledger, coupon, holder["customer"], **of)["id"] for coupon in wanted]
    holder["discounts"] = [*kept, *made]


def _standing(ledger: Ledger, identifier: str) -> Doc:
    coupon = ledger.find("coupon", identifier)
    if coupon is None:
        raise StripeRefusal(
            404, f"No such coupon: '{identifier}'", code="resource_missing", param="coupon", executed=False
        )
    return coupon


def _worth(params: Params) -> tuple[float | None, int | None, str | None]:
    percent, amount = params.text("percent_off"), params.integer("amount_off")
    if (percent is None) == (amount is None):
        raise bad_param("percent_off", "You must pass either percent_off or amount_off, and not both.")
    if amount is not None:
        try:
            return None, _positive(amount), known_currency(params.required("currency"))
        except ValueError as problem:
            raise bad_param("currency", f"Invalid currency: {problem}", "parameter_invalid") from None
    params.ignore("currency")
    try:
        share = float(percent or 0)
    except ValueError:
        share = 0
    if not 0 < share <= 100:
        raise bad_param("percent_off", "percent_off must be more than 0 and at most 100.", "parameter_invalid_integer")
    return share, None, None


def _positive(amount: int) -> int:
    if amount <= 0:
        raise bad_param("amount_off", "This value must be greater than or equal to 1.", "parameter_invalid_integer")
    return amount


def _months(params: Params, duration: str) -> int | None:
    months = params.integer("duration_in_months")
    if duration != "repeating":
        if months is not None:
            raise bad_param("duration_in_months", "duration_in_months goes with the duration `repeating` alone.")
        return None
    if months is None:
        raise missing_param("duration_in_months")
    if months < 1:
        raise bad_param("duration_in_months", "This value must be greater than or equal to 1.")
    return months


ROUTES: list[Route] = [
    ("POST", "/v1/coupons", create),
    ("GET", "/v1/coupons", list_all),
    ("GET", "/v1/coupons/<coupon>", retrieve),
    ("POST", "/v1/coupons/<coupon>", update),
    ("DELETE", "/v1/coupons/<coupon>", delete),
]
