"""What `recoup reconcile` says: what matters first, and no more than a person reads."""

from app.cli.reconcile import SHOWN, lines
from app.inbox.errands.walk import Found
from app.vocabulary import FindingKind


def test_an_outage_of_hundreds_of_events_hides_no_invoice() -> None:
    events = [Found(FindingKind.MISSED_EVENT, f"evt_{number}", "It never arrived.", "handled") for number in range(207)]
    said = list(lines([*events, Found(FindingKind.INVOICE_CHANGED, "in_1", "Its status is not ours.")], "undone"))
    assert said[:2] == ["invoice changed in_1: Its status is not ours.", "  undone"]
    assert len(said) == 2 + 2 * SHOWN + 1
    assert said[-1].startswith("… and 197 more of this kind")


def test_a_few_findings_are_all_said() -> None:
    said = list(lines([Found(FindingKind.MISSED_EVENT, "evt_1", "It never arrived.", "handled")], "undone"))
    assert said == ["missed event evt_1: It never arrived.", "  handled"]
