"""The demonstration's customer: finds the link in a mail, follows it on this machine, sends forms as they stand."""

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.cli.payer import PageUnexpected, Payer, link_in

MAIL = "Hello,\nplease renew it here: https://pay.example.com/pay/eyJh.b-c_d~1.\nThank you (https://example.com)."


def test_the_link_in_a_mail_is_followed_on_this_machine_and_ends_before_the_full_stop() -> None:
    assert link_in(MAIL, "http://127.0.0.1:8000") == "http://127.0.0.1:8000/pay/eyJh.b-c_d~1"


def test_a_mail_without_a_link_is_no_way_to_pay() -> None:
    with pytest.raises(PageUnexpected, match="no payment link"):
        link_in("Nothing here but https://example.com/help", "http://127.0.0.1:8000")


def test_a_form_is_sent_with_what_it_hides_and_what_is_filled_in(httpserver: HTTPServer) -> None:
    page = (
        '<form action="/other"></form>'
        '<form method="post" action="/pay/x/card"><input type="hidden" name="ticket" value="t1"><input name="q"></form>'
    )
    httpserver.expect_request("/pay/x").respond_with_data(page, content_type="text/html")
    sent: list[dict[str, str]] = []

    def take(request: Request) -> Response:
        sent.append(request.form.to_dict())
        return Response("saved")

    httpserver.expect_request("/pay/x/card", method="POST").respond_with_handler(take)
    Payer(httpserver.url_for("/pay/x")).submit("/card", card="pm_card_visa")
    assert sent == [{"ticket": "t1", "card": "pm_card_visa"}]


def test_a_page_that_offers_something_else_is_said_to_be_unexpected(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/pay/x").respond_with_data("<p>All settled.</p>", content_type="text/html")
    with pytest.raises(PageUnexpected, match="/pay/x offers no way to /approve"):
        Payer(httpserver.url_for("/pay/x")).submit("/approve")
