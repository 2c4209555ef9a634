"""Secrets at rest: they open with the ring, in their place, and in no other way."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto import KeyRing, KeyRingInvalid, SecretUnreadable, generate_key

OLD, NEW = generate_key("2025"), generate_key("2026")
RING = KeyRing.parse(NEW)
PLACE = "org/connections/1/api_key"


@given(st.text(max_size=300))
def test_what_was_sealed_opens_again(secret: str) -> None:
    assert RING.open(RING.seal(secret, PLACE), PLACE) == secret


def test_the_secret_is_not_in_what_is_stored_and_two_seals_differ() -> None:
    one, two = RING.seal("rk_live_secret", PLACE), RING.seal("rk_live_secret", PLACE)
    assert b"rk_live" not in one
    assert one != two


def test_a_sealed_value_does_not_open_in_another_place() -> None:
    sealed = RING.seal("rk_live_secret", PLACE)
    with pytest.raises(SecretUnreadable, match="moved"):
        RING.open(sealed, "org/connections/2/api_key")


def test_one_changed_bit_anywhere_and_it_does_not_open() -> None:
    sealed = RING.seal("rk_live_secret", PLACE)
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(SecretUnreadable):
            RING.open(bytes(damaged), PLACE)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 40, 100])
def test_a_value_cut_short_does_not_open(length: int) -> None:
    with pytest.raises(SecretUnreadable):
        RING.open(RING.seal("rk_live_secret", PLACE)[:length], PLACE)


def test_while_keys_are_rotated_the_old_one_still_opens_and_the_new_one_seals() -> None:
    sealed = KeyRing.parse(OLD).seal("secret", PLACE)
    both = KeyRing.parse(f"{NEW}, {OLD}")
    assert both.open(sealed, PLACE) == "secret"
    assert not both.is_newest(sealed)
    assert both.is_newest(both.seal("secret", PLACE))


def test_a_key_that_was_taken_out_of_the_ring_is_named() -> None:
    sealed = KeyRing.parse(OLD).seal("secret", PLACE)
    with pytest.raises(SecretUnreadable, match="2025"):
        RING.open(sealed, PLACE)


@pytest.mark.parametrize(
    "written",
    [
        "",
        " , ",
        "no-colon",
        "short:" + base64.b64encode(b"x" * 16).decode(),
        ":" + base64.b64encode(b"x" * 32).decode(),
        "name:not base64!",
        "n" * 33 + ":" + base64.b64encode(b"x" * 32).decode(),
    ],
)
def test_a_ring_that_cannot_be_used_is_refused_at_once(written: str) -> None:
    with pytest.raises(KeyRingInvalid):
        KeyRing.parse(written)


@pytest.mark.parametrize("key_id", ["", "a:b", "a,b", "a b", "ä", "x" * 33])
def test_a_key_gets_no_name_that_could_not_be_read_again(key_id: str) -> None:
    with pytest.raises(KeyRingInvalid, match="cannot name a key"):
        generate_key(key_id)


@pytest.mark.parametrize("key_id", ["a", "2026-a_B", "x" * 32])
def test_every_other_name_can_be_read_again(key_id: str) -> None:
    assert KeyRing.parse(generate_key(key_id)).newest == key_id


def test_a_key_whose_name_was_forgotten_is_not_repeated_in_the_refusal() -> None:
    key = generate_key("a").removeprefix("a:")
    with pytest.raises(KeyRingInvalid, match="has no id") as refused:
        KeyRing.parse(key)
    assert key not in str(refused.value)


def test_two_keys_of_one_name_are_refused_before_one_is_lost() -> None:
    with pytest.raises(KeyRingInvalid, match="two keys of the same id"):
        KeyRing.parse(f"{generate_key('a')},{generate_key('a')}")
