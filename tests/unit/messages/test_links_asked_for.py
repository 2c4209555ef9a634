"""A link that somebody asked for leaves at once, unless there is nothing left to pay with it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.messages.cadence import CurrentHold, Decision, MailKind, Send, Situation, Skip, Written, decide
from app.messages.words import Reason, SuppressedBecause
from app.vocabulary import CaseState, FinalActionState, HoldKind

NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)
ASKED = Situation(
    kind=MailKind.FRESH_LINK,
    due_at=NOW,
    address="anna@example.com",
    case_state=CaseState.WAITING,
    invoice_status="open",
)


@pytest.mark.parametrize(
    "facts",
    [
        replace(ASKED, written=(Written(NOW - timedelta(minutes=1)),)),
        replace(ASKED, holds=(CurrentHold(HoldKind.SNOOZE, NOW + timedelta(days=5)),)),
        replace(ASKED, holds=(CurrentHold(HoldKind.PROMISE, None),)),
        replace(ASKED, case_state=CaseState.CHARGING),
        replace(ASKED, case_state=CaseState.EXHAUSTED, final_action=FinalActionState.DONE),
    ],
)
def test_quiet_holds_and_endings_do_not_keep_it_back(facts: Situation) -> None:
    assert decide(facts, NOW) == Send()


@pytest.mark.parametrize(
    ("facts", "decision"),
    [
        (replace(ASKED, case_state=CaseState.RECOVERED, invoice_status="paid"), Skip(Reason.PAID)),
        (replace(ASKED, case_state=CaseState.CLOSED), Skip(Reason.STOPPED)),
        (replace(ASKED, invoice_status="void"), Skip(Reason.STOPPED)),
        (replace(ASKED, holds=(CurrentHold(HoldKind.DISPUTE, None),)), Skip(Reason.DISPUTE)),
        (replace(ASKED, due_at=NOW - timedelta(days=2)), Skip(Reason.STALE)),
        (replace(ASKED, suppressed=SuppressedBecause.BOUNCED), Skip(Reason.SUPPRESSED)),
    ],
)
def test_it_is_not_sent_where_there_is_nothing_to_pay_or_nobody_to_reach(facts: Situation, decision: Decision) -> None:
    assert decide(facts, NOW) == decision
