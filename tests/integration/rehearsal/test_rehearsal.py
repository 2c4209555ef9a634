"""A rehearsal over the real code: what it leaves behind, and that it leaves everything else alone."""

import json
import os
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from app.campaigns.definition import MONTHLY, RetrySettings
from app.cli.rehearse import rehearse as command
from app.clock import SystemClock
from app.context import Context
from app.embedded import abandoned
from app.messages.wording import Author, change
from app.recovery.campaigns import add_version
from app.rehearsal import rooms, shares
from app.rehearsal.errors import Cancelled, RehearsalFailed
from app.rehearsal.ordering import make_order
from app.rehearsal.orders import Order
from app.rehearsal.rehearse import Rehearsed, rehearse
from app.vocabulary import ConnectionMode
from tests.stage import new_organization
from workers.rehearsing import clear_away

SHORT = MONTHLY.model_copy(
    update={
        "window_days": 6,
        "messages": MONTHLY.messages[:2],
        "retries": RetrySettings(ladder_days=(1, 3), max_attempts=2),
    }
)


@pytest.fixture
def organization_id(context: Context) -> UUID:
    made = new_organization(context)
    with context.database.organization(made) as session:
        now = context.clock.now()
        add_version(session, slug="monthly", name="Short", definition=SHORT, is_default=True, now=now, by="test")
    return made


def order(context: Context, organization_id: UUID, **wanted: Any) -> Order:
    given = {"cases": 3, "days": 12, "seed": 4, "mode": ConnectionMode.DRIVE, "now": context.clock.now(), **wanted}
    with context.database.organization(organization_id) as session:
        return make_order(session, given.pop("slug", "monthly"), **given)


def everything(context: Context) -> dict[str, int]:
    """How many rows each table of this installation has."""
    names = "select relname from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace"
    with context.database.system() as session:
        return {
            name: session.scalar(text(f"select count(*) from {name}")) or 0
            for name in session.scalars(text(names))
            if name != "alembic_version"
        }


def url(context: Context) -> str:
    return context.settings.require("database_url")


def test_a_rehearsal_plays_every_case_to_its_end_and_touches_nothing_real(
    context: Context, organization_id: UUID
) -> None:
    with context.database.organization(organization_id) as session:
        reasons = ("no_funds", "bank_declined", "details_outdated", "temporary", "unknown")
        ours = {
            "en": dict.fromkeys((f"payment_failed.subject.{why}" for why in reasons), "{product}, in our own words")
        }
        change(session, ours, Author("test"), context.clock.now())
    before, heard = everything(context), []
    rehearsed = rehearse(context, order(context, organization_id), heard.append)
    assert "in our own words" in rehearsed.html
    assert everything(context) == before
    assert rooms.rooms(url(context)) == []
    assert not (context.settings.home / "outbox").exists()
    assert context.bell.waiting() == 0
    assert_is_whole(rehearsed)
    assert heard == sorted(heard)


def assert_is_whole(rehearsed: Rehearsed) -> None:
    found = rehearsed.figures
    assert (found["cases"], found["missing"], found["unfinished"]) == (3, 0, 0)
    assert found["tries"] > 0
    assert found["mails"] > 0
    assert found["recovered"]["count"] + sum(found["endings"].values()) == 3
    assert not [sentence for sentence in rehearsed.findings if "went wrong" in sentence]
    assert "This is a simulation." in rehearsed.html
    json.dumps(rehearsed.plain())


def test_a_cancelled_rehearsal_ends_its_processes_and_drops_its_rooms(context: Context, organization_id: UUID) -> None:
    asked = iter([False, False])
    with pytest.raises(Cancelled):
        shares.perform(order(context, organization_id), url(context), lambda _share: None, lambda: next(asked, True))
    assert rooms.rooms(url(context)) == []


def test_a_process_that_fails_says_why(context: Context, organization_id: UUID) -> None:
    nowhere = url(context).rpartition("/")[0] + "/no_such_database"
    with pytest.raises(RehearsalFailed, match="no_such_database"):
        shares.perform(order(context, organization_id), nowhere, lambda _share: None, processes=1)


def test_rooms_left_by_a_crash_are_dropped_after_an_hour_and_no_sooner(context: Context) -> None:
    now = SystemClock().now()
    old, fresh = (
        f"rehearsal_{int((now - age).timestamp()):010d}_00000000" for age in (timedelta(hours=2), timedelta(0))
    )
    stranger = "rehearsal_of_somebody_else"
    with rooms._owner(url(context)) as connection:
        for name in (old, fresh, stranger):
            connection.execute(text(f"create schema {name}"))
    try:
        with rooms.open_room(url(context), now) as room:
            standing = rooms.rooms(url(context))
            assert old not in standing
            assert fresh in standing
            assert any(name in room for name in standing)
    finally:
        with rooms._owner(url(context)) as connection:
            for name in (fresh, stranger):
                connection.execute(text(f"drop schema {name}"))
    assert rooms.rooms(url(context)) == []


def test_a_room_in_which_somebody_still_plays_is_not_dropped_however_long_that_takes(context: Context) -> None:
    now = SystemClock().now()
    with rooms.open_room(url(context), now - timedelta(hours=5)):
        (long_one,) = rooms.rooms(url(context))
        with rooms.open_room(url(context), now):
            assert long_one in rooms.rooms(url(context))
        with rooms.open_room(url(context), now + timedelta(days=2)):
            assert long_one not in rooms.rooms(url(context))
    assert rooms.rooms(url(context)) == []


def test_what_a_killed_rehearsal_left_in_the_temporary_folder_is_cleared_away() -> None:
    gone = Path(gettempdir()) / f"recoup-rehearsal-{os.getpid()}-1-x"
    ours = gone.with_name(f"{abandoned.prefix('recoup-rehearsal')}x")
    for folder in (gone, ours):
        folder.mkdir()
        (folder / "sandbox.db").write_bytes(b"x")
    clear_away()
    assert not gone.exists()
    assert ours.exists()
    rmtree(ours)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [({"slug": "weekly"}, "there are: annual, monthly"), ({"cases": 0}, "from 1 to"), ({"days": 400}, "from 1 to")],
)
def test_what_cannot_be_rehearsed_is_refused_with_what_can(
    context: Context, organization_id: UUID, wanted: dict[str, Any], words: str
) -> None:
    with pytest.raises(RehearsalFailed, match=words):
        order(context, organization_id, **wanted)


@pytest.mark.long
def test_an_organization_without_failures_gets_an_invented_mix_and_is_told(
    context: Context, organization_id: UUID
) -> None:
    made = order(context, organization_id, cases=20)
    assert "only 0 failures" in made.population
    assert {person.interval for person in made.people} == {"month"}


def test_everybody_is_in_exactly_one_share(context: Context, organization_id: UUID) -> None:
    made = order(context, organization_id, cases=7)
    parts = [part.people for part in shares.shares(made, 2)]
    assert sorted(map(len, parts)) == [3, 4]
    assert sorted((one for part in parts for one in part), key=str) == sorted(made.people, key=str)


def test_the_command_plays_the_mode_asked_for_and_writes_the_report(
    context: Context, organization_id: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("app.cli.rehearse"), "open_context", lambda: context)
    file = tmp_path / "report.html"
    wanted = ["monthly", "--cases", "1", "--days", "9", "--mode", "observe", "--json", "--out", str(file)]
    result = CliRunner().invoke(command, wanted)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["simulation"], found["cases"], found["report"]) == (True, 1, str(file))
    assert "Stripe retries in this mode" in " ".join(found["findings"])
    assert "Stripe retries, Recoup writes" in file.read_text()
