"""Customers and their mail: as many open it and press its link as is reported, at hours at which people are awake."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.sandbox.errors import StripeRefusal
from app.sandbox.people import mailroom
from app.sandbox.people.browsing import Form, Page, forms_in
from app.sandbox.people.choices import Walker
from app.sandbox.people.folder import Folder
from app.sandbox.people.habits import Deed, parameters, plan
from app.sandbox.people.letters import Read, read
from tests.unit.sandbox.play import DAY, Play

NOON = datetime(2027, 3, 3, 12, tzinfo=UTC)
MANY = 6000


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 9])
def test_mails_are_opened_and_pressed_as_often_as_is_reported(number: int) -> None:
    plans = [plan(person, 1, number, NOON, "Europe/Berlin") for person in range(MANY)]
    place = min(number, 6) - 1
    opened, clicked = (parameters()["mails"][name][place] for name in ("opened", "clicked"))
    assert sum(made.opens_at is not None for made in plans) / MANY == pytest.approx(opened, abs=0.03)
    assert sum(made.deed is not None for made in plans) / MANY == pytest.approx(clicked, abs=0.015)


def test_some_never_answer_whatever_comes() -> None:
    silent = sum(
        all(plan(person, 1, number, NOON, "UTC").opens_at is None for number in range(1, 30)) for person in range(1000)
    )
    assert 0.36 < silent / 1000 < 0.48


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Tokyo", "Europe/London"])
@pytest.mark.parametrize("hour", [0, 5, 12, 22])
def test_nobody_reads_mail_at_night(zone: str, hour: int) -> None:
    arrived = NOON.replace(hour=hour)
    read_at = [plan(person, 1, 1, arrived, zone).opens_at for person in range(1500)]
    moments = [at for at in read_at if at is not None]
    assert moments
    assert all(7 <= at.astimezone(ZoneInfo(zone)).hour < 23 for at in moments)
    assert all(timedelta(0) < at - arrived < timedelta(days=7) for at in moments)


def test_the_same_person_does_the_same_about_the_same_mail_at_whatever_second_it_comes() -> None:
    for person in range(300):
        first, later = (plan(person, 2, 3, NOON + timedelta(seconds=late), "UTC") for late in (0, 40))
        assert first.deed == later.deed
        assert (first.opens_at is None) == (later.opens_at is None)


PLAIN = b"""To: Ada <Ada@Example.com>, bea@example.com\r\nSubject: Open\r\nMIME-Version: 1.0\r
Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r
Pay:\r\nhttp://127.0.0.1:1/pay/abc=\r\ndef.\r\nOr http://other.example/\r\n"""


def test_a_mail_is_read_as_a_person_sees_it() -> None:
    assert read(PLAIN) == Read(("ada@example.com", "bea@example.com"), "Open", "http://127.0.0.1:1/pay/abcdef")


def test_a_mail_of_html_alone_has_a_link_and_a_broken_one_is_no_harm() -> None:
    rich = (
        b'To: a@b.c\nContent-Type: text/html\n\n<img src="http://x/"><a class="b" href="http://h/p?a=1&amp;b=2">Pay</a>'
    )
    assert read(rich).link == "http://h/p?a=1&b=2"
    assert read(b"\xff\xfe nothing like a mail").link is None
    assert read(b"To: a@b.c\nContent-Type: text/plain; charset=klingon\n\nhttp://h/").addresses == ("a@b.c",)


def test_a_folder_gives_each_new_mail_once_and_none_of_the_old_or_unfinished(tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_bytes(b"old")
    folder = Folder(tmp_path)
    (tmp_path / ".3.eml").write_bytes(b"half")
    (tmp_path / "3.eml").write_bytes(b"third")
    (tmp_path / "2.eml").write_bytes(b"second")
    assert list(folder.new()) == [b"second", b"third"]
    assert list(folder.new()) == []
    assert list(Folder(tmp_path / "none").new()) == []


CARD = Form("", "POST", asks={"card", "number"}, buttons=[("answer", "pay")])
BANK = Form("", "POST", buttons=[("answer", "approve"), ("answer", "refuse")])
BUTTON = Form("/pay/x/card", "POST", {"ticket": "t"}, buttons=[("", "")])
AGAIN = Form("/pay/x/pay-now", "POST", {"ticket": "t"}, buttons=[("", "")])


def page(*forms: Form) -> Page:
    return Page("http://127.0.0.1/pay/x", 200, forms)


@pytest.mark.parametrize(
    ("deed", "numbers"),
    [
        (Deed.FIXES, ["4242424242424242", None]),
        (Deed.WRONG_THEN_FIXES, ["4000000000000002", "4242424242424242", None]),
        (Deed.WRONG, ["4000000000000002", None]),
        (Deed.ABANDONS, [None]),
        (Deed.LOOKS, [None]),
    ],
)
def test_how_far_somebody_goes_is_their_deed(deed: Deed, numbers: list[str | None]) -> None:
    walker = Walker(deed, approves=True)
    presses = [walker.choose(page(CARD)) for _ in numbers]
    assert [press and press[1]["number"] for press in presses] == numbers
    assert all(press is None or press[1]["answer"] == "pay" for press in presses)


def test_each_button_is_pressed_once_the_first_one_first() -> None:
    walker = Walker(Deed.FIXES, approves=True)
    pressed = [walker.choose(page(AGAIN, BUTTON)) for _ in range(3)]
    assert [press and press[0].action for press in pressed] == ["/pay/x/pay-now", "/pay/x/card", None]
    assert walker.did == ["pay-now", "card"]


@pytest.mark.parametrize(("says_yes", "word"), [(True, "approve"), (False, "refuse")])
def test_the_bank_is_answered_once(says_yes: bool, word: str) -> None:
    walker = Walker(Deed.FIXES, approves=says_yes)
    press = walker.choose(page(BANK))
    assert press is not None
    assert press[1] == {"answer": word}
    assert walker.choose(page(BANK)) is None


def test_forms_are_seen_with_what_they_carry_and_ask() -> None:
    html = """<form action="/search"><input name=q></form><form method=post action="/go"><input type="hidden" name="t"
    value="a&amp;b"><select name="card"><option></select><button>Go</button></form><button>Loose</button>"""
    search, go = forms_in(html)
    assert (search.method, search.asks, go.method, go.carries) == ("GET", {"q"}, "POST", {"t": "a&b"})
    assert (go.asks, go.buttons) == ({"card"}, [("", "")])


def somebody_who(deed: Deed) -> int:
    return next(seed for seed in range(9000) if plan(seed, 1, 1, NOON, "UTC").deed is deed)


def test_a_mail_becomes_an_errand_at_its_hour_and_a_line_in_the_diary(play: Play) -> None:
    made = play.customer(email="ada@example.com", reads_mail=True)
    play.act(mailroom.begin_reading, made["customer"], somebody_who(Deed.FIXES))
    assert play.act(mailroom.deliver, Read(("ada@example.com",), "Open: $49", "http://127.0.0.1/x")) == [
        made["customer"]
    ]
    assert play.act(mailroom.deliver, Read(("who@example.com",), "Open", "http://127.0.0.1/x")) == []
    errands = play.world.store.fetch("select id, status from objects where kind = '_errand'")
    assert [status for _, status in errands] == ["planned"]
    play.run_to(play.now + 7 * DAY)
    assert play.find("_errand", errands[0][0])["status"] == mailroom.READY
    play.act(mailroom.settle, play.find("_errand", errands[0][0]), ["card", "card 4242"])
    assert play.world.store.fetch("select id from objects where kind = '_errand'") == []
    diary = play.act(mailroom.diary, made["customer"])
    assert [words for _, words in diary] == ["mail 1: Open: $49", "card, card 4242"]
    sums = {"readers": 1, "mails": 1, "opened": 1, "visits": 1, "cards": 1}
    assert mailroom.tally(play.world.store) == sums


def test_a_mail_after_a_long_silence_is_the_first_of_a_new_matter(play: Play) -> None:
    made = play.customer(email="ada@example.com", reads_mail=True)
    for gap in (0, 3 * DAY, 3 * DAY, 40 * DAY):
        play.run_to(play.now + gap)
        play.act(mailroom.deliver, Read(("ada@example.com",), "s", None))
    reader = play.find(mailroom.READER, made["customer"])
    assert (reader["matter"], reader["number"]) == (2, 1)


def test_somebody_whose_page_does_not_come_returns_some_times_and_then_gives_up(play: Play) -> None:
    made = play.customer(email="ada@example.com", reads_mail=True)
    errand = {"id": "errand_1", "object": "_errand", "customer": made["customer"], "tries": 0, "status": "ready"}
    play.act(lambda ledger: ledger.save(dict(errand)))
    for _ in range(3):
        play.act(mailroom.put_off, play.find("_errand", "errand_1"), "away")
        assert play.find("_errand", "errand_1")["status"] == "planned"
        play.run_to(play.now + 1300)
        assert play.find("_errand", "errand_1")["status"] == "ready"
    play.act(mailroom.put_off, play.find("_errand", "errand_1"), "away")
    assert play.world.store.find("_errand", "errand_1") is None


def test_who_has_no_address_reads_no_mail(play: Play) -> None:
    made = play.customer()
    play.act(lambda ledger: ledger.save({**ledger.get("customer", made["customer"]), "email": None}))
    with pytest.raises(StripeRefusal, match="no address"):
        play.act(mailroom.begin_reading, made["customer"])
