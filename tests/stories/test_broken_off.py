"""The database breaks off the transaction in which the bank's answer is written; nothing is lost or done twice."""

import pytest
from sqlalchemy.exc import OperationalError

from app.recovery import charging
from app.recovery.invariants import find_offences
from app.vocabulary import AttemptSource, CaseState
from tests.stage import LADDER, Stage


def test_an_answer_whose_writing_was_broken_off_is_written_later(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.use_campaign(LADDER)
    robin = stage.customer(name="Robin", email="robin@example.com")
    invoice = stage.fail(robin["customer"], *["insufficient_funds"] * 20)
    kept, broken = charging.write_answer, []

    def write_answer(*given: object, **named: object) -> object:
        if not broken:
            broken.append(True)
            raise OperationalError("update recovery_cases", {}, Exception("deadlock detected"))
        return kept(*given, **named)

    monkeypatch.setattr(charging, "write_answer", write_answer)
    stage.advance(days=30)
    assert broken
    assert stage.case(invoice).state is CaseState.EXHAUSTED
    ours = [attempt for attempt in stage.attempts(invoice) if attempt.source is AttemptSource.RECOUP]
    assert len({attempt.number for attempt in ours}) == len(ours) >= 2
    with stage.context.database.system() as session:
        assert find_offences(session, stage.now) == []
