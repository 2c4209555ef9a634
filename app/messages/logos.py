"""Uploaded logos: kept once each, and found again for whoever reads a mail. Draws nothing and shows no page."""

import hashlib
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from app.errors import RecoupError
from app.messages import pictures
from app.messages.wording import Author
from app.models import AuditEntry, BrandLogo, Organization

# Mails in mailboxes go on showing the logo of their day, so old ones are kept; but not without an end.
MOST_KEPT = 40


class TooManyLogos(RecoupError):
    """So many different logos were uploaded that something must be wrong."""


def upload(session: Session, content: bytes, by: Author, now: datetime) -> BrandLogo:
    """Keep a picture and make it the logo; the same picture again is the same row.

    Raises `pictures.PictureRefused` and `TooManyLogos`.
    """
    picture = pictures.look_at(content)
    organization = _locked(session)
    digest = hashlib.sha256(content).digest()
    known = list(session.scalars(select(BrandLogo)))
    row = next((each for each in known if each.digest == digest), None)
    if row is None and len(known) >= MOST_KEPT:
        raise TooManyLogos(f"{MOST_KEPT} different logos were uploaded so far, and mails may show any of them still.")
    if row is None:
        row = BrandLogo(
            id=uuid4(),
            organization_id=organization.id,
            media_type=picture.media_type,
            width=picture.width,
            height=picture.height,
            digest=digest,
            content=content,
            uploaded_at=now,
            uploaded_by=by.name,
        )
        session.add(row)
        session.flush()
    _choose(session, organization, row.id, by, now)
    return row


def remove(session: Session, by: Author, now: datetime) -> bool:
    """Show no uploaded logo from now on; False where there was none. The picture stays for mails that were sent."""
    organization = _locked(session)
    had_one = organization.logo_id is not None
    _choose(session, organization, None, by, now)
    return had_one


def find(session: Session, logo_id: UUID) -> BrandLogo | None:
    """The logo with its content; None where this organization has none of that id."""
    return session.scalar(select(BrandLogo).where(BrandLogo.id == logo_id).options(undefer(BrandLogo.content)))


def _locked(session: Session) -> Organization:
    return session.get_one(Organization, session.info["organization_id"], with_for_update={"key_share": True})


def _choose(session: Session, organization: Organization, logo_id: UUID | None, by: Author, now: datetime) -> None:
    before, organization.logo_id = organization.logo_id, logo_id
    if before == logo_id:
        return
    session.add(
        AuditEntry(
            organization_id=organization.id,
            actor=by.name,
            user_id=by.user_id,
            action="branding.logo_changed",
            subject="branding",
            happened_at=now,
            data={"before": before and str(before), "after": logo_id and str(logo_id)},
        )
    )
