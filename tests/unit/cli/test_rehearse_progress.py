"""How far a rehearsal is, where no terminal can show a bar."""

import pytest

from app.cli.rehearse import _Tenths


def test_a_log_gets_a_line_for_each_tenth_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    tenths = _Tenths("Monthly plans")
    for share in (0.0, 0.04, 0.11, 0.12, 0.19, 0.35, 0.99, 1.0, 1.0):
        tenths.hear(share)
    said = capsys.readouterr()
    assert said.out == ""
    assert [line.rpartition(" ")[2] for line in said.err.splitlines()] == ["10%", "30%", "90%", "100%"]
    assert said.err.startswith("Rehearsing Monthly plans: ")
