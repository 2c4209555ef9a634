"""Running cases moved on purpose, mails that answer events, and customers who are left alone."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.models import AuditEntry, CampaignVersion, Hold
from app.recovery import cases, customer_desk, mail_steps, moving, planning
from app.recovery.cases import Happened
from app.recovery.operator import NotAllowedNow
from app.vocabulary import CaseState, EntryKind, Fact, HoldKind, StepState
from tests.integration.campaigns.conftest import BY, Desk
from tests.integration.messages.rows import START

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FAILED = START - HOUR
SHORT = (
    {"key": "first", "kind": "payment_failed", "days": 0},
    {"key": "third", "kind": "reminder", "days": 3},
    {"key": "last", "kind": "final_notice", "days": 2, "anchor": "end"},
)
LONG = (
    *SHORT[:1],
    {"key": "fifth", "kind": "reminder", "days": 5},
    {"key": "tenth", "kind": "reminder", "days": 10},
    SHORT[2],
)


def open_under(desk: Desk, **content: Any) -> None:
    desk.put_case_on(desk.write("mine", segment={"tag": "x"}, **content))
    with desk.session() as session:
        planning.plan_opening(session, desk.rows.case(session), START)


def planned(desk: Desk) -> dict[str, float]:
    """Mails to come, by their keys, in days after the failure."""
    return {
        key.removeprefix("message:"): (step.due_at - FAILED) / DAY
        for key, step in desk.steps().items()
        if step.state is StepState.PLANNED and key.startswith("message:")
    }


def move(desk: Desk, version_id: UUID) -> moving.Moved:
    return moving.move(desk.context, desk.rows.organization_id, [desk.rows.case_id], version_id, BY)


def declined(desk: Desk, number: int, decline_class: str) -> None:
    with desk.session() as session:
        case = desk.rows.case(session)
        data = {"decline_class": decline_class, "customer_reason": "no_funds"}
        fact = Happened(Fact.DECLINED, f"declined:{number}", desk.clock.now(), "No.", data)
        cases.record(session, case, fact, desk.clock.now())
        mail_steps.answer_events(session, case, planning.definition_of(session, case), desk.clock.now())


def test_a_moved_case_follows_the_new_version_and_the_timeline_says_who_did_it(desk: Desk) -> None:
    open_under(desk, messages=SHORT)
    assert move(desk, desk.write("mine", window_days=40, grace_days=3, messages=LONG)).cases == 1
    assert planned(desk) == pytest.approx({"first": 1 / 24, "fifth": 5, "tenth": 10, "last": 38})
    case = desk.case()
    assert case.window_ends_at == FAILED + 40 * DAY
    assert case.grace_until == FAILED + 43 * DAY
    assert desk.steps()["window_end"].due_at == case.window_ends_at
    told = [entry.summary for entry in desk.timeline() if entry.name == "moved"]
    assert told == [
        "Ines moved the case from Mine, version 1 to Mine, version 2: 4 mails to come, the window ends on 2026-10-11."
    ]
    with desk.session() as session:
        assert session.scalars(select(AuditEntry.action).where(AuditEntry.action == "case.moved")).all()


def test_what_went_is_not_sent_again_and_what_is_past_is_not_made_up_for(desk: Desk) -> None:
    open_under(desk, messages=SHORT)
    with desk.session() as session:
        for step in session.query(mail_steps.Step).filter_by(key="message:first"):
            step.state, step.finished_at = StepState.DONE, START
    desk.clock.moment = START + 7 * DAY
    move(desk, desk.write("mine", messages=LONG))
    assert set(planned(desk)) == {"tenth", "last"}
    assert desk.steps()["message:third"].problem == mail_steps.MOVED


def test_the_first_mail_is_made_up_for_where_none_has_gone(desk: Desk) -> None:
    open_under(desk, messages=())
    desk.clock.moment = START + 7 * DAY
    move(desk, desk.write("mine", messages=LONG))
    assert planned(desk)["first"] == pytest.approx(7 + 1 / 24)


def test_there_and_back_again_leaves_the_plan_as_it_was(desk: Desk) -> None:
    open_under(desk, messages=SHORT)
    before, first = planned(desk), desk.case().campaign_version_id
    move(desk, desk.write("mine", messages=LONG))
    move(desk, first)
    assert planned(desk) == pytest.approx({**before, "first": 1 / 24, "last": 26})


def test_nobody_is_moved_into_a_sudden_end(desk: Desk) -> None:
    open_under(desk, messages=SHORT)
    desk.clock.moment = START + 10 * DAY
    refused = move(desk, desk.write("mine", window_days=12, messages=()))
    assert refused.cases == 0
    assert "its window would end on 2026-09-13" in (refused.refused[0].obstacle or "")
    assert planned(desk)


@pytest.mark.parametrize("state", [CaseState.RECOVERED, CaseState.CLOSED])
def test_a_case_that_is_over_is_not_moved(desk: Desk, state: CaseState) -> None:
    open_under(desk, messages=SHORT)
    with desk.session() as session:
        case = cases.lock_case(session, desk.rows.case_id)
        fact, data = (
            (Fact.PAID, {"amount": 4900, "cause": "customer"})
            if state is CaseState.RECOVERED
            else (Fact.STOPPED, {"reason": "operator"})
        )
        cases.record(session, case, Happened(fact, "over", START, "Over.", data), START)
    refused = move(desk, desk.write("mine", messages=LONG))
    assert "ended already" in (refused.refused[0].obstacle or "")


def test_the_second_soft_decline_is_answered_once(desk: Desk) -> None:
    open_under(
        desk, messages=({"key": "again", "kind": "reminder", "days": 1, "anchor": "event", "on": "soft_decline_twice"},)
    )
    declined(desk, 1, "soft_timed")
    assert planned(desk) == {}
    desk.clock.moment = START + 2 * DAY
    declined(desk, 2, "soft_timed")
    assert planned(desk) == pytest.approx({"again:1": 3 + 1 / 24})
    declined(desk, 3, "soft_opaque")
    assert set(planned(desk)) == {"again:1"}


@pytest.mark.parametrize("event", ["promise_broken", "mail_bounced"])
def test_each_broken_promise_and_each_bounce_is_answered(desk: Desk, event: str) -> None:
    open_under(desk, messages=({"key": "then", "kind": "reminder", "days": 0, "anchor": "event", "on": event},))
    for number in range(2):
        with desk.session() as session:
            case = desk.rows.case(session)
            cases.append(session, case, EntryKind.FACT, event, f"{event}:{number}", START, START, "It happened.")
            mail_steps.answer_events(session, case, planning.definition_of(session, case), START)
    assert set(planned(desk)) == {"then:1", "then:2"}


def test_silence_after_a_soft_decline_ends_when_only_the_payer_can_help(desk: Desk) -> None:
    with desk.session() as session:
        desk.rows.case(session).decline_class = "soft_timed"
    open_under(desk, silent_hours=96, messages=SHORT)
    assert planned(desk) == pytest.approx({"first": 4, "third": 6, "last": 26 + 1 / 24})
    with desk.session() as session:
        planning.write_at_once(session, desk.rows.case(session), START)
    assert planned(desk) == pytest.approx({"first": 1 / 24, "third": 3, "last": 26 + 1 / 24})


def test_a_mail_keeps_its_distance_to_a_first_one_that_had_to_wait(desk: Desk) -> None:
    with desk.session() as session:
        desk.rows.case(session).decline_class = "soft_timed"
    days = {"first": 0, "next": 1, "third": 3, "week": 7}
    mails = [{"key": key, "kind": "reminder", "days": day} for key, day in days.items()]
    open_under(desk, silent_hours=48, messages=mails)
    assert planned(desk) == pytest.approx({"first": 2, "next": 3, "third": 4, "week": 7})


def test_a_mail_for_one_kind_of_decline_is_not_for_another(desk: Desk) -> None:
    case = desk.case()
    case.decline_class = "hard"
    assert mail_steps.why_not({"kind": "reminder"}, case) is None
    assert mail_steps.why_not({"kind": "reminder", "decline_classes": ["hard", "fraud"]}, case) is None
    told = mail_steps.why_not({"kind": "reminder", "decline_classes": ["soft_timed"]}, case)
    assert told == "it is only for payments declined because no money right now; here: the card is unusable"


def test_whom_the_campaign_excludes_gets_no_mail_and_keeps_the_subscription(desk: Desk) -> None:
    open_under(desk, exclude={"tag": "vip"}, messages=SHORT)
    assert planned(desk) == {}
    assert [entry.summary for entry in desk.timeline()] == [
        "Left alone, because the campaign excludes whom this fits: tagged vip."
    ]
    with desk.session() as session:
        planning.give_up(session, desk.rows.case(session), "no_time_left", START)
    final = desk.steps()["final_action"]
    assert (final.state, final.problem) == (StepState.SKIPPED, planning.LEFT_ALONE)


def test_a_tag_given_later_stops_the_mails_and_its_removal_lets_them_go_on(desk: Desk) -> None:
    open_under(desk, exclude={"tag": "internal"}, messages=SHORT)
    before = set(planned(desk))
    with desk.session() as session:
        customer_desk.tag(session, desk.rows.customer_id, ["Internal"], BY, START)
    assert planned(desk) == {}
    with desk.session() as session:
        customer_desk.tag(session, desk.rows.customer_id, [], BY, START + HOUR)
    assert set(planned(desk)) == before


def test_a_snoozed_customer_is_held_whatever_is_owed_until_the_day_comes(desk: Desk) -> None:
    open_under(desk, messages=SHORT)
    with desk.session() as session:
        customer_desk.snooze(session, desk.rows.customer_id, START + 9 * DAY, BY, "on holiday", START)
        hold = session.scalars(select(Hold)).one()
        assert (hold.case_id, hold.kind, hold.until) == (None, HoldKind.SNOOZE, START + 9 * DAY)
        with pytest.raises(NotAllowedNow):
            customer_desk.snooze(session, desk.rows.customer_id, START - DAY, BY, "", START)
    assert any("on holiday" in entry.summary for entry in desk.timeline())


def test_the_last_word_on_a_snooze_counts_also_a_sooner_one(desk: Desk) -> None:
    open_under(desk, messages=SHORT)
    days = (9, 20, 4, 4)
    with desk.session() as session:
        for hours, day in enumerate(days):
            customer_desk.snooze(session, desk.rows.customer_id, START + day * DAY, BY, "", START + hours * HOUR)
        (standing,) = session.scalars(select(Hold).where(Hold.released_at.is_(None)))
        assert standing.until == START + 4 * DAY
        customer_desk.snooze(session, desk.rows.customer_id, START + 20 * DAY, BY, "", START + DAY)
        (standing,) = session.scalars(select(Hold).where(Hold.released_at.is_(None)))
        assert standing.until == START + 20 * DAY


def test_versions_are_named_by_slug_and_number(desk: Desk) -> None:
    desk.write("mine", segment={"tag": "x"})
    newest = desk.write("mine", segment={"tag": "y"})
    with desk.session() as session:
        assert moving.find_version(session, "mine")[1].id == newest
        assert moving.find_version(session, "mine@1")[1].number == 1
        for name in ("mine@9", "mine@x", "nobody", "mine@0"):
            with pytest.raises(moving.CampaignInvalid):
                moving.find_version(session, name)
        assert isinstance(moving.find_version(session, "mine@2")[1], CampaignVersion)
