"""`recoup campaigns`: files compared and applied, who gets what, cases moved, customers tagged and snoozed."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.campaigns import campaigns
from app.models import Customer
from tests.integration.campaigns.conftest import Desk

FILE = """\
campaigns:
  - {slug: vip, name: VIPs, segment: {tag: vip}, window_days: 35}
  - {slug: monthly, name: Monthly plans, default: true, segment: {interval: month}, window_days: 21}
"""


@pytest.fixture(autouse=True)
def _here(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("app.cli.campaigns"), "open_context", lambda: desk.context)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "campaigns.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def run(*arguments: object, answer: str = "") -> Result:
    return CliRunner().invoke(campaigns, [str(each) for each in arguments], input=answer)


def stripe_id(desk: Desk) -> str:
    with desk.session() as session:
        return session.get_one(Customer, desk.rows.customer_id).stripe_id


def test_a_plan_is_told_and_changes_nothing_and_applying_does_it_once(desk: Desk, file: Path) -> None:
    told = run("plan", file).output
    assert "vip: would be added as “VIPs”, version 1" in told
    assert "~ window_days: 28 → 21" in told
    assert "running cases stay where they are: 1 case on version 1" in told
    assert "  ! nobody of today would come to it" in told
    assert desk.numbers() == [1]
    assert "monthly: version 2 is for new cases" in run("apply", file).output
    assert run("apply", file).output == "Nothing to change: it is all so already.\n"
    assert desk.numbers() == [1, 1, 2]


def test_what_is_wrong_with_a_file_is_one_sentence_each_and_nothing_is_applied(desk: Desk, file: Path) -> None:
    file.write_text(FILE.replace("window_days: 35", "window_days: 350"), encoding="utf-8")
    refused = run("apply", file)
    assert refused.exit_code == 1
    assert "line 2: campaigns[1].window_days: has to be at most 90" in refused.output
    file.write_bytes(b"\xff\xfe\x00")
    assert "is no text in UTF-8" in run("plan", file).output
    assert desk.numbers() == [1]


def test_a_file_may_come_by_standard_input_and_leave_for_a_program(desk: Desk) -> None:
    told = json.loads(run("plan", "-", "--json", answer=FILE).output)
    assert [entry["version"] for entry in told["entries"]] == [1, 2]
    assert told["order_after"] == ["vip", "monthly"]


def test_what_is_exported_can_be_applied(file: Path, tmp_path: Path) -> None:
    run("apply", file)
    out = tmp_path / "out.yaml"
    assert run("export", "--out", out).exit_code == 0
    assert "Nothing to change" in run("apply", out).output
    assert run("export", "vip").output.count("slug:") == 1
    assert "there is no campaign nobody" in run("export", "nobody").output


def test_the_list_says_for_whom_and_how_many_cases_run(file: Path) -> None:
    run("apply", file)
    told = run("show").output
    assert "1. VIPs (vip), version 1\n   for: tagged vip\n   running: no case" in told
    assert "version 2, takes what no segment fits" in told
    assert json.loads(run("show", "--json").output)[1]["running"] == {"1": 1}


def test_coverage_warns_of_what_only_the_default_gets(desk: Desk, file: Path) -> None:
    assert "1 come to monthly only because no segment fits them" in run("coverage").output
    run("apply", file)
    assert "- Northwind Pro: 1, to vip 1" in run("coverage").output
    assert json.loads(run("coverage", "--json").output)["campaigns"] == {"vip": 1, "monthly": 0}


def test_cases_are_moved_only_after_a_yes(desk: Desk, file: Path) -> None:
    run("apply", file)
    before = desk.case().campaign_version_id
    asked = run("move", "--from", "monthly@1", "--to", "monthly", answer="n\n")
    assert "Move 1 of 1 cases to Monthly plans, version 2?" in asked.output
    assert desk.case().campaign_version_id == before
    moved = run("move", "--from", "monthly@1", "--to", "vip", "--case", desk.rows.case_id, "--yes")
    assert "1 moved, 0 left where they were" in moved.output
    assert desk.case().campaign_version_id != before
    assert "no case runs on monthly@1" in run("move", "--from", "monthly@1", "--to", "vip", "--yes").output
    assert "monthly has no version 7" in run("move", "--from", "monthly@7", "--to", "vip", "--yes").output


def test_customers_are_tagged_and_left_alone_by_their_id(desk: Desk) -> None:
    customer = stripe_id(desk)
    assert "has these tags now: beta, wholesale" in run("tag", customer, "wholesale", "beta").output
    assert "Nothing to change" in run("tag", customer, "beta", "wholesale").output
    assert "has these tags now: none" in run("tag", customer).output
    assert "is left alone until 2026-09-20" in run("snooze", customer, "--until", "2026-09-20").output
    assert "within a year" in run("snooze", customer, "--until", "2026-08-01").output
    assert "no customers are called cus_x" in run("tag", "cus_x", "a").output
