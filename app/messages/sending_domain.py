"""Whether receivers can tell that mails from a domain are genuine: its SPF, DKIM and DMARC records, judged.

Sources: RFC 7208 (SPF), RFC 6376 (DKIM), RFC 7489 (DMARC). Google and Yahoo take no bulk mail from domains without all
three since February 2024. What DNS cannot tell: whether the mail server really signs, and with which key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.errors import RecoupError

SENDGRID_SELECTORS = ("s1", "s2")  # what its domain authentication makes
_MOST_LOOKUPS = 10
_LOOKING = ("include:", "a", "mx", "ptr", "exists:", "redirect=")
# Names that nobody can have (RFC 2606, 6761): rehearsals are sent from them.
_NOBODYS = ("test", "example", "invalid", "localhost", "localdomain", "example.com", "example.net", "example.org")


class DnsSilent(RecoupError):
    """No name server answered; nothing is known, and nothing is wrong with the domain for that."""


class Dns(Protocol):
    """What is asked of a resolver."""

    def texts(self, name: str) -> Sequence[str]:
        """The TXT records of a name, aliases followed; none where there are none. Raises `DnsSilent`."""
        ...


@dataclass(frozen=True)
class Verdict:
    """One record, fine or not, and what was seen or is to be done."""

    record: str
    is_fine: bool
    detail: str


def is_nobodys(domain: str) -> bool:
    """Whether a domain is one that cannot be looked up, because it is kept for tests and examples."""
    return not domain or "." not in domain or any(domain == name or domain.endswith(f".{name}") for name in _NOBODYS)


def judge(dns: Dns, domain: str, selectors: Sequence[str], *, by_sendgrid: bool) -> list[Verdict]:
    """What the records of `domain` say of mails sent from it. Raises `DnsSilent`."""
    return [_spf(dns, domain, by_sendgrid), _dkim(dns, domain, selectors, by_sendgrid), _dmarc(dns, domain)]


def _spf(dns: Dns, domain: str, by_sendgrid: bool) -> Verdict:
    records = _starting(dns, domain, "v=spf1")
    if len(records) > 1:
        return Verdict("SPF", False, f"there are {len(records)} records, which counts as none: join them into one")
    if not records:
        if by_sendgrid:
            return Verdict("SPF", True, "no record of its own; SendGrid sends under a return address it looks after")
        return Verdict("SPF", False, 'none; add a TXT record like "v=spf1 include:your.mail.provider -all"')
    words = records[0].lower().split()
    if words[-1] in ("+all", "all"):
        return Verdict("SPF", False, "ends in +all, by which everybody may send in your name: end it in -all or ~all")
    lookups = _count_lookups(dns, words, _MOST_LOOKUPS + 1)
    if lookups > _MOST_LOOKUPS:
        return Verdict("SPF", False, f"needs more than {_MOST_LOOKUPS} look-ups, so receivers ignore it: include less")
    return Verdict("SPF", True, f"{records[0][:100]} ({lookups} of {_MOST_LOOKUPS} look-ups)")


def _count_lookups(dns: Dns, words: Sequence[str], budget: int) -> int:
    """How many look-ups a policy costs its readers, counted up to `budget`."""
    count = 0
    for word in words[1:]:
        mechanism = word.lstrip("+-~?")
        if not _looks_up(mechanism):
            continue
        count += 1
        name = mechanism.partition(":")[2] if mechanism.startswith("include:") else mechanism.partition("redirect=")[2]
        if name and count < budget and "%" not in name:
            inner = _starting(dns, name, "v=spf1")
            count += _count_lookups(dns, inner[0].lower().split(), budget - count) if inner else 0
        if count >= budget:
            return budget
    return count


def _looks_up(mechanism: str) -> bool:
    return any(
        mechanism.startswith(name) if name[-1] in ":=" else mechanism.partition(":")[0].partition("/")[0] == name
        for name in _LOOKING
    )


def _dkim(dns: Dns, domain: str, selectors: Sequence[str], by_sendgrid: bool) -> Verdict:
    if not selectors:
        how = "name the selectors that your mail server signs with in RECOUP_DKIM_SELECTORS, parted by commas"
        return Verdict("DKIM", False, f"not looked at: {how}")
    good = [selector for selector in selectors if any(map(_is_key, dns.texts(f"{selector}._domainkey.{domain}")))]
    if good:
        return Verdict("DKIM", True, f"a key is published under {' and '.join(good)}")
    where = " and ".join(f"{selector}._domainkey.{domain}" for selector in selectors)
    how = (
        "authenticate the domain in SendGrid (Settings, Sender Authentication) and add the CNAME records it shows"
        if by_sendgrid
        else "publish the key that your mail server signs with"
    )
    return Verdict("DKIM", False, f"no key under {where}: {how}")


def _is_key(record: str) -> bool:
    """Whether a record holds a key; one with an empty `p=` says that the key was taken back."""
    parts = _tags(record)
    return bool(parts.get("p")) and parts.get("v", "DKIM1").upper() == "DKIM1"


def _dmarc(dns: Dns, domain: str) -> Verdict:
    found, at = _find_dmarc(dns, domain)
    if len(found) > 1:
        return Verdict("DMARC", False, f"there are {len(found)} records at _dmarc.{at}, which counts as none: keep one")
    if not found:
        start = "v=DMARC1; p=none; rua=mailto:you@" + domain
        return Verdict("DMARC", False, f'none; begin with a TXT record at _dmarc.{domain}: "{start}"')
    tags = _tags(found[0])
    wanted = (tags.get("sp") if at != domain else None) or tags.get("p", "")
    if wanted.lower() == "none":
        return Verdict("DMARC", True, "p=none: only watched; go on to quarantine once the reports are clean")
    if wanted.lower() in ("quarantine", "reject"):
        return Verdict("DMARC", True, f"p={wanted.lower()}")
    return Verdict("DMARC", False, "the record names no policy: p= none, quarantine or reject")


def _find_dmarc(dns: Dns, domain: str) -> tuple[list[str], str]:
    """The record of the domain, else of the nearest domain above it that has one; never of a top-level domain."""
    labels = domain.split(".")
    for begin in range(len(labels) - 1):
        at = ".".join(labels[begin:])
        found = _starting(dns, f"_dmarc.{at}", "v=dmarc1")
        if found:
            return found, at
    return [], domain


def _starting(dns: Dns, name: str, version: str) -> list[str]:
    return [text for text in dns.texts(name) if text.lower().partition(";")[0].split()[:1] == [version]]


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, _, value in pairs if name.strip()}
