"""A file of campaigns compared with the rows, and brought into force: a new version only where something differs.

A campaign that the file does not name stays as it is. Applying the same file again changes nothing. No running case is
touched; how many there are is told, because people ask.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from app.campaigns.definition import CampaignDefinition
from app.campaigns.diffs import Change, differences
from app.campaigns.files import CampaignFile, Entry
from app.campaigns.strict import CampaignInvalid
from app.models import Campaign
from app.recovery.campaign_cautions import told_by_rows
from app.recovery.campaign_desk import check_has_segment, lock_all, note, number
from app.recovery.campaigns import add_version, newest_version, read_definition
from app.recovery.coverage import AT_ONCE, coverage
from app.recovery.moving import count_running
from app.recovery.operator import Person
from app.recovery.segment_facts import count_renewals


@dataclass(frozen=True)
class EntryPlan:
    """What a file would do to one campaign. `version` is the number it would get, None where its content stays.

    `row` are changes of what is not versioned, as sentences; `cautions` say what may not be meant; `running` counts
    running cases by version.
    """

    slug: str
    name: str
    version: int | None
    changes: tuple[Change, ...] = ()
    row: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    running: dict[int, int] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        """Whether there is no such campaign yet."""
        return self.version == 1

    @property
    def is_unchanged(self) -> bool:
        """Whether the file says what is so already."""
        return self.version is None and not self.row


@dataclass(frozen=True)
class FilePlan:
    """What a file would do: campaign by campaign, to the order (slugs), and what it leaves alone (slugs)."""

    entries: tuple[EntryPlan, ...]
    order_before: tuple[str, ...]
    order_after: tuple[str, ...]
    untouched: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether applying would change nothing."""
        return self.order_before == self.order_after and all(entry.is_unchanged for entry in self.entries)


def plan(session: Session, file: CampaignFile) -> FilePlan:
    """Compare a file with what is in force; changes nothing. Raises `CampaignInvalid` where it cannot be applied."""
    return _plan(session, file, lock_all(session))


def apply(session: Session, file: CampaignFile, by: Person, now: datetime) -> FilePlan:
    """Do what `plan` says, and give that. Raises `CampaignInvalid`, and has done nothing then."""
    standing = lock_all(session)
    planned = _plan(session, file, standing)
    if planned.is_empty:
        return planned
    rows = {row.slug: row for row in standing}
    for row in standing:
        row.is_default = row.is_default and _new_default(file) in (None, row.slug)
    session.flush()
    for entry, told in zip(file.campaigns, planned.entries, strict=True):
        rows[entry.slug] = _bring_into_force(session, entry, told, rows.get(entry.slug), by, now)
    places = {slug: place for place, slug in enumerate(planned.order_after)}
    number(sorted((row for row in rows.values() if row.slug in places), key=lambda row: places[row.slug]))
    return planned


def nobody_comes_to(session: Session, file: CampaignFile, planned: FilePlan, by: Person, now: datetime) -> list[str]:
    """Slugs of new and changed campaigns that no living subscription would come to; done on trial and taken back.

    Empty where nobody is known yet, or so many that a person would have to wait for the answer.
    """
    if planned.is_empty or not 0 < count_renewals(session) <= AT_ONCE:
        return []
    trial = session.begin_nested()
    apply(session, file, by, now)
    session.flush()
    reached = coverage(session, now).campaigns
    trial.rollback()
    return [entry.slug for entry in planned.entries if not entry.is_unchanged and reached.get(entry.slug) == 0]


def entries_of(session: Session, campaigns: Sequence[Campaign]) -> list[Entry]:
    """Campaigns as entries of a file, each with its newest content."""
    return [
        Entry(
            slug=row.slug,
            name=row.name,
            default=row.is_default and row.archived_at is None,
            archived=row.archived_at is not None,
            **_fields(read_definition(newest_version(session, row.id))),
        )
        for row in campaigns
    ]


def _fields(definition: CampaignDefinition) -> dict[str, object]:
    return {name: getattr(definition, name) for name in CampaignDefinition.model_fields}


def _plan(session: Session, file: CampaignFile, standing: Sequence[Campaign]) -> FilePlan:
    rows = {row.slug: row for row in standing}
    _check_default(session, file, standing)
    entries = tuple(_entry_plan(session, entry, rows.get(entry.slug)) for entry in file.campaigns)
    before = tuple(row.slug for row in standing if row.archived_at is None)
    named = {entry.slug for entry in file.campaigns}
    untouched = tuple(row.slug for row in standing if row.slug not in named and row.archived_at is None)
    return FilePlan(entries, before, _order(file, before), untouched)


def _entry_plan(session: Session, entry: Entry, row: Campaign | None) -> EntryPlan:
    if row is None:
        return EntryPlan(entry.slug, entry.name, 1, cautions=told_by_rows(session, None, entry.definition()))
    newest = newest_version(session, row.id)
    before, after = read_definition(newest), entry.definition()
    changes = tuple(differences(before, after))
    return EntryPlan(
        entry.slug,
        entry.name,
        newest.number + 1 if changes else None,
        changes,
        tuple(_row_changes(entry, row)),
        told_by_rows(session, before, after) if changes else (),
        count_running(session, row.id),
    )


def _row_changes(entry: Entry, row: Campaign) -> list[str]:
    said = []
    if entry.name != row.name:
        said.append(f"renamed from “{row.name}” to “{entry.name}”")
    if entry.default != row.is_default:
        said.append("becomes the default" if entry.default else "is the default no more")
    if entry.archived != (row.archived_at is not None):
        said.append("archived: no new case comes to it" if entry.archived else "taken out of the archive")
    return said


def _new_default(file: CampaignFile) -> str | None:
    return next((entry.slug for entry in file.campaigns if entry.default), None)


def _check_default(session: Session, file: CampaignFile, standing: Sequence[Campaign]) -> None:
    """Exactly one campaign takes what nobody's segment fits, before and after, and no other is for nobody."""
    now = next((row for row in standing if row.is_default and row.archived_at is None), None)
    is_named = now is not None and any(entry.slug == now.slug for entry in file.campaigns)
    if _new_default(file) is None:
        if now is None:
            raise CampaignInvalid("no campaign is the default; say `default: true` on one")
        if is_named:
            raise CampaignInvalid(f"{now.slug} is the default; say `default: true` on it, or on another campaign")
    elif now is not None and not is_named:
        check_has_segment(session, now)


def _order(file: CampaignFile, before: Sequence[str]) -> tuple[str, ...]:
    """Campaigns of the file take the places that they have together, in the file's order; new ones come last."""
    wanted = [entry.slug for entry in file.campaigns if not entry.archived]
    gone = {entry.slug for entry in file.campaigns if entry.archived}
    places = [slug for slug in before if slug not in gone]
    places += [slug for slug in wanted if slug not in places]
    following = iter(wanted)
    return tuple(next(following) if slug in wanted else slug for slug in places)


def _bring_into_force(
    session: Session, entry: Entry, told: EntryPlan, row: Campaign | None, by: Person, now: datetime
) -> Campaign:
    if told.version is not None:
        version = add_version(
            session,
            slug=entry.slug,
            name=entry.name,
            definition=entry.definition(),
            is_default=entry.default,
            now=now,
            by=by.name,
        )
        row = row or session.get_one(Campaign, version.campaign_id)
    if row is None:
        raise CampaignInvalid(f"there is no campaign {entry.slug}")
    row.name, row.is_default = entry.name, entry.default
    row.archived_at = (row.archived_at or now) if entry.archived else None
    if not told.is_unchanged:
        changes = [*told.row, *map(str, told.changes)]
        note(session, row, "campaign.applied", by, now, version=told.version, changes=changes)
    return row
