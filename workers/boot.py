"""What a working process needs before its first job: logs and the context, made once and shared by its jobs."""

from functools import lru_cache

from app import log
from app.context import Context, make_context
from app.installation import complete
from app.settings import Settings


@lru_cache(maxsize=1)
def context() -> Context:
    """This process's context; raises `SettingsIncomplete`."""
    return make_context(complete(Settings()))


def begin(process: str) -> Context:
    """Set up logs under the name `process` and open the context."""
    log.configure(process)
    return context()
