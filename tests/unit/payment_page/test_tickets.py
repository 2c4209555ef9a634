"""Tickets of forms: bound to their case, and one name for each showing."""

from uuid import uuid4

import pytest
from itsdangerous import URLSafeSerializer

from app.money import Money
from app.payment_page import styles
from app.payment_page.tickets import TicketInvalid, issue, redeem

SECRET = "a secret that only tests know"
CASE = uuid4()


def test_a_ticket_names_one_click_however_often_it_is_sent() -> None:
    ticket = issue(SECRET, CASE)
    assert redeem(SECRET, ticket, CASE, "same-origin") == redeem(SECRET, ticket, CASE, None)
    assert redeem(SECRET, ticket, CASE, None) != redeem(SECRET, issue(SECRET, CASE), CASE, None)


def test_a_click_knows_what_was_to_be_paid_and_what_the_card_on_file_was_to_be_tried_for() -> None:
    shown = {"in_1": Money(4900, "eur"), "in_2": Money(900, "eur")}
    click = redeem(SECRET, issue(SECRET, CASE, shown, {"in_2"}), CASE, None)
    assert (click.shown, click.to_try) == (shown, {"in_2"})


def test_any_other_ticket_is_refused() -> None:
    of_another_edition = URLSafeSerializer(SECRET, "recoup.pay.form").dumps([CASE.hex, "name", {"in_1": [4900, "eur"]}])
    for ticket in ("", "x", "W10.x", issue("another secret", CASE), issue(SECRET, uuid4()), of_another_edition):
        with pytest.raises(TicketInvalid):
            redeem(SECRET, ticket, CASE, None)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_sent_from_another_site_is_refused(site: str) -> None:
    with pytest.raises(TicketInvalid):
        redeem(SECRET, issue(SECRET, CASE), CASE, site)


@pytest.mark.parametrize(
    ("brand", "fill"),
    [("#AA0044", "#aa0044"), ("#fc0", "#ffcc00"), (None, "#2b5bd7"), ("red;}", "#2b5bd7"), ("", "#2b5bd7")],
)
def test_the_stylesheet_takes_a_colour_and_nothing_else(brand: str | None, fill: str) -> None:
    sheet = styles.sheet_for(brand)
    assert sheet.startswith(f":root{{--fill:{fill};")
    assert "</" not in sheet


def test_the_writing_on_the_button_can_be_read_on_a_pale_brand() -> None:
    assert "--on-fill:#000000" in styles.sheet_for("#ffee00")
