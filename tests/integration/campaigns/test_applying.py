"""Files of campaigns brought into force: what is told before is what is done, and twice is once."""

import pytest
from sqlalchemy import select

from app.campaigns.files import read_file, write_file
from app.campaigns.strict import CampaignInvalid
from app.models import AuditEntry, Campaign
from app.recovery import applying, campaign_desk
from app.recovery.campaigns import in_force, newest_version
from app.recovery.operator import Person
from tests.integration.campaigns.conftest import BY, Desk
from tests.integration.messages.rows import START

FILE = """\
campaigns:
  - {slug: vip, name: VIPs, segment: {tag: vip}, window_days: 35}
  - {slug: monthly, name: Monthly plans, default: true, segment: {interval: month}, window_days: 21}
"""


def plan(desk: Desk, text: str) -> applying.FilePlan:
    with desk.session() as session:
        return applying.plan(session, read_file(text))


def apply(desk: Desk, text: str) -> applying.FilePlan:
    with desk.session() as session:
        return applying.apply(session, read_file(text), Person("command line"), START)


def order(desk: Desk) -> list[tuple[str, int, bool]]:
    with desk.session() as session:
        return [(each.campaign.slug, each.version.number, each.campaign.is_default) for each in in_force(session)]


def test_a_plan_tells_what_would_change_and_for_which_running_cases_and_changes_nothing(desk: Desk) -> None:
    before = order(desk)
    planned = plan(desk, FILE)
    vip, monthly = planned.entries
    assert vip.is_new
    assert monthly.version == 2
    assert "~ window_days: 28 → 21" in [str(change) for change in monthly.changes]
    assert monthly.running == {1: 1}
    assert planned.order_after == ("vip", "monthly")
    assert order(desk) == before


def test_applying_does_what_was_planned_and_the_running_case_stays_on_its_version(desk: Desk) -> None:
    planned = plan(desk, FILE)
    assert apply(desk, FILE) == planned
    assert order(desk) == [("vip", 1, False), ("monthly", 2, True)]
    assert desk.case().campaign_version_id == desk.rows.version_id


def test_applying_again_changes_nothing(desk: Desk) -> None:
    apply(desk, FILE)
    again = apply(desk, FILE)
    assert again.is_empty
    assert order(desk) == [("vip", 1, False), ("monthly", 2, True)]
    with desk.session() as session:
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "campaign.applied")).all()) == 2


def test_an_export_applied_changes_nothing(desk: Desk) -> None:
    apply(desk, FILE)
    with desk.session() as session:
        campaigns = [each.campaign for each in in_force(session)]
        text = write_file(applying.entries_of(session, campaigns))
    assert plan(desk, text).is_empty


def test_customers_whose_currency_loses_its_price_are_told_of_before_it_is_saved(desk: Desk) -> None:
    standing = {"kind": "downgrade", "prices": {"eur": "price_1", "usd": "price_2"}}
    offer = {"retention": [{"kind": "downgrade", "prices": {"eur": "price_1", "usd": "price_2"}}]}
    desk.write("monthly", is_default=True, final_action=standing, page=offer)
    fewer = FILE.replace("window_days: 21", "final_action: {kind: downgrade, prices: {usd: price_2}}")
    told = " ".join(plan(desk, fewer).entries[1].cautions)
    assert "final_action.prices: EUR has no price any more" in told
    assert "cancelled at the end of their period instead of downgraded" in told
    assert "1 living subscription is billed in EUR today" in told
    kept = fewer.replace("prices: {usd: price_2}", "prices: {usd: price_2, eur: price_1}")
    less = kept[: kept.rindex("}")] + ", page: {retention: [{kind: downgrade, prices: {usd: price_2}}]}}\n"
    (told,) = plan(desk, less).entries[1].cautions
    assert told == "page.retention: whoever pays in EUR is not offered the smaller plan any more"


def test_days_that_are_never_reached_and_an_early_final_notice_are_told(desk: Desk) -> None:
    more = "retries: {timing: ladder, ladder_days: [1, 60]}, messages: [{key: last, kind: final_notice, days: 0}]"
    found = plan(desk, FILE.replace("window_days: 21", more)).entries[1].cautions
    assert [told.partition(":")[0] for told in found] == ["retries.ladder_days", "messages.last"]


def test_a_campaign_that_nobody_comes_to_is_named_and_nothing_is_changed_by_looking(desk: Desk) -> None:
    file = read_file(FILE + "  - {slug: world, name: World, segment: {interval: [month, year]}}\n")
    with desk.session() as session:
        planned = applying.plan(session, file)
        assert applying.nobody_comes_to(session, file, planned, BY, START) == ["monthly", "world"]
    assert order(desk) == [("monthly", 1, True)]


def test_what_the_file_does_not_name_keeps_its_place_and_content(desk: Desk) -> None:
    apply(desk, FILE)
    told = apply(desk, "campaigns:\n  - {slug: solo, name: Solo, segment: {plan: Solo}}\n")
    assert told.untouched == ("vip", "monthly")
    assert [slug for slug, _, _ in order(desk)] == ["vip", "monthly", "solo"]
    swapped = "campaigns:\n  - {slug: solo, name: Solo, segment: {plan: Solo}}\n" + FILE.removeprefix("campaigns:\n")
    apply(desk, swapped)
    assert [slug for slug, _, _ in order(desk)] == ["solo", "vip", "monthly"]


def test_the_default_can_be_handed_on_but_not_lost(desk: Desk) -> None:
    apply(desk, FILE)
    with pytest.raises(CampaignInvalid, match="say `default: true`"):
        plan(desk, FILE.replace("default: true, ", ""))
    apply(desk, "campaigns:\n  - {slug: vip, name: VIPs, segment: {tag: vip}, default: true}\n")
    assert [(slug, is_default) for slug, _, is_default in order(desk)] == [("vip", True), ("monthly", False)]


def test_a_default_that_is_for_nobody_else_cannot_be_replaced_unnamed(desk: Desk) -> None:
    with pytest.raises(CampaignInvalid, match="does not say for whom it is"):
        plan(desk, "campaigns:\n  - {slug: vip, name: VIPs, segment: {tag: vip}, default: true}\n")


def test_archiving_and_renaming_need_no_new_version(desk: Desk) -> None:
    apply(desk, FILE)
    told = apply(desk, FILE.replace("name: VIPs", "name: Friends, archived: true"))
    assert told.entries[0].version is None
    assert len(told.entries[0].row) == 2
    assert [slug for slug, _, _ in order(desk)] == ["monthly"]
    apply(desk, FILE)
    assert [slug for slug, _, _ in order(desk)] == ["vip", "monthly"]


def test_two_people_do_not_overwrite_each_other(desk: Desk) -> None:
    with desk.session() as session:
        monthly = session.query(Campaign).filter_by(slug="monthly").one()
        shorter = applying.entries_of(session, [monthly])[0].definition().model_copy(update={"window_days": 14})
        assert campaign_desk.save(session, monthly.id, shorter, 1, BY, START) is not None
        assert campaign_desk.save(session, monthly.id, shorter, 2, BY, START) is None
        with pytest.raises(campaign_desk.CampaignChangedMeanwhile, match="Ines saved version 2 meanwhile"):
            campaign_desk.save(session, monthly.id, shorter.model_copy(update={"window_days": 20}), 1, BY, START)
        assert newest_version(session, monthly.id).number == 2
