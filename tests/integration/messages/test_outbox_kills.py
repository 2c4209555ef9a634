"""A worker killed at every named place of a delivery: the mail goes out, and twice only where nobody can know."""

import os
import signal
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.db import Database
from app.failpoints import FAILPOINTS
from app.messages import outbox
from app.messages.sweep import sweep_due
from app.vocabulary import MessageState
from tests.integration.messages.conftest import Post, TurnedClock

LEFT_BEHIND = {
    # where it dies: (state it leaves, files it leaves, files in the end)
    "message.intention_committed": (MessageState.CLAIMED, 0, 1),
    "message.request_left": (MessageState.CLAIMED, 1, 2),
    "message.answered": (MessageState.CLAIMED, 1, 2),
    "message.outcome_uncommitted": (MessageState.CLAIMED, 1, 2),
    "message.outcome_committed": (MessageState.DELIVERED, 1, 1),
}


def test_no_place_of_a_delivery_is_forgotten() -> None:
    # `message.planned` is passed before a delivery begins, by whoever planned it.
    assert {name for name in FAILPOINTS if name.startswith("message.")} == {*LEFT_BEHIND, "message.planned"}


@pytest.mark.faults
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("place", LEFT_BEHIND)
def test_a_worker_that_is_killed_loses_no_mail(
    place: str, post: Post, mail_clock: TurnedClock, database_url: str
) -> None:
    message_id = post.queue()
    state, files, files_in_the_end = LEFT_BEHIND[place]
    assert deliver_and_die(place, post, message_id, database_url) == -signal.SIGKILL
    assert post.message(message_id).state is state
    assert len(post.files()) == files
    for _ in range(10):
        mail_clock.turn(timedelta(minutes=10))
        with post.context.database.system() as session:
            due = sweep_due(session, mail_clock.now(), 10)
        for _, waiting in due:
            post.deliver(waiting)
    assert post.message(message_id).state is MessageState.DELIVERED
    assert len(post.files()) == files_in_the_end


def deliver_and_die(place: str, post: Post, message_id: UUID, database_url: str) -> int:
    """Deliver in a process of its own, armed to die at `place`; how it ended. Forked, because the app loads slowly."""
    child = os.fork()
    if child == 0:
        os.environ["RECOUP_FAILPOINT"] = place
        try:
            # Connections do not survive a fork; the parent's are left alone.
            context = replace(post.context, database=Database(database_url))
            outbox.deliver(context, post.rows.organization_id, message_id)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
