"""A customer says that something is wrong: the operator sees it first of all, answers, and lets the case go on."""

from app.context import Context
from app.models import CaseEntry, Hold, RecoveryCase
from app.recovery import cases, questions
from app.vocabulary import CaseState
from tests.integration.console.conftest import Browser
from tests.integration.console.world import World


def test_a_note_needs_attention_until_it_is_answered(context: Context, browser: Browser, world: World) -> None:
    now = context.clock.now()
    assert "waiting for an answer" not in browser.get("/").text
    with context.database.organization(world.organization_id) as session:
        case = cases.lock_case(session, world.case_ids[CaseState.NEEDS_CUSTOMER])
        questions.ask(session, case, "We cancelled <in> March.", "click", now)
    overview = browser.get("/").text
    assert "A customer is waiting for an answer" in overview
    assert f'href="/cases/{case.id}"' in overview
    page = browser.get(f"/cases/{case.id}").text
    assert "We cancelled &lt;in&gt; March." in page
    assert "until the customer is answered" in page
    hold = _hold(context, world, case)
    browser.post(f"/cases/{case.id}/holds/{hold.id}/release", {"answer": "  You are right.  "})
    with context.database.organization(world.organization_id) as session:
        assert questions.open_questions(session) == []
        told = session.query(CaseEntry).filter_by(case_id=case.id, name=questions.ANSWERED).one()
        assert told.data["answer"] == "You are right."
    assert "waiting for an answer" not in browser.get("/").text


def _hold(context: Context, world: World, case: RecoveryCase) -> Hold:
    with context.database.organization(world.organization_id) as session:
        return session.query(Hold).filter(Hold.case_id == case.id, Hold.key.startswith("question:")).one()
