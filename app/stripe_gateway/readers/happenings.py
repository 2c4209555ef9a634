"""Reads events, webhook endpoints and card-setup sessions."""

from app.stripe_gateway.readers.fields import Json, flag, metadata, moment, reference, table, text, texts
from app.stripe_gateway.snapshots import CardSetup, EventSnapshot, SetupSession, WebhookEndpoint


def read_event(data: Json) -> EventSnapshot:
    """An event of either kind: with a snapshot (`event`), or thin (`v2.core.event`), which names its object only.

    A thin event's type has the prefix `v1.` taken off, so that both kinds of one happening bear one name.
    """
    inside = table(data, "data", "object")
    related = table(data, "related_object")
    is_thin = text(data, "object") == "v2.core.event"
    return EventSnapshot(
        id=text(data, "id") or "",
        type=(text(data, "type") or "unknown").removeprefix("v1.") if is_thin else text(data, "type") or "unknown",
        created=moment(data, "created"),
        livemode=flag(data, "livemode") if "livemode" in data else None,
        account=text(data, "context") if is_thin else text(data, "account"),
        api_version=text(data, "api_version"),
        object_type=text(related, "type") if is_thin else text(inside, "object"),
        object_id=text(related, "id") if is_thin else text(inside, "id"),
        raw=data,
    )


def read_webhook_endpoint(data: Json) -> WebhookEndpoint:
    """A webhook endpoint; its secret is in the answer to its creation only."""
    return WebhookEndpoint(
        id=text(data, "id") or "",
        url=text(data, "url") or "",
        status=text(data, "status") or "unknown",
        enabled_events=texts(data, "enabled_events"),
        api_version=text(data, "api_version"),
        secret=text(data, "secret"),
    )


def read_setup_session(data: Json) -> SetupSession:
    """A fresh Checkout session in setup mode."""
    return SetupSession(
        id=text(data, "id") or "",
        url=text(data, "url") or "",
        expires_at=moment(data, "expires_at"),
    )


def read_card_setup(session: Json, intent: Json | None) -> CardSetup:
    """A Checkout session with its setup intent; the payment method counts only once the intent has succeeded."""
    saved = reference(intent, "payment_method") if text(intent, "status") == "succeeded" else None
    return CardSetup(
        session_id=text(session, "id") or "",
        # Doubles and versions before 2021 have no status on the session.
        status=text(session, "status") or ("complete" if saved else "open"),
        customer_id=reference(session, "customer") or reference(intent, "customer"),
        payment_method_id=saved,
        metadata=metadata(session),
    )
