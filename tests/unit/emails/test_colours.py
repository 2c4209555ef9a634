import pytest
from hypothesis import given
from hypothesis import strategies as st

from emails.colours import DARK_CARD, LIGHT_CARD, button_colours, contrast


@given(st.integers(min_value=0, max_value=0xFFFFFF))
def test_any_brand_colour_gives_a_button_that_can_be_read_and_seen(number: int) -> None:
    button = button_colours(f"#{number:06x}")
    assert contrast(button.fill, button.ink) >= 4.5
    assert contrast(button.dark_fill, button.dark_ink) >= 4.5
    assert contrast(button.fill, LIGHT_CARD) >= 1.3
    assert contrast(button.dark_fill, DARK_CARD) >= 2


@pytest.mark.parametrize("brand", ["#0f766e", "#ffd400", "#2b5bd7", "#e11d48"])
def test_an_ordinary_brand_colour_stays_what_it_is(brand: str) -> None:
    assert button_colours(brand).fill == brand


def test_black_and_white_brands_turn_over_where_they_would_vanish() -> None:
    assert button_colours("#000").dark_fill == "#eceef1"
    assert button_colours("#fff").fill == "#22262b"


def test_a_dark_hue_is_lightened_on_the_dark_card_only() -> None:
    navy = button_colours("#0a1a5c")
    assert navy.fill == "#0a1a5c"
    assert navy.dark_fill != navy.fill


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
