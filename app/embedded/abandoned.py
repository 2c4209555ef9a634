"""Temporary folders name the process that made them, so that those of a killed process can be told and cleared away."""

import os
import re
import tempfile
from pathlib import Path

import psutil  # type: ignore[import-untyped]

HOMES = "recoup-temporary"


def prefix(kind: str = HOMES) -> str:
    """How the name of a temporary folder of this process begins; `kind` is what such folders are for."""
    return f"{kind}-{os.getpid()}-{_born(os.getpid())}-"


def folders(kind: str = HOMES) -> list[Path]:
    """Temporary folders of ours, of that kind, whose makers live no more."""
    named = re.compile(rf"{re.escape(kind)}-(\d+)-(\d*)-")
    found = []
    for folder in Path(tempfile.gettempdir()).glob(f"{kind}-*"):
        maker = named.match(folder.name)
        if maker and _is_ours(folder) and _born(int(maker[1])) != maker[2]:
            found.append(folder)
    return found


def _is_ours(folder: Path) -> bool:
    try:
        return folder.stat().st_uid == os.geteuid()
    except FileNotFoundError:  # somebody else has cleared it away
        return False


def _born(pid: int) -> str:
    """When a process began, in whole seconds, which with its number tells it from any other; empty if there is none."""
    try:
        return str(int(psutil.Process(pid).create_time()))
    except psutil.NoSuchProcess:
        return ""
