"""Logs carry ids: what looks like a secret or an address does not get through, whoever writes it."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app import log

KEY = "rk_live_51AbCdEf0123456789"


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize(
    ("secret", "telling"),
    [
        (KEY, "51AbC"),
        ("sk_test_abc123", "abc123"),
        ("whsec_A1b2C3", "A1b2"),
        ("SG.abc-DEF_1.ghi", "DEF_1"),
        ("robin.smith+x@mail.example.co.uk", "smith"),
        ("postgresql://recoup:hunter2@db.internal/recoup", "hunter2"),
        ("https://pay.example.com/pay/WyJhIl0.abc-_~", "WyJhIl0"),
        ("Exception on /unsubscribe/WyJhIl0.abc/undo [GET]", "WyJhIl0"),
        ("https://pay.example.com/notice/WyJhIl0.abc-_~", "WyJhIl0"),
    ],
)
def test_secrets_and_addresses_are_masked_wherever_they_stand(secret: str, telling: str) -> None:
    shown = log.masked(f"before {secret} after")
    assert shown.startswith("before ")
    assert shown.endswith(" after")
    assert telling not in shown


@pytest.mark.parametrize("harmless", ["in_1AbC", "evt_123", "case 5 of 6", "http://127.0.0.1:8000/cases", "acct_1X"])
def test_ids_are_left_as_they_are(harmless: str) -> None:
    assert log.masked(harmless) == harmless


def test_a_line_is_json_with_the_process_the_module_and_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("worker")
    log.get_logger("app.inbox").warning("event.failed", id="evt_1", reason=f"no access with {KEY}")
    line = json.loads(capsys.readouterr().err)
    assert (line["process"], line["module"], line["event"], line["id"]) == (
        "worker",
        "app.inbox",
        "event.failed",
        "evt_1",
    )
    assert line["reason"] == "no access with [secret]"


def test_a_trace_is_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("worker")
    try:
        raise ValueError(f"cannot mail robin@example.com with {KEY}")
    except ValueError:
        log.get_logger("app").exception("failed")
    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert KEY not in shown
    assert "robin@" not in shown


def test_libraries_that_log_in_their_own_way_are_masked(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("web")
    logging.getLogger("some.library").warning("refused %s for %s", KEY, "robin@example.com")
    assert capsys.readouterr().err == "WARNING some.library refused [secret] for [address]\n"
