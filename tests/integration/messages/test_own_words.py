"""Mails that leave say the organization's own texts, in its looks; a text that has gone bad never leaves."""

from importlib import import_module
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.cli.mails import mails
from app.messages.wording import Author, WordingRefused, change
from app.models import AuditEntry, Customer, MailWording, Organization
from emails import locales
from tests.integration.messages.conftest import Post
from tests.integration.messages.test_outbox import opened

BY = Author("Ann")


def say(post: Post, language: str, **texts: str | None) -> int:
    """Change texts as a person would; keys with `__` for dots."""
    wanted = {key.replace("__", "."): text for key, text in texts.items()}
    with post.context.database.organization(post.rows.organization_id) as session:
        return change(session, {language: wanted}, BY, post.context.clock.now())


def subjects() -> dict[str, str | None]:
    """A text of one's own for every subject that the mail can have."""
    reasons = ("no_funds", "bank_declined", "details_outdated", "temporary", "unknown")
    return {f"payment_failed__subject__{reason}": f"Ours no more: {{merchant}} {reason}" for reason in reasons}


def language_of(post: Post) -> str:
    with post.context.database.organization(post.rows.organization_id) as session:
        return locales.language_of(session.get_one(Customer, post.rows.customer_id).locales[0]) or locales.FALLBACK


def test_a_mail_says_the_organizations_text_in_the_customers_language(post: Post) -> None:
    say(post, language_of(post), **subjects())
    post.deliver(post.queue())
    assert opened(post)["Subject"].startswith("Ours no more: Northwind Tools")


def test_texts_in_another_language_are_not_said(post: Post) -> None:
    say(post, "fr" if language_of(post) != "fr" else "it", **subjects())
    post.deliver(post.queue())
    assert "Ours no more" not in opened(post)["Subject"]


def test_a_text_that_has_gone_bad_never_leaves(post: Post) -> None:
    say(post, language_of(post), **subjects())
    with post.context.database.organization(post.rows.organization_id) as session:
        for row in session.scalars(select(MailWording)):
            row.text = "Your {yesteryear}"
    post.deliver(post.queue())
    subject = opened(post)["Subject"]
    assert "yesteryear" not in subject
    assert subject


def test_an_uploaded_logo_goes_before_one_at_an_address(post: Post) -> None:
    logo_id = uuid4()
    post.change(Organization, post.rows.organization_id, logo_id=logo_id, logo_url="https://cdn.example.com/old.png")
    post.deliver(post.queue())
    body = opened(post).get_body(("html",))
    assert body is not None
    html = str(body.get_content())
    assert f'src="https://pay.example.com/pay/logo/{post.rows.organization_id}/{logo_id}"' in html
    assert "old.png" not in html


def test_texts_are_saved_all_or_none_and_every_mistake_is_told(post: Post) -> None:
    with pytest.raises(WordingRefused) as refused:
        say(post, "en", reminder__heading="Fine", recovered__heading="Not {fine}", no__such="text")
    assert set(refused.value.problems) == {("en", "recovered.heading"), ("en", "no.such")}
    with post.context.database.organization(post.rows.organization_id) as session:
        assert session.scalars(select(MailWording)).all() == []
        assert session.scalars(select(AuditEntry).where(AuditEntry.action == "mail_texts.changed")).all() == []


def test_saying_the_same_again_changes_nothing_and_is_not_written_down(post: Post) -> None:
    assert say(post, "en", reminder__heading="Mine") == 1
    assert say(post, "en", reminder__heading="Mine") == 0
    assert say(post, "en", reminder__heading=None) == 1
    with post.context.database.organization(post.rows.organization_id) as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "mail_texts.changed")).all()
        assert [entry.data["texts"]["reminder.heading"]["after"] for entry in entries] == ["Mine", None]
        assert entries[0].data["kinds"] == ["reminder"]


@pytest.fixture
def run(post: Post, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(import_module("app.cli.mails"), "open_context", lambda: post.context)
    return lambda *arguments: CliRunner().invoke(mails, [str(each) for each in arguments])


def test_texts_go_out_to_a_file_and_come_in_from_one(post: Post, run: object, tmp_path: Path) -> None:
    say(post, "de", reminder__heading="Eine kleine Erinnerung")
    file = tmp_path / "texts.yaml"
    assert call(run, "export", "--out", file).output == f"Written to {file}.\n"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert content == {"de": {"reminder.heading": "Eine kleine Erinnerung"}}
    assert call(run, "import", file).output == "It is all so already.\n"
    content["de"]["reminder.heading"] = None
    content["en"] = {"reminder@b.subject": "{name}, one minute?", "reminder.heading": "Mine"}
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    assert call(run, "import", file).output == "3 texts differ now.\n"
    assert set(yaml.safe_load(call(run, "export").output)) == {"en"}


def test_a_complete_file_comes_in_without_changing_anything(run: object, tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    call(run, "export", "pl", "--all", "--out", file)
    assert call(run, "import", file).output == "It is all so already.\n"


def test_a_file_with_mistakes_is_refused_as_a_whole(run: object, tmp_path: Path) -> None:
    file = tmp_path / "texts.yaml"
    file.write_text("en:\n  reminder.heading: Fine\n  recovered.heading: 'Not {fine}'\ntlh:\n  greeting: Qapla'\n")
    refused = call(run, "import", file)
    assert refused.exit_code == 1
    assert "en recovered.heading: Nothing here is called {fine}; this text may use" in refused.output
    assert "tlh greeting: Mails are not written in tlh" in refused.output
    assert call(run, "export", "tlh").exit_code == 1
    assert yaml.safe_load(call(run, "export").output) == {}


def call(run: object, *arguments: object) -> Result:
    assert callable(run)
    result = run(*arguments)
    assert isinstance(result, Result)
    return result
