"""What a branding form may say: every wrong value is named at its field, and nothing else is touched."""

import pytest

from app.messages import brand_values
from app.messages.brand_values import read
from app.messages.web_addresses import AddressRefused, check_public

GOOD = {"name": "Fernweh Studio", "brand_color": "#0f766e", "default_locale": "de"}
PUBLIC, PRIVATE = ["93.184.216.34"], ["10.0.0.7"]


def refuse_to_look(host: str) -> list[str]:
    raise AssertionError(f"{host} was looked up")


def problem_of(name: str, value: str) -> str | None:
    return read(GOOD | {name: value}, {}, lambda _host: PUBLIC)[1].get(name)


def test_good_values_are_taken_and_empty_ones_are_none() -> None:
    values, problems = read(GOOD | {"reply_to": "  "}, {}, refuse_to_look)
    assert problems == {}
    assert values["name"] == "Fernweh Studio"
    assert values["reply_to"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("name", "x" * 61),
        ("sender_name", "Two\nlines"),
        ("sender_name", "Bcc: someone\r\n"[:-1] + "\u2028x"),
        ("sender_email", "no address"),
        ("reply_to", "a@b@c"),
        ("support_email", "help@"),
        ("website", "javascript:alert(1)"),
        ("website", "http://plain.example"),
        ("support_url", "http://plain.example/help"),
        ("postal_address", "x" * 201),
        ("brand_color", "red"),
        ("brand_color", "#12345"),
        ("brand_color", ""),
        ("default_locale", "tlh"),
    ],
)
def test_a_wrong_value_is_named_at_its_field(name: str, value: str) -> None:
    assert problem_of(name, value)


def test_a_colour_without_its_sign_gets_it() -> None:
    assert read(GOOD | {"brand_color": "0F766E"}, {}, refuse_to_look)[0]["brand_color"] == "#0F766E"


@pytest.mark.parametrize("color", ["#ffff00", "#ffffff", "#000000", "#777777", "#0f766e", "#f0f", "#eeeeee"])
def test_the_writing_on_a_button_of_any_colour_reaches_aa_on_both_cards(color: str) -> None:
    for seen in brand_values.seen(color):
        assert seen.ratio >= 4.5


def test_a_colour_that_would_not_be_seen_is_moved_and_that_is_told() -> None:
    light, dark = brand_values.seen("#ffffff")
    assert (light.is_moved, dark.is_moved) == (True, False)


def test_a_logo_is_looked_up_only_when_it_is_another() -> None:
    logo = "https://cdn.example.com/logo.png"
    assert read(GOOD | {"logo_url": logo}, {"logo_url": logo}, refuse_to_look)[1] == {}
    assert read(GOOD | {"logo_url": logo}, {}, lambda _host: PUBLIC)[1] == {}
    assert "private network" in read(GOOD | {"logo_url": logo}, {}, lambda _host: PRIVATE)[1]["logo_url"]


@pytest.mark.parametrize(
    "address",
    [
        "http://cdn.example.com/logo.png",
        "//cdn.example.com/logo.png",
        "https://",
        "https://user:secret@cdn.example.com/x.png",
        "https://cdn.example.com:8443/x.png",
        "https://127.0.0.1/x.png",
        "https://[::1]/x.png",
        "https://[::ffff:10.0.0.1]/x.png",
        "https://169.254.169.254/latest/meta-data",
        "https://224.0.0.1/x.png",
        "https://cdn.example.com/a b.png",
        "https://[half",
        "data:image/png;base64,AAAA",
    ],
)
def test_an_address_that_customers_must_not_be_sent_to_is_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_public(address, lambda _host: PUBLIC)


@pytest.mark.parametrize("found", [["93.184.216.34", "192.168.1.1"], ["fe80::1%eth0"], ["::ffff:127.0.0.1"], []])
def test_one_private_answer_of_dns_is_enough_to_refuse(found: list[str]) -> None:
    with pytest.raises(AddressRefused):
        check_public("https://cdn.example.com/logo.png", lambda _host: found)


def test_a_host_that_dns_does_not_know_is_refused() -> None:
    def unknown(host: str) -> list[str]:
        raise OSError(host)

    with pytest.raises(AddressRefused, match=r"no nowhere\.example in DNS"):
        check_public("https://nowhere.example/logo.png", unknown)
