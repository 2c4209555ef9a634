"""Guards switched off must be noticed: a suite that cannot fail proves nothing."""

from collections.abc import Iterator

import pytest

from app.vocabulary import AttemptState, MessageState
from tests.faults.stories import GIVEN_UP, RETRIED, Telling
from tests.faults.town import Town, open_town

pytestmark = [pytest.mark.faults, pytest.mark.xdist_group("faults-controls"), pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    with open_town() as opened:
        yield opened


@pytest.mark.parametrize(("sabotage", "undecided"), [(None, 0), ("random_idempotency_keys", 1)])
def test_a_charge_repeated_under_another_key_is_found(town: Town, sabotage: str | None, undecided: int) -> None:
    telling = Telling(town, GIVEN_UP, town.customer())
    telling.fail()
    town.wait(lambda: town.find_case(telling.invoice), "the case is opened")
    town.settle()
    town.members["worker"].stop()
    town.members["worker"].start(sabotage)
    town.control("faults", kind="cut_after", path=f"{telling.invoice}/pay", count=1)
    town.play(lambda: has_been_declined(town, telling), "the try is answered")
    town.settle()
    assert town.undecided_charges(telling.invoice) == undecided
    town.members["worker"].restart()


@pytest.mark.long
def test_a_mail_sent_without_a_claim_is_found(town: Town) -> None:
    telling = Telling(town, RETRIED, town.customer())
    telling.fail()
    town.wait(lambda: town.find_case(telling.invoice), "the case is opened")
    town.settle()
    (message,) = town.messages(telling.case)
    assert message.state is MessageState.DELIVERED
    town.members["worker"].stop()
    town.members["worker"].start("mails_without_claims")
    town.context.bell.ring("deliver_message", str(message.organization_id), str(message.id))
    town.wait(lambda: town.mails()[str(message.id)] == 2, "the mail goes out again")
    town.members["worker"].stop()
    town.members["worker"].start()
    assert offences_of(town, telling) == {"sent_once"}


@pytest.mark.long
def test_money_that_recoup_never_heard_of_is_found_in_the_books(town: Town) -> None:
    telling = Telling(town, RETRIED, town.customer())
    telling.fail()
    town.wait(lambda: town.find_case(telling.invoice), "the case is opened")
    town.settle()
    town.control("faults", kind="lost_webhook")
    town.stripe("POST", f"invoices/{telling.invoice}/pay")
    town.wait(lambda: not town.reading()["pending_deliveries"], "the webhooks are lost")
    town.http.delete(f"{town.sandbox_url}/_sandbox/faults", timeout=10)
    assert offences_of(town, telling) == {"books"}


def offences_of(town: Town, telling: Telling) -> set[str]:
    """The names of the promises that `recoup verify --books` finds broken for one case."""
    return {one["invariant"] for one in town.offences() if one["subject"] == str(telling.case.id)}


def has_been_declined(town: Town, telling: Telling) -> bool:
    ours = [attempt for attempt in town.attempts(telling.invoice) if attempt.idempotency_key]
    return bool(ours) and ours[0].state is AttemptState.DECLINED
