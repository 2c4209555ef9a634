"""`recoup bench` measures the real thing, and nothing but an installation of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

RECOUP = str(Path(sys.executable).with_name("recoup"))
SOMEBODY_ELSES = {"DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/not_ours"}
NONSENSE = {"DATABASE_URL": "nonsense://x", "PORT": "many", "SMTP_URL": "nowhere"}


def run(*arguments: str, cwd: Path, given: Mapping[str, str] = SOMEBODY_ELSES) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **given, "RECOUP_HOME": str(cwd / "home")}
    command = [RECOUP, "bench", *arguments]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=110)


@pytest.mark.long
def test_every_webhook_is_found_again_and_the_configured_database_is_left_alone(tmp_path: Path) -> None:
    ran = run("webhooks", "plans", "--seconds", "1", "--json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert [load["rate"] for load in found["webhooks"]["loads"]] == [None, 200.0, 500.0]
    for load in found["webhooks"]["loads"]:
        assert (load["refused"], load["missing"]) == (0, 0)
        assert 0 < load["p50_ms"] <= load["p95_ms"] <= load["p99_ms"]
        assert load["web_cpu_ms"] > 0
    assert found["plans"]["count"] == 200
    assert 0 < found["plans"]["p50_ms"] <= found["plans"]["p99_ms"]
    assert "rehearsal" not in found
    assert "webhooks: at 500/s is measured" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_plans_are_timed_whatever_the_environment_says(tmp_path: Path) -> None:
    ran = run("plans", "--seconds", "1", cwd=tmp_path, given=NONSENSE)
    assert ran.returncode == 0, ran.stderr
    assert "retry plans" in ran.stdout
    assert "p99" in ran.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_rehearsal_is_played_through_and_people_get_a_table(tmp_path: Path) -> None:
    ran = run("rehearsal", "--seconds", "1", cwd=tmp_path, given=NONSENSE)
    assert ran.returncode == 0, ran.stderr
    assert "2 cases over 40" in ran.stdout
    assert "100%" in ran.stderr or "75%" in ran.stderr


def test_a_part_that_does_not_exist_is_named(tmp_path: Path) -> None:
    ran = run("webhook", cwd=tmp_path)
    assert ran.returncode == 2
    assert "webhook is not among webhooks, plans, rehearsal" in ran.stderr
