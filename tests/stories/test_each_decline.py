"""Each way of being declined from the first mail to the outcome, in three languages and zones, over a change of clocks.

One town, in which everybody's renewal fails on the same morning, six days before the clocks change in Europe and in
Lebanon, and not in Japan. In the short form each class has one person; with `long`, each has one in every zone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from babel import Locale

from app.campaigns.definition import CampaignDefinition
from app.models import Message, RecoveryCase, SubscriptionSnapshot
from app.recovery.invariants import find_offences
from app.vocabulary import CaseState, RecoveredBy
from emails import moments
from emails.catalogue import load
from tests.stage import Stage
from tests.stories.customer import Browser, link_in
from tests.unit.emails.test_catalogues import UNSAID

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WINDOW = 14
CAMPAIGN = CampaignDefinition.model_validate(
    {
        "window_days": WINDOW,
        "silent_hours": 24,
        "retries": {"timing": "ladder", "ladder_days": [2, 5, 8], "max_attempts": 3},
        "messages": [
            {"key": "first", "kind": "payment_failed", "days": 0},
            {"key": "again", "kind": "reminder", "days": 4},
            {"key": "last", "kind": "final_notice", "days": 2, "anchor": "end"},
        ],
    }
)
ANSWERS = ("recovered", "subscription_changed")


@dataclass(frozen=True)
class Person:
    """Where somebody lives, and what they read."""

    name: str
    locale: str
    zone: str
    country: str

    @property
    def clock(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


@dataclass(frozen=True)
class Story:
    """How the card answers, what the customer is told of it, and how it ends; `mails` in their order."""

    decline_class: str
    script: tuple[str | dict[str, str], ...]
    reason: str
    mails: tuple[str, ...]
    outcome: CaseState
    by: RecoveredBy | None = None


PEOPLE = (
    Person("Jana Weber", "de", "Europe/Berlin", "DE"),
    Person("سارة خليل", "ar", "Asia/Beirut", "LB"),
    Person("佐藤 花", "ja", "Asia/Tokyo", "JP"),
)
CLOSED = {"decline_code": "do_not_honor", "network_decline_code": "62"}
REFUSES_MERCHANT = {"decline_code": "do_not_honor", "network_decline_code": "03"}
TO_THE_END = ("payment_failed", "reminder", "final_notice", "subscription_changed")
NEW_CARD = ("payment_failed", "recovered")
STORIES = (
    Story("soft_fast", ("processing_error", "approve"), "temporary", NEW_CARD, CaseState.RECOVERED, RecoveredBy.RETRY),
    Story(
        "soft_timed",
        ("insufficient_funds", "insufficient_funds", "approve"),
        "no_funds",
        ("payment_failed", "reminder", "recovered"),
        CaseState.RECOVERED,
        RecoveredBy.RETRY,
    ),
    Story("soft_opaque", ("generic_decline",), "bank_declined", TO_THE_END, CaseState.EXHAUSTED),
    Story("hard", (CLOSED,), "bank_declined", NEW_CARD, CaseState.RECOVERED, RecoveredBy.NEW_CARD),
    Story("network_never", ("stolen_card",), "bank_declined", TO_THE_END, CaseState.EXHAUSTED),
    Story("fraud", ("fraudulent",), "bank_declined", TO_THE_END, CaseState.EXHAUSTED),
    Story(
        "authentication",
        ("authentication_required",),
        "needs_approval",
        ("action_required", "recovered"),
        CaseState.RECOVERED,
        RecoveredBy.NEW_CARD,
    ),
    Story(
        "customer_action",
        ("expired_card",),
        "details_outdated",
        NEW_CARD,
        CaseState.RECOVERED,
        RecoveredBy.NEW_CARD,
    ),
    Story("merchant_config", (REFUSES_MERCHANT,), "unknown", TO_THE_END, CaseState.EXHAUSTED),
)


def next_change(after: datetime, zone: ZoneInfo) -> datetime:
    """The hour in which the clocks change next."""
    hours = (after + HOUR * count for count in range(24 * 366))
    return next(at for at in hours if at.astimezone(zone).utcoffset() != (at + HOUR).astimezone(zone).utcoffset())


def plain(text: str | None) -> str:
    """Without blanks, line ends and marks of direction, by which the same words may differ."""
    return re.sub(r"[\s\u2066-\u2069\u200e\u200f*]", "", text or "")


@pytest.mark.parametrize("turn", [0, pytest.param(1, marks=pytest.mark.long), pytest.param(2, marks=pytest.mark.long)])
@pytest.mark.timeout(400)
def test_each_decline_is_told_kindly_by_day_and_to_its_end(stage: Stage, turn: int) -> None:
    change = next_change(stage.now + 7 * DAY, PEOPLE[0].clock)
    stage.control("clock", to=(change - 6 * DAY).replace(hour=20, minute=0).astimezone(UTC).isoformat())
    stage.use_campaign(CAMPAIGN)
    told = [(story, PEOPLE[(number + turn) % len(PEOPLE)]) for number, story in enumerate(STORIES)]
    invoices = [fail(stage, story, person) for story, person in told]
    stage.advance(days=3)
    for (story, _), invoice in zip(told, invoices, strict=True):
        if story.by is RecoveredBy.NEW_CARD:
            give_card(stage, invoice)
    stage.advance(days=WINDOW + 4)
    for (story, person), invoice in zip(told, invoices, strict=True):
        look_at(stage, story, person, invoice)
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []


def fail(stage: Stage, story: Story, person: Person) -> str:
    who = {"name": person.name, "locale": person.locale, "timezone": person.zone, "country": person.country}
    made = stage.customer(**who, email=f"{story.decline_class}@example.com")
    return stage.fail(made["customer"], *story.script)


def give_card(stage: Stage, invoice: str) -> None:
    (first,) = (mail for mail in stage.messages(invoice) if mail.accepted_at)
    browser = Browser().open(link_in(first))
    browser.submit("/card")
    browser.submit("", card="pm_card_mastercard")
    stage.settle()


def look_at(stage: Stage, story: Story, person: Person, invoice: str) -> None:
    case = stage.case(invoice)
    assert (case.decline_class, case.customer_reason) == (story.decline_class, story.reason)
    assert (case.state, case.recovered_by) == (story.outcome, story.by)
    left = sorted((mail for mail in stage.messages(invoice) if mail.accepted_at), key=lambda mail: mail.claimed_at)
    assert tuple(mail.kind for mail in left) == story.mails, (story.decline_class, person.locale)
    for mail in left:
        assert 8 <= mail.claimed_at.astimezone(person.clock).hour < 21
        assert f'lang="{person.locale}"' in (mail.html_body or "")
        assert not re.search(UNSAID[person.locale], (mail.text_body or "").lower())
    asking = [mail for mail in left if mail.kind not in ANSWERS]
    assert all(after.claimed_at - before.claimed_at >= 20 * HOUR for before, after in pairwise(asking))
    says_why(left[0], story, person)
    if story.outcome is CaseState.EXHAUSTED:
        ends_as_announced(stage, case, person, left)
    else:
        assert left[-1].claimed_at >= case.recovered_at


def says_why(first: Message, story: Story, person: Person) -> None:
    """The first mail's heading is the one for this reason, in this language."""
    needs_approval = story.reason == "needs_approval"
    key = "action_required.heading" if needs_approval else f"payment_failed.heading.{story.reason}"
    heading = load(person.locale).find(key, frozenset({"merchant", "product"}))
    assert heading is not None
    assert plain(heading) in plain(first.html_body)


def ends_as_announced(stage: Stage, case: RecoveryCase, person: Person, left: list[Message]) -> None:
    """The end comes after the minute that was announced in the reader's own time, and was announced a day before."""
    (taken,) = stage.rows(SubscriptionSnapshot, SubscriptionSnapshot.case_id == case.id)
    notice, news = left[-2:]
    minute = moments.minute(case.window_ends_at, Locale.parse(person.locale), person.clock)
    assert plain(minute) in plain(notice.text_body)
    assert notice.claimed_at + DAY <= case.window_ends_at <= taken.done_at <= news.claimed_at
    has_changed = person.zone != "Asia/Tokyo"
    offsets = {at.astimezone(person.clock).utcoffset() for at in (left[0].claimed_at, notice.claimed_at)}
    assert len(offsets) == 1 + has_changed
