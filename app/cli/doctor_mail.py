"""The doctor's look at mail: how it leaves, and what DNS tells receivers about the domains it comes from."""

from collections.abc import Iterator, Sequence

import dns.exception
import dns.resolver
from sqlalchemy import select

from app.cli.findings import Finding
from app.context import Context
from app.errors import RecoupError
from app.messages.senders.choice import sender_for
from app.messages.senders.port import SenderBusy
from app.messages.sending_domain import SENDGRID_SELECTORS, Dns, DnsSilent, is_nobodys, judge
from app.models import Organization
from app.settings import Settings

PATIENCE = 5.0  # seconds for one question, with all its repeats


class SystemDns:
    """The name servers that this machine asks, or one at (address, port)."""

    def __init__(self, server: tuple[str, int] | None = None) -> None:
        self._server = server

    def texts(self, name: str) -> Sequence[str]:
        """The TXT records of a name, aliases followed. Raises `DnsSilent`."""
        try:
            resolver = dns.resolver.Resolver(configure=self._server is None)
            if self._server is not None:
                resolver.nameservers, resolver.port = [self._server[0]], self._server[1]
            answer = resolver.resolve(name, "TXT", lifetime=PATIENCE)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError) as problem:
            raise DnsSilent(f"no name server answered ({type(problem).__name__})") from problem
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


def way_out(settings: Settings) -> Finding:
    """How mails leave, and whether the other side would take one; nothing is sent."""
    try:
        sender = sender_for(settings)
        sender.knock()
    except SenderBusy as problem:
        return Finding("Mail", False, f"would not leave: {problem.reason}; check SMTP_URL or SENDGRID_API_KEY")
    except RecoupError as problem:
        return Finding("Mail", False, str(problem))
    return Finding("Mail", True, f"leaves through {type(sender).__name__}, which answers")


def sending_domains(context: Context, resolver: Dns | None = None) -> Iterator[Finding]:
    """What DNS says of every domain that an organization's mails come from."""
    settings = context.settings
    if not (settings.sendgrid_api_key or settings.smtp_url):
        return  # mails go into a folder, which asks no DNS
    resolver = resolver or SystemDns()
    for domain in _domains(context):
        if is_nobodys(domain):
            is_wanted = not settings.sandbox
            advice = (
                "is nobody's: set RECOUP_MAIL_FROM or the organization's sender address" if is_wanted else "a rehearsal"
            )
            yield Finding(f"Sender {domain}", not is_wanted, advice)
            continue
        yield from _look(settings, resolver, domain)


def _look(settings: Settings, resolver: Dns, domain: str) -> Iterator[Finding]:
    by_sendgrid = bool(settings.sendgrid_api_key)
    named = tuple(word.strip() for word in settings.dkim_selectors.split(",") if word.strip())
    selectors = named or (SENDGRID_SELECTORS if by_sendgrid else ())
    try:
        verdicts = judge(resolver, domain, selectors, by_sendgrid=by_sendgrid)
    except DnsSilent as problem:
        yield Finding(f"Sender {domain}", True, f"not looked at: {problem}")
        return
    for verdict in verdicts:
        yield Finding(f"Sender {domain}, {verdict.record}", verdict.is_fine, verdict.detail)


def _domains(context: Context) -> list[str]:
    with context.database.system() as session:
        addresses = session.scalars(select(Organization.sender_email).order_by(Organization.created_at)).all()
    used = [address or context.settings.mail_from for address in addresses] or [context.settings.mail_from]
    return list(dict.fromkeys(address.rpartition("@")[2].lower() for address in used))
