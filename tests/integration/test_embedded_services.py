"""The embedded PostgreSQL and Valkey through everything that happens to a laptop's processes and folders."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import psycopg
import pytest
import redis

from app import embedded
from app.embedded import abandoned, processes
from app.embedded.account import NAME, account_for
from app.embedded.errors import DataUnusable, EmbeddedServiceFailed
from app.embedded.state import find_state, free_port
from tests.services import new_database, template_database


@pytest.fixture
def empty() -> Iterator[Path]:
    """A home in which nothing has been made yet."""
    with embedded.temporary_home() as folder:
        yield folder


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A home whose data is made and whose servers are stopped."""
    with embedded.temporary_home() as folder:
        embedded.start(folder, valkey=False, durable=False)
        embedded.stop(folder)
        yield folder


@pytest.fixture
def home(empty: Path, made: Path) -> Path:
    """A home of its own that has been in use before."""
    subprocess.run(["cp", "-a", f"{made}/.", empty], check=True)
    state = find_state(made)
    assert state
    replace(state, postgres_port=free_port(), valkey_port=free_port()).save(empty)
    return empty


def write(url: str, value: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (value text)")
        connection.execute("INSERT INTO kept VALUES (%s)", (value,))


def read(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT value FROM kept")]


def ping(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return bool(client.ping())


def postmaster(home: Path) -> int:
    pid = processes.read_pid(home / "postgres" / "postmaster.pid")
    assert pid
    return pid


def valkey(home: Path) -> int:
    pid = processes.read_pid(home / "valkey" / "valkey.pid")
    assert pid
    return pid


def kill_everything(home: Path) -> None:
    pids = {postmaster(home), valkey(home)}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert processes.wait_until(lambda: not embedded.are_alive(home, valkey=False), 5)
    assert processes.wait_until(lambda: not embedded.are_alive(home, postgres=False), 5)


def test_a_home_is_made_whole_reused_and_stopped_and_keeps_its_ports_and_data(empty: Path) -> None:
    half_made = empty / "postgres.unfinished"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    assert embedded.running(empty) is None
    first = embedded.start(empty)
    assert not half_made.exists()
    write(first.database_url, "one")
    assert ping(first.redis_url)
    pids = postmaster(empty), valkey(empty)
    assert embedded.start(empty) == first == embedded.running(empty)
    assert (postmaster(empty), valkey(empty)) == pids
    embedded.stop(empty)
    assert embedded.running(empty) is None
    assert not embedded.are_alive(empty)
    embedded.stop(empty)
    assert embedded.start(empty) == first
    assert read(first.database_url) == ["one"]
    assert_durable(first.database_url)


def assert_durable(url: str) -> None:
    with psycopg.connect(url) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            assert connection.execute("SELECT current_setting(%s)", (setting,)).fetchone() == ("on",)


def test_the_owner_may_make_roles_and_become_them_but_is_bound_by_row_security(services: embedded.Services) -> None:
    with psycopg.connect(services.database_url) as connection:
        query = "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(query).fetchone() == (False, False)
        connection.execute("CREATE ROLE of_a_test NOLOGIN")
        connection.execute("GRANT of_a_test TO CURRENT_USER")
        connection.execute("SET ROLE of_a_test")
        connection.rollback()


def test_nobody_gets_in_without_the_password(services: embedded.Services) -> None:
    password = services.database_url.split(":")[2].split("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(services.database_url.replace(password, "guess"))
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(services.database_url.replace("//recoup:", "//postgres:"))
    secret = services.redis_url.split(":")[2].split("@")[0]
    with redis.Redis.from_url(services.redis_url.replace(f":{secret}@", "")) as client, pytest.raises(redis.RedisError):
        client.ping()


def test_a_kill_of_either_or_both_servers_loses_no_committed_row(home: Path) -> None:
    services = embedded.start(home, durable=False)
    write(services.database_url, "before")
    os.kill(valkey(home), signal.SIGKILL)
    assert processes.wait_until(lambda: not embedded.are_alive(home), 5)
    assert embedded.start(home, durable=False) == services
    busy = psycopg.connect(services.database_url)
    busy.execute("INSERT INTO kept VALUES ('never committed')")
    kill_everything(home)
    assert embedded.start(home, durable=False) == services
    busy.close()
    assert read(services.database_url) == ["before"]
    assert ping(services.redis_url)


def test_a_backend_that_survives_its_killed_server_does_not_keep_the_data_locked(home: Path) -> None:
    services = embedded.start(home, valkey=False, durable=False)
    connection = psycopg.connect(services.database_url)
    survivor = connection.info.backend_pid
    os.kill(survivor, signal.SIGSTOP)
    os.kill(postmaster(home), signal.SIGKILL)
    assert processes.wait_until(lambda: not embedded.are_alive(home, valkey=False), 5)
    assert embedded.start(home, valkey=False, durable=False).database_url == services.database_url
    write(services.database_url, "after")
    connection.close()


@pytest.fixture
def stranger() -> Iterator[int]:
    """A program that has nothing to do with us and got a process number that was ours."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield child.pid
    assert child.poll() is None, "the stranger was ended"
    child.communicate(b"\n")


def test_pid_files_that_name_a_stranger_do_not_stop_a_start_nor_end_the_stranger(home: Path, stranger: int) -> None:
    services = embedded.start(home, durable=False)
    stale = (home / "postgres" / "postmaster.pid").read_text().split("\n")[1:]
    kill_everything(home)
    (home / "postgres" / "postmaster.pid").write_text("\n".join([str(stranger), *stale]))
    (home / "valkey" / "valkey.pid").write_text(f"{stranger}\n")
    embedded.stop(home)
    (home / "postgres" / "postmaster.pid").write_text("\n".join([str(stranger), *stale]))
    assert embedded.running(home) is None
    assert embedded.start(home, durable=False) == services


def test_lost_or_garbled_passwords_are_replaced_and_the_data_stays(home: Path) -> None:
    first = embedded.start(home, durable=False)
    write(first.database_url, "kept")
    (home / "services.json").write_text('{"postgres_port": 1')
    second = embedded.start(home, durable=False)
    assert second != first
    assert read(second.database_url) == ["kept"]
    assert (home / "services.json").stat().st_mode & 0o077 == 0


def test_a_port_that_a_stranger_took_is_exchanged_for_another(home: Path) -> None:
    with embedded.temporary_home() as other:
        services = embedded.start(home, durable=False)
        shutil.copy(home / "services.json", other / "services.json")
        copied = embedded.start(other, durable=False)
        assert copied.database_url != services.database_url
        assert copied.redis_url != services.redis_url
        write(services.database_url, "here")
        write(copied.database_url, "there")
        assert (read(services.database_url), read(copied.database_url)) == (["here"], ["there"])
        embedded.stop(home)
        assert embedded.running(other) == copied


def test_services_go_on_when_their_folder_is_moved_and_can_still_be_stopped(home: Path) -> None:
    embedded.start(home, valkey=False, durable=False)
    moved = home.rename(home.with_name(f"{home.name}-moved"))
    assert embedded.are_alive(moved, valkey=False)
    embedded.stop(moved)
    assert not embedded.are_alive(moved, valkey=False)
    moved.rename(home)


def test_many_starts_at_once_give_one_pair_of_servers(empty: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda home: embedded.start(home, durable=False), [empty] * 3))
    assert len(set(found)) == 1
    assert embedded.running(empty) == found[0]


def test_data_of_another_postgresql_is_refused_with_advice(home: Path) -> None:
    embedded.start(home, valkey=False, durable=False)
    embedded.stop(home)
    (home / "postgres" / "PG_VERSION").write_text("17\n")
    with pytest.raises(DataUnusable, match="made by PostgreSQL 17"):
        embedded.start(home, valkey=False, durable=False)


def test_a_home_that_cannot_be_made_is_named(empty: Path) -> None:
    (empty / "file").write_text("in the way")
    with pytest.raises(DataUnusable, match="file"):
        embedded.start(empty / "file")


def test_a_server_that_will_not_start_says_why(home: Path) -> None:
    embedded.start(home, valkey=False, durable=False)
    embedded.stop(home)
    with (home / "postgres" / "postgresql.conf").open("a") as conf:
        conf.write("shared_preload_libraries = 'no_such_library'\n")
    with pytest.raises(EmbeddedServiceFailed, match="no_such_library"):
        embedded.start(home, valkey=False, durable=False)


def test_a_full_disk_is_called_a_full_disk() -> None:
    said = "initdb: error: could not write file: No space left on device"
    assert "free some space" in str(processes.failure("Creating", said, Path("/data")))


def test_interrupting_the_program_that_started_them_leaves_the_servers_running(home: Path) -> None:
    program = (
        "import sys, pathlib; from app import embedded; "
        "embedded.start(pathlib.Path(sys.argv[1]), durable=False); print('up', flush=True); input()"
    )
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", program, home],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root, start_new_session=True,
    )  # fmt: skip
    with child:
        assert child.stdout
        said = child.stdout.readline()
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGINT)
        _, trouble = child.communicate()
    assert said == b"up\n", trouble.decode()
    assert embedded.running(home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs services under another account")
def test_as_root_the_servers_run_under_their_own_account_behind_closed_folders(empty: Path) -> None:
    closed = empty / "closed"
    closed.mkdir(mode=0o700)
    inner = closed / "home"
    try:
        embedded.start(inner, durable=False)
        for pid in (postmaster(inner), valkey(inner)):
            assert subprocess.check_output(["ps", "-o", "user:32=", "-p", str(pid)], text=True).strip() == NAME
        assert closed.stat().st_mode & 0o007 == 0, "opened to everybody"
        assert subprocess.run(["ls", closed], user=NAME, capture_output=True, check=False).returncode != 0
    finally:
        embedded.stop(inner)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_an_ordinary_user_runs_them_as_itself_and_root_finds_them_usable(empty: Path) -> None:
    assert account_for(empty / "not made yet")
    theirs = empty / "theirs"
    theirs.mkdir()
    empty.chmod(0o755)
    shutil.chown(theirs, NAME, NAME)
    child = get_context("fork").Process(target=start_as_service_user, args=(theirs,))
    child.start()
    child.join()
    assert child.exitcode == 0
    try:
        services = embedded.running(theirs)
        assert services
        assert embedded.start(theirs, durable=False) == services
        assert (theirs / "services.json").owner() == NAME
    finally:
        embedded.stop(theirs)
    embedded.start(theirs, durable=False)
    assert (theirs / "postgres" / "recoup.conf").owner() == NAME
    embedded.stop(theirs)


def start_as_service_user(home: Path) -> None:
    account = pwd.getpwnam(NAME)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    embedded.start(home, durable=False)


def test_the_home_of_a_killed_test_run_is_cleared_away(empty: Path) -> None:
    abandoned_home = empty.with_name(f"recoup-temporary-{os.getpid()}-1-killed")
    services = embedded.start(abandoned_home, durable=False)
    assert abandoned.folders() == [abandoned_home]
    with embedded.temporary_home():
        assert not abandoned_home.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(services.database_url)


def fill(url: str) -> None:
    write(url, "from the template")


def test_test_databases_come_from_a_template_and_do_not_see_each_other(services: embedded.Services) -> None:
    template = template_database(services, fill)
    assert template_database(services, fill) == template
    with new_database(services, template) as one, new_database(services, template) as two:
        write(one, "mine")
        assert read(one) == ["from the template", "mine"]
        assert read(two) == ["from the template"]
