"""How an organization looks to its customers: in mails, and on the page behind their link. Decides nothing else."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.messages.brand_values import Values
from app.messages.wording import Author
from app.models import AuditEntry, Organization
from emails import Merchant


@dataclass(frozen=True)
class Envelope:
    """From whom a mail comes: name, address, and where answers go."""

    from_name: str
    from_email: str
    reply_to: str | None


def envelope_of(organization: Organization, mail_from: str) -> Envelope:
    """What stands on every envelope of this organization's mails; `mail_from` where it has no address of its own."""
    return Envelope(
        organization.sender_name or organization.name,
        organization.sender_email or mail_from,
        organization.reply_to or organization.support_email,
    )


def merchant_of(organization: Organization, base_url: str) -> Merchant:
    """Who writes, as mails and pages show it; an uploaded logo goes before one at an address."""
    uploaded = organization.logo_id
    return Merchant(
        name=organization.name,
        support_email=organization.support_email,
        support_url=organization.support_url,
        brand_color=organization.brand_color,
        logo_url=logo_address(base_url, organization.id, uploaded) if uploaded else organization.logo_url,
        postal_address=organization.postal_address,
        website=organization.website,
    )


def logo_address(base_url: str, organization_id: UUID, logo_id: UUID) -> str:
    """Where an uploaded logo can be fetched by whoever reads a mail; what is there never changes."""
    return f"{base_url.rstrip('/')}/pay/logo/{organization_id}/{logo_id}"


def change(session: Session, values: Values, by: Author, now: datetime) -> bool:
    """Keep checked values (`brand_values.read`) for the transaction's organization; False where all were so."""
    organization = session.get_one(Organization, session.info["organization_id"], with_for_update={"key_share": True})
    changes = {
        name: {"before": getattr(organization, name), "after": value}
        for name, value in values.items()
        if getattr(organization, name) != value
    }
    for name, each in changes.items():
        setattr(organization, name, each["after"])
    if changes:
        session.add(
            AuditEntry(
                organization_id=organization.id,
                actor=by.name,
                user_id=by.user_id,
                action="branding.changed",
                subject="branding",
                happened_at=now,
                data=changes,
            )
        )
    return bool(changes)
