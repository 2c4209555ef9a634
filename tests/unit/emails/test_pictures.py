"""The folder of mails to look at: every file is there, and the page that shows them all names each."""

from pathlib import Path

from tools import mail_pictures


def test_every_mail_asked_for_is_written_as_html_and_text_and_listed(tmp_path: Path) -> None:
    written = list(mail_pictures.write(tmp_path, ["de", "ar"], ["final_notice", "recovered"]))
    assert len(written) == 14
    for mail in written:
        assert (tmp_path / f"{mail.stem}.html").read_text(encoding="utf-8").startswith("<!doctype html>")
        assert (tmp_path / f"{mail.stem}.txt").read_text(encoding="utf-8").startswith(mail.subject)
    page = mail_pictures.index(written, has_pictures=True)
    assert all(f"{mail.stem}.phone.dark.png" in page for mail in written)
    assert ".png" not in mail_pictures.index(written, has_pictures=False)
