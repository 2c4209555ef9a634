"""Which sender the settings ask for: SendGrid, else SMTP, else the outbox folder under Recoup's home."""

from app.messages.senders.outbox_folder import OutboxFolder
from app.messages.senders.port import Sender
from app.messages.senders.sendgrid import SendGrid
from app.messages.senders.smtp import Smtp, SmtpServer
from app.settings import Settings


def sender_for(settings: Settings) -> Sender:
    """The way out that is configured. Raises SenderMisconfigured."""
    if settings.sendgrid_api_key:
        return SendGrid(settings.sendgrid_api_key, settings.sendgrid_api_base)
    if settings.smtp_url:
        return Smtp(SmtpServer.parse(settings.smtp_url))
    return OutboxFolder(settings.home / "outbox")
