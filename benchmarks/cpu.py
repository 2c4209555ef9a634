"""How much CPU a process and all its descendants have used, from /proc: a busy machine does not blur this figure."""

import os
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def used_by(pid: int) -> float:
    """Seconds of user and system time of the living processes of the tree that begins at `pid`."""
    parents, used = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name in parentheses may hold blanks; what counts stands behind it.
            words = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        number = int(stat.parent.name)
        parents[number] = int(words[1])
        used[number] = (int(words[11]) + int(words[12])) / _TICK
    tree, fresh = {pid}, {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - tree
        tree |= fresh
    return sum(used.get(number, 0.0) for number in tree)


def machine() -> float:
    """Seconds that all processes of the machine together have used since it was started."""
    user, nice, system, _idle, _iowait, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / _TICK
