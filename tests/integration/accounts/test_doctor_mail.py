"""The doctor's look at senders' domains, through a name server of our own."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from app.cli.doctor_mail import SystemDns, sending_domains, way_out
from app.context import Context
from app.messages.sending_domain import DnsSilent
from app.models import Organization
from app.settings import Settings

KNOWN = {
    "acme.io.": ("TXT", '"v=spf1 include:sendgrid.net" " -all"'),
    "s1._domainkey.acme.io.": ("CNAME", "s1.domainkey.u1.sendgrid.net."),
    "s1.domainkey.u1.sendgrid.net.": ("TXT", '"k=rsa; p=MIGf"'),
    "_dmarc.acme.io.": ("TXT", '"v=DMARC1; p=reject"'),
}


def answer(question: bytes) -> bytes:
    """As a recursive server does: aliases are followed within one answer."""
    asked = dns.message.from_wire(question)
    response = dns.message.make_response(asked)
    response.flags |= dns.flags.RA
    name = str(asked.question[0].name).lower()
    if name not in KNOWN:
        response.set_rcode(dns.rcode.NXDOMAIN)
    while name in KNOWN:
        kind, value = KNOWN[name]
        response.answer.append(dns.rrset.from_text(name, 60, "IN", kind, value))
        name = value if kind == "CNAME" else ""
    return response.to_wire()


@pytest.fixture
def name_server() -> Iterator[tuple[str, int]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                question, whence = server.recvfrom(4096)
                if not question:
                    return
                server.sendto(answer(question), whence)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()
        server.sendto(b"", server.getsockname())
        thread.join(timeout=5)


@pytest.fixture
def with_sender(context: Context) -> Callable[[str | None], Context]:
    def make(sender: str | None) -> Context:
        with context.database.system() as session:
            session.add(
                Organization(
                    slug="acme", name="Acme", sender_email=sender, created_at=context.clock.now(), timezone="UTC"
                )
            )
        return replace(context, settings=context.settings.model_copy(update={"sendgrid_api_key": "SG.x"}))

    return make


def test_the_records_of_a_senders_domain_are_read_and_aliases_followed(
    with_sender: Callable[[str | None], Context], name_server: tuple[str, int]
) -> None:
    found = list(sending_domains(with_sender("billing@acme.io"), SystemDns(name_server)))
    assert [(one.what, one.is_fine) for one in found] == [
        ("Sender acme.io, SPF", True),
        ("Sender acme.io, DKIM", True),
        ("Sender acme.io, DMARC", True),
    ]
    assert "include:sendgrid.net -all" in found[0].detail
    assert "under s1" in found[1].detail


def test_a_domain_without_records_is_told_three_times_what_to_do(
    with_sender: Callable[[str | None], Context], name_server: tuple[str, int]
) -> None:
    found = list(sending_domains(with_sender("billing@elsewhere.io"), SystemDns(name_server)))
    assert [one.is_fine for one in found] == [True, False, False]


def test_a_name_server_that_is_away_is_no_fault_of_the_domain(with_sender: Callable[[str | None], Context]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = taken.getsockname()
    with pytest.raises(DnsSilent):
        SystemDns(nobody).texts("acme.io")
    found = list(sending_domains(with_sender("billing@acme.io"), SystemDns(nobody)))
    assert [(one.is_fine, one.detail.startswith("not looked at")) for one in found] == [(True, True)]


def test_an_address_that_nobody_can_write_from_is_pointed_out_outside_a_rehearsal(
    with_sender: Callable[[str | None], Context],
) -> None:
    rehearsal = with_sender(None)
    assert [one.is_fine for one in sending_domains(rehearsal)] == [True]
    earnest = replace(rehearsal, settings=rehearsal.settings.model_copy(update={"sandbox": False}))
    assert [one.is_fine for one in sending_domains(earnest)] == [False]


def test_mails_that_go_into_a_folder_need_no_records(context: Context) -> None:
    assert list(sending_domains(context)) == []


def test_the_way_out_is_tried_and_its_silence_told(tmp_path: Path) -> None:
    folder = Settings(_env_file=None, home=tmp_path)
    assert way_out(folder).is_fine
    told = way_out(Settings(_env_file=None, home=tmp_path, smtp_url="smtp://127.0.0.1:9"))
    assert not told.is_fine
    assert "would not leave: smtp_" in told.detail
