"""The sandbox's file outlives its program's versions."""

import sqlite3
from contextlib import closing
from pathlib import Path

from app.sandbox.store import Store


def test_a_file_of_an_earlier_version_is_opened_with_its_timers_in_the_accounts_own_time(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.db"
    with closing(sqlite3.connect(path)) as earlier:
        earlier.execute("create table timers (kind text, id text, due integer not null, primary key (kind, id))")
        earlier.execute("create index timers_due on timers (due)")
        earlier.execute("insert into timers values ('renew', 'sub_1', 1000)")
        earlier.commit()
    for _ in range(2):
        store = Store(path)
        assert store.fetch("select kind, id, due from timers where clock is null") == [("renew", "sub_1", 1000)]
        store.close()
