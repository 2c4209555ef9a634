"""The stories that are told while processes die: how a renewal fails, who helps, and how it must end whatever dies."""

from dataclasses import dataclass
from uuid import uuid4

from app.models import Invoice, Message, RecoveryCase
from app.money import Money
from app.recovery import showing
from app.recovery.card_change import GivenFor
from app.vocabulary import CaseState, MessageState
from tests.faults.town import Town


@dataclass(frozen=True)
class Story:
    """`script` is what the bank answers from the renewal on; `mails` are the kinds that must arrive."""

    script: tuple[str, ...]
    end: CaseState
    mails: frozenset[str]
    charges: int
    helped_by_new_card: bool = False


RETRIED = Story(
    ("insufficient_funds", "approve"), CaseState.RECOVERED, frozenset({"payment_failed", "recovered"}), charges=1
)
RENEWED = Story(
    ("expired_card",),
    CaseState.RECOVERED,
    frozenset({"payment_failed", "recovered"}),
    charges=1,
    helped_by_new_card=True,
)
GIVEN_UP = Story(
    ("insufficient_funds",), CaseState.EXHAUSTED, frozenset({"payment_failed", "subscription_changed"}), charges=0
)


@dataclass
class Telling:
    """One story of one customer in one town."""

    town: Town
    story: Story
    customer: str
    invoice: str = ""

    def fail(self) -> None:
        """The renewal fails."""
        self.invoice = self.town.fail(self.customer, *self.story.script)

    def give_new_card(self) -> None:
        """The customer finishes a card page of ours at Stripe and closes the browser: only the webhook brings news."""
        self.town.save_card(self.open_card_page())

    def open_card_page(self) -> str:
        """As our payment page at the click: what it showed is written down, and a page at Stripe opened for a card."""
        case, name = self.case, uuid4().hex
        with self.town.context.database.organization(case.organization_id) as session:
            bill = session.get_one(Invoice, case.invoice_id)
            shown = {bill.stripe_id: Money(bill.amount_remaining, bill.currency)}
            showing.remember(session, case, name, shown, self.town.now)
        metadata = {f"metadata[{word}]": value for word, value in GivenFor(case.id, name).write().items()}
        wanted = {"mode": "setup", "customer": self.customer, "currency": "usd", **metadata}
        page: str = self.town.stripe("POST", "checkout/sessions", success_url="https://example.com", **wanted)["url"]
        return page

    @property
    def case(self) -> RecoveryCase:
        found = self.town.find_case(self.invoice)
        assert found is not None, f"no case for {self.invoice}"
        return found

    def is_waiting_for_card(self) -> bool:
        """Whether the customer has been asked for a new card."""
        found = self.town.find_case(self.invoice)
        return found is not None and found.state is CaseState.NEEDS_CUSTOMER

    def has_ended(self) -> bool:
        """Whether money and mails are where the story wants them."""
        found = self.town.find_case(self.invoice)
        if found is None or found.state is not self.story.end:
            return False
        arrived = {message.kind for message in self.town.messages(found) if message.state is MessageState.DELIVERED}
        return arrived >= self.story.mails

    def check(self) -> None:
        """One charge where one is due, one mail a step, and the subscription as the story leaves it."""
        assert self.has_ended(), self.told()
        entry = self.town.books()[self.invoice]
        assert entry["successful_charges"] == self.story.charges, entry
        status = self.town.stripe("GET", f"subscriptions/{entry['subscription']}")["status"]
        assert status == ("active" if self.story.charges else "canceled")
        files = self.town.mails()
        messages = self.town.messages(self.case)
        assert {message.key: files[str(message.id)] for message in messages if not is_right(message, files)} == {}

    def told(self) -> str:
        """The case's timeline, for the reader of a failure."""
        return "\n".join([f"{self.story}", *self.town.timeline(self.case), self.town.story()])


def is_right(message: Message, files: dict[str, int]) -> bool:
    """One file for a mail that was sent, two at most where nobody could know of the first, none for the others."""
    count = files.get(str(message.id), 0)
    if message.state is MessageState.DELIVERED:
        return count == 1 or (count == 2 and message.unknown_at is not None)
    return count == 0 or message.unknown_at is not None
