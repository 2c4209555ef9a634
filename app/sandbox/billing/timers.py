"""Runs what is due, in the order in which it is due, each at its own moment."""

from collections.abc import Callable

from app.log import get_logger
from app.sandbox import behaving, stories, test_clocks
from app.sandbox.billing import collection, cycles, due_dates, invoicing, phases, reversals
from app.sandbox.errors import StripeRefusal
from app.sandbox.ledger import Ledger
from app.sandbox.people import mailroom
from app.sandbox.store import Doc
from app.sandbox.world import World

log = get_logger(__name__)

Action = Callable[[Ledger, Doc], None]


def _expire_session(ledger: Ledger, session: Doc) -> None:
    if session["status"] == "open":
        with ledger.changing(session):
            session.update(status="expired", url=None)
        ledger.emit("checkout.session.expired", session)


# Which rule a timer calls, and the kind of document it is about.
RULES: dict[str, tuple[str, Action]] = {
    "phase": ("subscription_schedule", phases.turn),
    "cancel": ("subscription", cycles.cancel_as_planned),
    "resume": ("subscription", cycles.end_pause),
    "trial": ("subscription", cycles.announce_trial_end),
    "upcoming": ("subscription", cycles.announce_renewal),
    "renew": ("subscription", cycles.renew),
    "incomplete": ("subscription", cycles.expire),
    "finalize": ("invoice", invoicing.finalize_and_collect),
    "collect": ("invoice", collection.attempt_by_schedule),
    "will_be_due": ("invoice", due_dates.announce),
    "due": ("invoice", due_dates.pass_by),
    "deadline": ("invoice", due_dates.give_up),
    "renew_card": (behaving.KIND, behaving.renew_card),
    "story": (stories.KIND, stories.go_on),
    "errand": (mailroom.ERRAND, mailroom.become_ready),
    "follow_up": ("charge", reversals.follow_up),
    "expire": ("checkout.session", _expire_session),
    "clock_over": (test_clocks.KIND, test_clocks.remove),
}
_ORDER = {name: place for place, name in enumerate(RULES)}


def run_due(world: World, until: int, clock: str | None = None) -> int:
    """Run every timer due at or before `until` (Unix seconds), each in a transaction of its own; returns how many ran.

    What a timer does is stamped with the moment it was due, however late it is run. With `clock` they are those of that
    test clock, else those of none.
    """
    ran = 0
    while run_next(world, until, clock):
        ran += 1
    return ran


def run_next(world: World, until: int, clock: str | None = None) -> bool:
    """Run the earliest due timer; False when there is none."""
    rows = world.store.fetch("select min(due) from timers where clock is ? and due <= ?", clock, until)
    due = rows[0][0]
    if due is None:
        return False
    with world.transaction(now=due, clock=clock) as ledger:
        ring(ledger)
    return True


def ring(ledger: Ledger) -> None:
    """Run one timer that is due at the ledger's very moment; nothing, when another thread has been quicker."""
    waiting = ledger.store.fetch("select kind, id from timers where clock is ? and due = ?", ledger.clock, ledger.now)
    if not waiting:
        return
    kind, identifier = min(waiting, key=lambda row: (_ORDER[row[0]], row[1]))
    ledger.set_timer(kind, identifier, None)
    document, rule = RULES[kind]
    subject = ledger.find(document, identifier)
    if subject is None:
        return
    try:
        with ledger.attempt():
            rule(ledger, subject)
    except StripeRefusal as refusal:
        # The timer is used up all the same: one object that cannot go on must not hold up everybody's time.
        log.warning("sandbox.timer_refused", timer=kind, subject=identifier, reason=str(refusal))
