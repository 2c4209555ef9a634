"""Who the embedded services run as, and letting that account reach them. Knows nothing of what the services are.

PostgreSQL refuses to run as root. A user's services simply run as the user; root's run under an account of their
own, which may pass through the folders on the way to its data and may read nothing in them.
"""

import errno
import os
import pwd
import shutil
import stat
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from app.embedded.errors import ServiceAccountUnavailable

NAME = "recoup-services"
_ACL = "system.posix_acl_access"
_OWNER, _USER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_PASS = 0o1

Entries = dict[tuple[int, int], int]
"""A folder's access list: (kind of entry, user or group id) to permission bits."""


@dataclass(frozen=True)
class Account:
    """A user other than the present one."""

    uid: int
    gid: int


def account_for(data: Path) -> Account | None:
    """The account to run services under, or None for the present user.

    Data that already belongs to an ordinary user keeps its owner, so that running once as root leaves it usable.
    Raises `ServiceAccountUnavailable`.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid)
    entry = _find_or_create()
    return Account(entry.pw_uid, entry.pw_gid)


def _find_or_create() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        _create()
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        raise ServiceAccountUnavailable(_advice("it was created but cannot be found")) from None


def _create() -> None:
    tool = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if tool is None:
        raise ServiceAccountUnavailable(_advice("there is no useradd to create it with"))
    argv = [tool, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603
    already_exists = 9
    if done.returncode not in (0, already_exists):
        raise ServiceAccountUnavailable(_advice(done.stderr.strip()))


def _advice(problem: str) -> str:
    return (
        f"PostgreSQL does not run as root, and the account {NAME} it would run under is missing: {problem}. "
        f"Create an account of that name, run Recoup as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


def let_through(account: Account, folder: Path) -> None:
    """Let `account` pass through `folder` and all above it (search only, no reading), for that account alone if the
    file system keeps access lists, else by the folder's mode."""
    for step in [folder, *folder.parents]:
        mode = step.stat()
        if mode.st_mode & stat.S_IXOTH or mode.st_uid == account.uid:
            continue
        entries = _entries(step, mode.st_mode)
        if entries is None:
            step.chmod(stat.S_IMODE(mode.st_mode) | stat.S_IXOTH)
        elif not entries.get((_USER, account.uid), 0) & entries.get((_MASK, _NO_ID), 0) & _PASS:
            _admit(step, mode.st_mode, entries, account)


def _admit(folder: Path, mode: int, entries: Entries, account: Account) -> None:
    mask = entries.get((_MASK, _NO_ID), entries[_GROUP, _NO_ID])
    entries |= {(_USER, account.uid): _PASS, (_MASK, _NO_ID): mask | _PASS}
    packed = b"".join(struct.pack("<HHI", kind, bits, who) for (kind, who), bits in sorted(entries.items()))
    try:
        os.setxattr(folder, _ACL, struct.pack("<I", 2) + packed)
    except OSError as problem:
        if problem.errno not in (errno.ENOTSUP, errno.EINVAL):
            raise
        folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _entries(folder: Path, mode: int) -> Entries | None:
    """The access list of `folder`, made from its mode where it has none; None where lists do not exist."""
    if not hasattr(os, "getxattr"):
        return None
    try:
        packed = os.getxattr(folder, _ACL)
    except OSError as problem:
        if problem.errno != errno.ENODATA:
            return None
        bits = stat.S_IMODE(mode)
        return {(_OWNER, _NO_ID): bits >> 6 & 7, (_GROUP, _NO_ID): bits >> 3 & 7, (_OTHER, _NO_ID): bits & 7}
    return {(kind, who): bits for kind, bits, who in struct.iter_unpack("<HHI", packed[4:])}


def let_read(account: Account, tree: Path) -> None:
    """Let `account` reach, read and execute the installed programs in `tree` (a strict umask may have closed them)."""
    let_through(account, tree.parent)
    for path in [tree, *tree.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        wanted = mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0)
        if wanted != mode and not path.is_symlink():
            path.chmod(wanted)
