"""A process that is to die at a failpoint: armed, watched, brought back as a supervisor would."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from app.inbox.errands.running import begin
from app.models import Connection, Errand
from app.sandbox.permissions import RESOURCES
from app.vocabulary import ErrandKind, ErrandState
from tests.faults.stories import GIVEN_UP, RENEWED, RETRIED, Story, Telling
from tests.faults.town import SANDBOX_KEY, Town, is_web_ready

ROOMS = {
    # what a failpoint's name begins with: the process that comes by, and the story in which it does
    "webhook": ("web", RETRIED),
    "event": ("worker", RETRIED),
    "sweep": ("clock", RETRIED),
    "step": ("worker", RETRIED),
    "handover": ("worker", RETRIED),
    "charge": ("worker", RENEWED),
    "message": ("worker", RETRIED),
    "final_action": ("worker", GIVEN_UP),
    "card_change": ("worker", RENEWED),
    "errand": ("worker", RETRIED),
}
IS_FAR = timedelta(minutes=5)  # by which news must be older than a look for what was missed, or it is on its way


@dataclass
class Death:
    """What was told while a process was to die at `place`."""

    place: str
    telling: Telling
    has_died: bool = False

    @property
    def process(self) -> str:
        return ROOMS[self.place.split(".")[0]][0]

    @property
    def story(self) -> Story:
        return self.telling.story


def tell(town: Town, place: str) -> Death:
    """A new customer with a story that comes by `place`; nothing has failed yet."""
    return Death(place, Telling(town, ROOMS[place.split(".")[0]][1], town.customer()))


def prepare(town: Town, deaths: list[Death]) -> None:
    """Bring those stories that a new card helps to where the card is awaited."""
    waiting = [death.telling for death in deaths if death.story is RENEWED]
    for telling in waiting:
        telling.fail()
    town.wait(lambda: all(telling.is_waiting_for_card() for telling in waiting), "new cards are awaited")
    town.settle()


def die_at_once(town: Town, death: Death) -> None:
    """Arm the process, let the story come by, see it die, and bring it back."""
    workers = arm(town, death)
    if death.story is RENEWED:
        death.telling.give_new_card()
    else:
        death.telling.fail()
    town.wait(lambda: is_dead(town, death, workers), f"the {death.process} dies at {death.place}")
    come_back(town, death)


def die_in_the_end(town: Town, death: Death) -> None:
    """The same for a place that only an exhausted case comes by; the story has begun."""
    workers = arm(town, death)
    town.play(lambda: is_dead(town, death, workers), f"the {death.process} dies at {death.place}")
    come_back(town, death)
    town.outlast_leases()
    town.play(death.telling.has_ended, f"the story of {death.place} ends")


def die_on_an_errand(town: Town, death: Death) -> None:
    """The same for a place on the way of a look for what was missed: nothing is heard of the renewal, and the key may
    not ask for events, so that the open invoices must tell.
    """
    workers = arm(town, death)
    town.control(f"keys/{SANDBOX_KEY}", permissions={**dict.fromkeys(RESOURCES, "write"), "event": "none"})
    town.control("faults", kind="lost_webhook")
    death.telling.fail()
    town.settle()
    town.http.delete(f"{town.sandbox_url}/_sandbox/faults", timeout=30).raise_for_status()
    town.turn(town.now + IS_FAR)
    look_for_what_was_missed(town)
    town.wait(lambda: is_dead(town, death, workers), f"the {death.process} dies at {death.place}")
    town.control(f"keys/{SANDBOX_KEY}", permissions=None)
    come_back(town, death)
    town.outlast_leases()
    town.wait(lambda: not is_looked_for(town), "somebody carries the look on to its end")
    town.play(death.telling.has_ended, f"the story of {death.place} ends")


def is_looked_for(town: Town) -> bool:
    """Whether a look for what was missed is under way; nothing of it is due at any moment."""
    with town.context.database.system() as session:
        return session.scalar(select(Errand.id).where(Errand.state == ErrandState.RUNNING).limit(1)) is not None


def look_for_what_was_missed(town: Town) -> None:
    """As the clock does every hour."""
    with town.context.database.system() as session:
        connection = session.scalars(select(Connection)).one()
    errand = begin(town.context, connection, ErrandKind.RECONCILE, "test")
    town.context.bell.ring("run_errand", str(connection.organization_id), str(errand))


def arm(town: Town, death: Death) -> set[int]:
    """Start the process anew, to die at its place, and give its workers; it may finish what it has in hand first."""
    member = town.members[death.process]
    member.stop()
    member.start(RECOUP_FAILPOINT=death.place)
    if death.process == "worker":
        town.wait(member.children, "the worker has begun")
    elif death.process == "web":
        town.wait(lambda: is_web_ready(town), "the web process is ready")
    return member.children()


def is_dead(town: Town, death: Death, workers: set[int]) -> bool:
    """Whether the process, or a child that worked for it, is gone."""
    member = town.members[death.process]
    death.has_died = not workers <= member.children() or member.forge.ended(member.pid) is not None
    return death.has_died


def come_back(town: Town, death: Death) -> None:
    """What a supervisor does; this time nothing waits at the failpoint."""
    town.members[death.process].restart()
    if death.process == "web":
        town.wait(lambda: is_web_ready(town), "the web process is back")
