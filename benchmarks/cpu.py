"""How much CPU a process and all its descendants have used: a busy machine does not blur this figure."""

import psutil


def used_by(pid: int) -> float:
    """Seconds of user and system time of the living processes of the tree that begins at `pid`."""
    root = psutil.Process(pid)
    return sum(_used(process) for process in (root, *root.children(recursive=True)))


def _used(process: psutil.Process) -> float:
    try:
        spent = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(spent.user + spent.system)


def machine() -> float:
    """Seconds that all processes of the machine together have used since it was started."""
    spent = psutil.cpu_times()
    return float(spent.user + spent.system + getattr(spent, "nice", 0.0) + getattr(spent, "irq", 0.0)
                 + getattr(spent, "softirq", 0.0))  # fmt: skip
