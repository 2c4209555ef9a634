"""Reads who pays and who is paid: customers and the connected account."""

from app.stripe_gateway.readers.fields import Json, flag, metadata, moment, reference, text, texts, whole
from app.stripe_gateway.snapshots import AccountSnapshot, CustomerSnapshot


def read_customer(data: Json) -> CustomerSnapshot:
    """A customer; of a deleted one only the id is left."""
    own = metadata(data)
    return CustomerSnapshot(
        id=text(data, "id") or "",
        email=text(data, "email"),
        name=text(data, "name"),
        phone=text(data, "phone"),
        preferred_locales=texts(data, "preferred_locales"),
        country=text(data, "address", "country") or text(data, "shipping", "address", "country"),
        timezone=own.get("timezone") or own.get("time_zone") or None,
        default_payment_method_id=reference(data, "invoice_settings", "default_payment_method"),
        default_source_id=reference(data, "default_source"),
        currency=text(data, "currency"),
        balance=_balance(data),
        delinquent=flag(data, "delinquent"),
        deleted=flag(data, "deleted"),
        metadata=own,
        created=moment(data, "created"),
    )


def read_account(data: Json, *, livemode: bool) -> AccountSnapshot:
    """An account; the name is the one customers know, else the dashboard's."""
    name = text(data, "business_profile", "name") or text(data, "settings", "dashboard", "display_name")
    return AccountSnapshot(
        id=text(data, "id") or "",
        country=text(data, "country"),
        default_currency=text(data, "default_currency"),
        name=name or text(data, "display_name") or text(data, "business_name"),
        support_email=text(data, "business_profile", "support_email") or text(data, "support_email"),
        url=text(data, "business_profile", "url") or text(data, "business_url"),
        timezone=text(data, "settings", "dashboard", "timezone") or text(data, "timezone"),
        livemode=livemode,
    )


def _balance(data: Json) -> int:
    # Until 2019-12-03 the field was called `account_balance`.
    found = whole(data, "balance")
    return (whole(data, "account_balance") or 0) if found is None else found
