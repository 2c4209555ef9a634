"""What SPF, DKIM and DMARC records say of a sender, and what to do about each that is missing or wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from app.messages.sending_domain import Verdict, is_nobodys, judge

KEY = "k=rsa; t=s; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"
DOMAIN = "billing.acme.io"


@dataclass
class Zone:
    """Name servers that know these TXT records."""

    records: dict[str, list[str]] = field(default_factory=dict)

    def texts(self, name: str) -> Sequence[str]:
        return self.records.get(name, [])


def verdict(record: str, records: dict[str, list[str]], *, by_sendgrid: bool = True) -> Verdict:
    selectors = ("s1", "s2") if by_sendgrid else ("mail",)
    found = judge(Zone(records), DOMAIN, selectors, by_sendgrid=by_sendgrid)
    return next(one for one in found if one.record == record)


def test_a_domain_in_order_is_fine_in_every_way() -> None:
    records = {
        DOMAIN: ["google-site-verification=x", "v=spf1 include:sendgrid.net ~all"],
        f"s1._domainkey.{DOMAIN}": [KEY],
        "_dmarc.acme.io": ["v=DMARC1; p=reject; sp=quarantine"],
    }
    found = judge(Zone(records), DOMAIN, ("s1", "s2"), by_sendgrid=True)
    assert [(one.record, one.is_fine) for one in found] == [("SPF", True), ("DKIM", True), ("DMARC", True)]
    assert "p=quarantine" in found[2].detail  # what holds for a domain below


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ([], "none; add a TXT record"),
        (["v=spf1 -all", "v=spf1 mx -all"], "2 records"),
        (["v=spf1 mx +all"], "everybody may send in your name"),
        (["v=spf1 " + " ".join(f"include:n{n}.io" for n in range(11)) + " -all"], "more than 10 look-ups"),
        (["v=spf1 include:loop.io -all"], "more than 10 look-ups"),
    ],
)
def test_a_policy_that_does_not_count_is_told_with_what_to_do(texts: list[str], told: str) -> None:
    records = {DOMAIN: texts, "loop.io": ["v=spf1 include:loop.io -all"]}
    found = verdict("SPF", records, by_sendgrid=False)
    assert not found.is_fine
    assert told in found.detail


def test_look_ups_are_counted_as_receivers_count_them() -> None:
    records = {DOMAIN: ["v=spf1 ip4:192.0.2.1 a mx:mail.acme.io include:n.io -all"], "n.io": ["v=spf1 a ip6:::1 ~all"]}
    assert "(4 of 10 look-ups)" in verdict("SPF", records, by_sendgrid=False).detail


def test_who_sends_by_sendgrid_needs_no_policy_of_their_own() -> None:
    assert verdict("SPF", {}).is_fine
    assert not verdict("SPF", {}, by_sendgrid=False).is_fine


def test_a_key_that_was_taken_back_is_none() -> None:
    found = verdict("DKIM", {f"s1._domainkey.{DOMAIN}": ["v=DKIM1; p="]})
    assert not found.is_fine
    assert "Sender Authentication" in found.detail


def test_without_selectors_it_is_said_where_to_name_them() -> None:
    found = judge(Zone(), DOMAIN, (), by_sendgrid=False)[1]
    assert not found.is_fine
    assert "RECOUP_DKIM_SELECTORS" in found.detail


@pytest.mark.parametrize(
    ("records", "is_fine", "told"),
    [
        ({}, False, f"_dmarc.{DOMAIN}"),
        ({f"_dmarc.{DOMAIN}": ["v=DMARC1; p=none"]}, True, "only watched"),
        ({f"_dmarc.{DOMAIN}": ["v=DMARC1; rua=mailto:a@acme.io"]}, False, "names no policy"),
        ({f"_dmarc.{DOMAIN}": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}, False, "2 records"),
    ],
)
def test_the_policy_for_forged_mails_is_judged(records: dict[str, list[str]], is_fine: bool, told: str) -> None:
    found = verdict("DMARC", records)
    assert (found.is_fine, told in found.detail) == (is_fine, True)


@pytest.mark.parametrize("domain", ["localhost.localdomain", "acme.test", "shop.example.com", "localhost", ""])
def test_domains_that_nobody_can_have_are_not_looked_up(domain: str) -> None:
    assert is_nobodys(domain)
    assert not is_nobodys(DOMAIN)
