"""What PostgreSQL cannot hold is refused with a page, and an error's text never tells what a statement was given."""

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.context import Context
from app.models import User
from tests.integration.console.conftest import Browser


@pytest.mark.parametrize(
    "address",
    [
        "/cases?decline=%00",
        "/cases?currency=a%00b",
        "/cases?q=%00",
        "/cases?%00=1",
        "/reports?currency=%00",
        "/sign-in?next=/%00",
        "/assets/%00",
    ],
)
def test_a_nul_in_an_address_is_refused_with_a_page_that_says_so(browser: Browser, address: str) -> None:
    answer = browser.get(address)
    assert answer.status_code == 400
    assert "NUL character" in answer.text


@pytest.mark.parametrize("email", ["a\0b", "\0"])
def test_a_nul_in_a_form_is_refused_with_a_page_that_says_so(stranger: Browser, owner: User, email: str) -> None:
    answer = stranger.sign_in(email)
    assert answer.status_code == 400
    assert "NUL character" in answer.text
    assert stranger.sign_in(owner.email, "with a \0 in it").status_code == 400


@pytest.mark.parametrize("path", ["/pay/a%00b", "/pay/abc?note=%00", "/pay/abc/return?session_id=%00"])
def test_the_customers_page_refuses_it_kindly(app: Flask, path: str) -> None:
    answer = app.test_client().get(path)
    assert answer.status_code == 400
    assert "<h1" in answer.text


def test_an_error_of_the_database_does_not_tell_what_the_statement_was_given(context: Context) -> None:
    with pytest.raises(SQLAlchemyError) as raised, context.database.system() as session:
        session.execute(text("select 1 / (length(:email) - length(:email))"), {"email": "ann@acme.example"})
    assert "ann@acme.example" not in str(raised.value)
