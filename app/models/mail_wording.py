"""One text of an organization's own, said in mails of one language in place of ours.

`key` is the catalogue's, with a variant's name in it where it is a variant's (`reminder@b.subject`, see
`emails.wording`). A row with a text that has become invalid may stand; it is never said.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from app.db import TenantRecord, uuid_key


class MailWording(TenantRecord):
    __tablename__ = "mail_wordings"
    __table_args__ = (UniqueConstraint("organization_id", "language", "key"),)

    id: Mapped[UUID] = uuid_key()
    language: Mapped[str]
    key: Mapped[str]
    text: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
