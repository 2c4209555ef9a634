"""What a working process needs before its first job: logs and the context, made once and shared by its jobs."""

import gc
from functools import lru_cache

from app import log
from app.context import Context, make_context
from app.installation import complete
from app.settings import Settings

_lent: list[Context] = []


def context() -> Context:
    """This process's context; raises `SettingsIncomplete`."""
    return _lent[-1] if _lent else _own()


@lru_cache(maxsize=1)
def _own() -> Context:
    return make_context(complete(Settings()))


def lend(context: Context) -> None:
    """From here on the jobs of this process work with that context: the process plays a rehearsal."""
    _lent.append(context)


def leave_loaded_alone() -> None:
    """Spare the garbage collector what has been loaded so far, and let it look less often at the many small things that
    a job makes and drops. Before a fork it keeps these pages shared, too."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def begin(process: str) -> Context:
    """Set up logs under the name `process` and open the context."""
    log.configure(process)
    return context()
