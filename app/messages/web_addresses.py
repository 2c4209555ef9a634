"""Whether a web address that somebody typed leads to the public internet. Asks DNS, and fetches nothing."""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from app.errors import RecoupError

Resolve = Callable[[str], Iterable[str]]
LONGEST = 500


class AddressRefused(RecoupError):
    """An address that customers could not reach, or must not be sent to; the text says why and what to write."""


def resolve(host: str) -> list[str]:
    """The IP addresses of `host`. Raises OSError where it has none."""
    return sorted({str(found[4][0]) for found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)})


def check_public(address: str, resolve: Resolve = resolve) -> str:
    """`address` without blanks around it, if it is https and every IP address of its host is a public one.

    Raises `AddressRefused`.
    """
    address = address.strip()
    host = _host(address)
    try:
        found = [str(ipaddress.ip_address(host))]
    except ValueError:
        found = _resolved(host, resolve)
    if not all(_is_public(each) for each in found):
        raise AddressRefused(f"{host} is an address inside a private network, which your customers cannot reach.")
    return address


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme != "https" or not host or any(letter.isspace() for letter in address) or len(address) > LONGEST:
        raise AddressRefused("Write the whole address, beginning with https://; mails show nothing from others.")
    if parts.username is not None or port not in (None, 443):
        raise AddressRefused("The address may have no user name and no port of its own.")
    return host


def _resolved(host: str, resolve: Resolve) -> list[str]:
    try:
        found = list(resolve(host))
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise AddressRefused(f"There is no {host} in DNS, as seen from here. Check the spelling.")
    return found


def _is_public(found: str) -> bool:
    address = ipaddress.ip_address(found.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_global and not (mapped or address).is_multicast
