"""Branding: what is typed, refused, previewed and kept; a logo is uploaded, served to everybody, and never an SVG."""

import io
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import delete, update

from app.context import Context
from app.models import BrandLogo, Organization
from tests.integration.console.conftest import Browser
from tests.integration.console.world import World
from tests.unit.messages.test_pictures import png, webp_lossy

TYPED = {"name": "Aldebaran Studio", "brand_color": "#b45309", "default_locale": "de", "support_email": "help@a.test"}


@pytest.fixture(autouse=True)
def as_it_was(context: Context, world: World) -> Iterator[None]:
    own = read(context, world)
    addresses = "support_email support_url sender_email reply_to website".split()
    columns = ["name", "sender_name", "brand_color", "default_locale", *addresses]
    yield
    with context.database.organization(world.organization_id) as session:
        session.execute(update(Organization).values(logo_id=None, **{name: getattr(own, name) for name in columns}))
        session.execute(delete(BrandLogo))


def read(context: Context, world: World) -> Organization:
    with context.database.organization(world.organization_id) as session:
        return session.get_one(Organization, world.organization_id)


def upload(browser: Browser, content: bytes, name: str = "logo.png") -> str:
    answer = browser.client.post(
        "/branding/logo",
        data={"csrf_token": browser.token(), "logo": (io.BytesIO(content), name)},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 303
    return browser.get("/branding").text


def test_what_was_typed_is_kept_and_written_down(browser: Browser, context: Context, world: World) -> None:
    assert browser.post("/branding", TYPED).status_code == 303
    own = read(context, world)
    assert (own.name, own.brand_color, own.default_locale) == ("Aldebaran Studio", "#b45309", "de")
    assert "Branding · changed" in browser.get("/audit").text


def test_wrong_values_are_named_at_their_fields_and_nothing_is_lost_or_kept(
    browser: Browser, context: Context, world: World
) -> None:
    before = read(context, world).name
    answer = browser.post("/branding", TYPED | {"reply_to": "nowhere", "brand_color": "reddish"})
    assert answer.status_code == 422
    assert "2 things to mend" in answer.text
    assert 'value="nowhere"' in answer.text
    assert 'value="Aldebaran Studio"' in answer.text
    assert read(context, world).name == before


def test_a_logo_inside_a_private_network_is_refused(browser: Browser) -> None:
    answer = browser.post("/branding", TYPED | {"logo_url": "https://192.168.0.10/logo.png"})
    assert answer.status_code == 422
    assert "private network" in answer.text


def test_the_preview_wears_what_was_typed(browser: Browser, context: Context, world: World) -> None:
    shown = browser.post("/branding/preview", TYPED | {"sender_email": "billing@a.example", "mode": "light"}).text
    assert "Aldebaran Studio" in shown
    assert "#b45309" in shown
    assert "billing@a.example" in shown
    assert 'lang="de"' in shown
    assert read(context, world).name != "Aldebaran Studio"


def test_the_preview_shows_the_customers_page_too(browser: Browser) -> None:
    typed = {**TYPED, "support_url": "https://a.test/help", "shown": "page", "mode": "dark"}
    answer = browser.post("/branding/preview", typed)
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    page = answer.text
    assert 'lang="de"' in page
    assert "Aldebaran Studio" in page
    assert "--fill:#b45309" in page
    assert 'href="https://a.test/help"' in page
    assert "@media all" in page


def test_an_uploaded_logo_is_served_to_strangers_for_a_year_and_shown_in_mails(
    browser: Browser, stranger: Browser, context: Context, world: World
) -> None:
    content = png(320, 80)
    assert "320 by 80 pixels" in upload(browser, content)
    logo_id = read(context, world).logo_id
    address = f"/pay/logo/{world.organization_id}/{logo_id}"
    with stranger.get(address) as answer:
        assert (answer.status_code, answer.data, answer.mimetype) == (200, content, "image/png")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
    assert address in browser.get("/mails/reminder/preview").text


def test_the_same_picture_twice_is_one_and_a_removed_one_stays_for_mails_that_were_sent(
    browser: Browser, stranger: Browser, context: Context, world: World
) -> None:
    upload(browser, png(320, 80))
    first = read(context, world).logo_id
    upload(browser, png(300, 70))
    upload(browser, png(320, 80))
    assert read(context, world).logo_id == first
    browser.post("/branding/logo", {"action": "remove"})
    assert read(context, world).logo_id is None
    assert stranger.get(f"/pay/logo/{world.organization_id}/{first}").status_code == 200


def test_a_drawing_is_refused_whatever_it_is_called(browser: Browser, context: Context, world: World) -> None:
    said = upload(browser, b"<svg xmlns='http://www.w3.org/2000/svg'/>", "logo.png")
    assert "no PNG, JPEG or WebP" in said
    assert "The file has 301 kB; 200 kB are the most" in upload(browser, png(10, 10) + b"\0" * 300 * 1024)
    assert "Choose a file first" in upload(browser, b"")
    assert read(context, world).logo_id is None


def test_a_webp_is_taken_with_a_warning(browser: Browser) -> None:
    assert "Outlook on Windows does not show WebP" in upload(browser, webp_lossy(100, 40))


def test_a_logo_is_found_under_its_own_organization_only(
    browser: Browser, stranger: Browser, context: Context, world: World
) -> None:
    upload(browser, png(320, 80))
    logo_id = read(context, world).logo_id
    assert stranger.get(f"/pay/logo/{uuid4()}/{logo_id}").status_code == 404
    assert stranger.get(f"/pay/logo/{world.organization_id}/{uuid4()}").status_code == 404
