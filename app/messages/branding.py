"""How an organization looks to its customers: in mails, and on the page behind their link. Decides nothing else."""

from dataclasses import dataclass
from uuid import UUID

from app.models import Organization
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
        brand_color=organization.brand_color,
        logo_url=logo_address(base_url, organization.id, uploaded) if uploaded else organization.logo_url,
        postal_address=organization.postal_address,
        website=organization.website,
    )


def logo_address(base_url: str, organization_id: UUID, logo_id: UUID) -> str:
    """Where an uploaded logo can be fetched by whoever reads a mail; what is there never changes."""
    return f"{base_url.rstrip('/')}/pay/logo/{organization_id}/{logo_id}"
