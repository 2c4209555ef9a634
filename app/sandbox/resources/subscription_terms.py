"""Reading the parameters that creating and updating a subscription share."""

from app.sandbox.billing import cycles
from app.sandbox.errors import bad_param, missing, missing_param, wrong_state
from app.sandbox.ledger import Ledger
from app.sandbox.params import Params, merged_metadata
from app.sandbox.resources.payment_methods import not_attached, usable_method
from app.sandbox.resources.prices import make_price
from app.sandbox.shapes.subscription import new_item, plan_of
from app.sandbox.store import Doc

_IGNORED = (
    "application_fee_percent automatic_tax billing_thresholds default_source default_tax_rates"
    " invoice_settings on_behalf_of pending_invoice_item_interval transfer_data trial_settings"
    " trial_period_days cancellation_details"
).split()


def read_items(ledger: Ledger, params: Params, subscription: Doc, period: tuple[int, int]) -> list[Doc]:
    """The items as they shall be: those named by id changed or deleted, those without an id added, the others as
    they are."""
    items = {item["id"]: dict(item) for item in subscription["items"]["data"]}
    for entry in params.children("items"):
        entry.ignore("billing_thresholds", "clear_usage", "discounts", "tax_rates", "metadata")
        identifier, price, quantity = entry.text("id"), _price(ledger, entry), entry.integer("quantity")
        if identifier is None:
            if price is None:
                raise missing_param(entry.name("price"))
            added = new_item(subscription["id"], price, 1 if quantity is None else quantity, period, ledger.now)
            items[added["id"]] = added
        elif identifier not in items:
            raise missing("subscription_item", identifier, entry.name("id"))
        elif entry.flag("deleted"):
            del items[identifier]
        else:
            if price is not None:
                items[identifier].update(price=price, plan=plan_of(price))
            if quantity is not None:
                items[identifier]["quantity"] = quantity
    return list(items.values())


def read_terms(ledger: Ledger, params: Params, doc: Doc, customer: Doc) -> None:
    """Everything but items: payment method, pause, planned end, collection, metadata."""
    params.ignore(*_IGNORED)
    if "default_payment_method" in params:
        doc["default_payment_method"] = _method(ledger, params.text("default_payment_method"), customer)
    if "description" in params:
        doc["description"] = params.text("description")
    method = params.choice("collection_method", "charge_automatically", "send_invoice")
    doc["collection_method"] = method or doc["collection_method"]
    days = params.integer("days_until_due")
    doc["days_until_due"] = doc["days_until_due"] if days is None else days
    doc["metadata"] = merged_metadata(doc["metadata"], params.mapping("metadata"))
    settings = params.child("payment_settings")
    if settings is not None:
        settings.ignore("payment_method_options", "payment_method_types")
        save = settings.choice("save_default_payment_method", "off", "on_subscription")
        doc["payment_settings"]["save_default_payment_method"] = save or "off"
    _read_pause(ledger, params, doc)
    _read_end(ledger, params, doc)


def _read_pause(ledger: Ledger, params: Params, doc: Doc) -> None:
    if "pause_collection" not in params:
        return
    pause = params.child("pause_collection")
    if pause is None:
        doc["pause_collection"] = None
        ledger.set_timer("resume", doc["id"], None)
        return
    behavior = pause.choice("behavior", "keep_as_draft", "mark_uncollectible", "void")
    if behavior is None:
        raise missing_param("pause_collection[behavior]")
    resumes_at = pause.integer("resumes_at")
    if resumes_at is not None and resumes_at <= ledger.now:
        raise bad_param("pause_collection[resumes_at]", "resumes_at must be in the future", "parameter_invalid_integer")
    doc["pause_collection"] = {"behavior": behavior, "resumes_at": resumes_at}
    ledger.set_timer("resume", doc["id"], resumes_at)


def _read_end(ledger: Ledger, params: Params, doc: Doc) -> None:
    at_period_end, at = params.flag("cancel_at_period_end"), params.integer("cancel_at")
    if "cancel_at_period_end" not in params and "cancel_at" not in params:
        return
    if doc["schedule"]:
        raise wrong_state(
            f"The subscription is managed by the subscription schedule `{doc['schedule']}`, and updating any"
            " cancelation behavior directly is not allowed. Please update the schedule instead."
        )
    planned = cycles.period_of(doc)[1] if at_period_end else at
    doc.update(cancel_at=planned, cancel_at_period_end=bool(at_period_end), canceled_at=ledger.now if planned else None)
    doc["cancellation_details"]["reason"] = "cancellation_requested" if planned else None
    ledger.set_timer("cancel", doc["id"], None if at_period_end else at)


def _price(ledger: Ledger, entry: Params) -> Doc | None:
    described = entry.child("price_data")
    if described is not None:
        product = described.required("product")
        ledger.get("product", product, described.name("product"))
        return make_price(ledger, described, product)
    wanted = entry.text("price") or entry.text("plan")
    if wanted is None:
        return None
    price = ledger.get("price", wanted, entry.name("price"))
    if price["recurring"] is None:
        raise bad_param(
            entry.name("price"),
            "The price specified is set to `type=one_time` but this field only accepts prices with `type=recurring`.",
        )
    return price


def _method(ledger: Ledger, wanted: str | None, customer: Doc) -> str | None:
    if wanted is None:
        return None
    method = usable_method(ledger, wanted, "default_payment_method")
    if method["customer"] != customer["id"]:
        raise not_attached(wanted)
    identifier: str = method["id"]
    return identifier
