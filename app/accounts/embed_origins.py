"""The origins of the operator's own app, which alone may show the embedded notice. Checked here, kept in a row."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.accounts.api_keys import Actor
from app.errors import RecoupError
from app.models import AuditEntry, Organization

MOST = 20
HERE = ("localhost", "127.0.0.1", "[::1]")
_DEFAULT_PORTS = {"https": "443", "http": "80"}
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


class OriginInvalid(RecoupError):
    """A line is no origin that may be allowed; the text says which and what to write."""


def read_origins(text: str) -> list[str]:
    """One origin a line, as browsers send them: each once, in the order given. Raises `OriginInvalid`."""
    given = [line.strip() for line in text.splitlines() if line.strip()]
    origins = list(dict.fromkeys(_origin(line) for line in given))
    if len(origins) > MOST:
        raise OriginInvalid(f"Name {MOST} origins at most; there are {len(origins)}.")
    return origins


def set_origins(session: Session, origins: list[str], by: Actor, now: datetime) -> bool:
    """Keep `origins` for the transaction's organization; False where they were so."""
    organization_id: UUID = session.info["organization_id"]
    row = session.get_one(Organization, organization_id, with_for_update={"key_share": True})
    before = list(row.embed_origins)
    if before == origins:
        return False
    row.embed_origins = origins
    session.add(
        AuditEntry(
            organization_id=organization_id,
            actor=by.name,
            user_id=by.user_id,
            action="embed.origins_changed",
            subject="embedded notice",
            happened_at=now,
            data={"before": before, "after": origins},
        )
    )
    return True


def _origin(line: str) -> str:
    """`https://app.example.com`, with a port where it is not the usual one."""
    scheme, colon, rest = line.lower().rstrip("/").partition("://")
    host, port = _split_port(rest)
    is_host = host in HERE or (set(host) <= _LETTERS and "." in host.strip(".") and not host.startswith("."))
    if not colon or scheme not in _DEFAULT_PORTS or not is_host or (port is not None and not _is_port(port)):
        raise OriginInvalid(
            f"“{line[:100]}” is no origin. Write the scheme and the host alone, like https://app.example.com"
            " (international names in their xn-- form); paths and * cannot be named."
        )
    if scheme == "http" and host not in HERE:
        raise OriginInvalid(f"“{line[:100]}” is not encrypted, so anybody on the way could read the link. Use https.")
    return f"{scheme}://{host}" + (f":{port}" if port not in (None, _DEFAULT_PORTS[scheme]) else "")


def _split_port(rest: str) -> tuple[str, str | None]:
    host, colon, port = rest.rpartition(":")
    return (host, port) if colon and not port.endswith("]") else (rest, None)


def _is_port(port: str) -> bool:
    return port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= 65535
