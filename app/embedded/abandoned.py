"""Temporary homes name the process that made them, so that those of a killed process can be told and cleared away."""

import os
import tempfile
from pathlib import Path

import psutil  # type: ignore[import-untyped]

_PREFIX = "recoup-temporary-"


def prefix() -> str:
    """How the name of a temporary home of this process begins."""
    return f"{_PREFIX}{os.getpid()}-{_born(os.getpid())}-"


def homes() -> list[Path]:
    """Temporary homes of ours whose makers live no more."""
    found = Path(tempfile.gettempdir()).glob(f"{_PREFIX}*")
    return [home for home in found if home.stat().st_uid == os.geteuid() and not _maker_lives(home)]


def _maker_lives(home: Path) -> bool:
    pid, born, _ = home.name.removeprefix(_PREFIX).split("-", 2)
    return _born(int(pid)) == born


def _born(pid: int) -> str:
    """When a process began, in whole seconds, which with its number tells it from any other; empty if there is none."""
    try:
        return str(int(psutil.Process(pid).create_time()))
    except psutil.NoSuchProcess:
        return ""
