"""Every named failpoint in turn: a process dies there, comes back, and the story ends as if nothing had happened."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.failpoints import FAILPOINTS
from app.models import RecoveryCase
from app.vocabulary import CaseState, MessageState
from tests.faults.town import Town, is_web_ready, open_town

ROOT = Path(__file__).parents[2]
TOWN = [pytest.mark.faults, pytest.mark.xdist_group("faults-failpoints"), pytest.mark.timeout(120)]
SENT_AGAIN = {
    # The file was written, and whoever wrote it died before saying so: nobody can know, so it is written once more.
    "message.request_left",
    "message.answered",
    "message.outcome_uncommitted",
}


@dataclass(frozen=True)
class Story:
    """How a renewal fails, who helps, and how it must end."""

    script: tuple[str, ...]
    end: CaseState
    mails: tuple[str, ...]
    charges: int
    help: Callable[[Town, str, str], None] | None = None


def give_new_card(town: Town, customer: str, invoice: str) -> None:
    """The customer finishes a card page of ours at Stripe and closes the browser: the webhook alone brings the news."""
    case = town.find_case(invoice)
    assert case is not None
    session = town.stripe(
        "POST",
        "checkout/sessions",
        **{
            "mode": "setup",
            "customer": customer,
            "currency": "usd",
            "success_url": "https://example.com/done",
            "metadata[recoup_case]": str(case.id),
            "setup_intent_data[metadata][recoup_case]": str(case.id),
        },
    )
    answer = town.http.post(session["url"], data={"card": "pm_card_visa"}, allow_redirects=False, timeout=30)
    assert answer.status_code == 303, answer.text


RETRIED = Story(("insufficient_funds", "approve"), CaseState.RECOVERED, ("payment_failed", "recovered"), 1)
RENEWED = Story(("expired_card",), CaseState.RECOVERED, ("payment_failed", "recovered"), 1, give_new_card)
GIVEN_UP = Story(("insufficient_funds",), CaseState.EXHAUSTED, ("payment_failed", "subscription_changed"), 0)


def process_of(place: str) -> str:
    """Which process comes by a failpoint."""
    return {"webhook": "web", "sweep": "clock"}.get(place.split(".")[0], "worker")


def story_of(place: str) -> Story:
    """The story in which it comes by."""
    return {"final_action": GIVEN_UP, "card_change": RENEWED}.get(place.split(".")[0], RETRIED)


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with open_town() as opened:
        yield opened


@pytest.mark.parametrize("place", FAILPOINTS)
def test_every_failpoint_is_somewhere_in_the_program(place: str) -> None:
    sources = [file for room in ("app", "workers") for file in (ROOT / room).rglob("*.py")]
    passing = re.compile(rf'failpoint(?:_during)?\(\s*"{re.escape(place)}"')
    assert any(passing.search(file.read_text()) for file in sources)


class TestAProcessKilledAtAFailpoint:
    pytestmark = TOWN

    @pytest.mark.parametrize("place", FAILPOINTS)
    def test_changes_nothing_in_the_end(self, town: Town, place: str) -> None:
        story = story_of(place)
        customer = town.customer()
        town.settle()
        armed = arm(town, place)
        invoice = town.fail(customer, *story.script)
        if story.help:
            town.play(lambda: case_rests(town, invoice), "the customer is asked")
            story.help(town, customer, invoice)
        town.play(armed.has_died, f"the {armed.name} dies at {place}")
        armed.come_back()
        town.outlast_leases()
        town.play(lambda: has_ended(town, invoice, story), f"the story of {place} ends")
        check(town, invoice, story, place)
        town.verify()


@dataclass
class Armed:
    """A process that will die at its failpoint."""

    town: Town
    name: str
    workers: set[int]
    is_parent: bool

    def has_died(self) -> bool:
        """Whether the process, or the child that works for it, is gone."""
        member = self.town.members[self.name]
        if self.is_parent:
            return not self.workers <= member.children()
        return member.forge.ended(member.pid) is not None

    def come_back(self) -> None:
        """What a supervisor does; this time nothing waits for it at the failpoint."""
        self.town.members[self.name].restart()
        if self.name == "web":
            self.town.wait(lambda: is_web_ready(self.town), "the web process is back")


def arm(town: Town, place: str) -> Armed:
    """Have the process that comes by `place` die there."""
    name = process_of(place)
    member = town.members[name]
    member.restart(RECOUP_FAILPOINT=place)
    is_parent = name != "clock"
    if is_parent:
        town.wait(member.children, f"the {name} has begun")
    if name == "web":
        town.wait(lambda: is_web_ready(town), "the web process is ready")
    return Armed(town, name, member.children(), is_parent)


def case_rests(town: Town, invoice: str) -> bool:
    return town.find_case(invoice) is not None and town.is_quiet()


def has_ended(town: Town, invoice: str, story: Story) -> bool:
    case = town.find_case(invoice)
    return case is not None and case.state is story.end and delivered(town, case) >= set(story.mails)


def delivered(town: Town, case: RecoveryCase) -> set[str]:
    return {message.kind for message in town.messages(case) if message.state is MessageState.DELIVERED}


def check(town: Town, invoice: str, story: Story, place: str) -> None:
    """One charge where one is due, one mail a step, and the subscription as the story leaves it."""
    entry = town.books()[invoice]
    assert entry["successful_charges"] == story.charges
    status = town.stripe("GET", f"subscriptions/{entry['subscription']}")["status"]
    assert status == ("active" if story.charges else "canceled")
    case = town.find_case(invoice)
    assert case is not None
    files = town.mails()
    sent = {message.key: files[str(message.id)] for message in town.messages(case)}
    assert set(sent.values()) <= ({1, 2} if place in SENT_AGAIN else {1}), sent
