"""Payment links: nobody can make or change one, and one that has expired still says whom to help."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer

from app.links import LIFETIME, LinkExpired, LinkInvalid, PayLink, make_pay_url, read_pay_token

NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)
KEY = "a secret that only tests know"
LINK = PayLink(UUID(int=1), UUID(int=2), 3)


def token(link: PayLink = LINK, key: str = KEY) -> str:
    url = make_pay_url("https://pay.example.com", key, link, NOW)
    assert url.startswith("https://pay.example.com/pay/")
    return url.rsplit("/", 1)[1]


@given(st.builds(PayLink, st.uuids(), st.uuids(), st.integers(1, 10**6)))
def test_a_link_stands_for_what_it_was_made_for(link: PayLink) -> None:
    assert read_pay_token(KEY, token(link), NOW) == link


def test_a_link_fits_into_an_address_as_it_is() -> None:
    assert all(letter.isalnum() or letter in "-_." for letter in token())


def test_a_link_works_until_its_last_second_and_then_still_says_for_whom_it_was() -> None:
    assert read_pay_token(KEY, token(), NOW + LIFETIME - timedelta(seconds=1)) == LINK
    with pytest.raises(LinkExpired) as expired:
        read_pay_token(KEY, token(), NOW + LIFETIME)
    assert expired.value.link == LINK


def test_a_link_made_with_another_key_is_none() -> None:
    with pytest.raises(LinkInvalid):
        read_pay_token(KEY, token(key="another secret"), NOW)


def test_no_letter_of_a_link_can_be_changed() -> None:
    good = token()
    for position in range(len(good)):
        changed = good[:position] + ("A" if good[position] != "A" else "B") + good[position + 1 :]
        with pytest.raises(LinkInvalid):
            read_pay_token(KEY, changed, NOW)


@pytest.mark.parametrize("payload", [[], ["x", "y", 1, 2], {"a": 1}, "words", [UUID(int=1).hex, None, 1, 2], None])
def test_what_we_signed_for_another_purpose_or_in_another_form_is_no_link(payload: object) -> None:
    with pytest.raises(LinkInvalid):
        read_pay_token(KEY, str(URLSafeSerializer(KEY, "recoup.pay").dumps(payload)), NOW)
    with pytest.raises(LinkInvalid):
        read_pay_token(KEY, str(URLSafeSerializer(KEY, "recoup.unsubscribe").dumps(payload)), NOW)


@given(st.text(max_size=80))
def test_anything_typed_into_the_address_is_refused_and_never_breaks(typed: str) -> None:
    with pytest.raises(LinkInvalid):
        read_pay_token(KEY, typed, NOW)
