"""What somebody does about a mail: pure, and the same every time for the same person and mail."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from app.sandbox.issuers.luck import lognormal, luck, pick

_FILE = Path(__file__).with_name("parameters.toml")


class Deed(StrEnum):
    """How far somebody goes who has pressed a mail's link."""

    FIXES = "fixes"
    WRONG_THEN_FIXES = "wrong_then_fixes"
    WRONG = "wrong"
    ABANDONS = "abandons"
    LOOKS = "looks"


@dataclass(frozen=True)
class Plan:
    """When a mail is opened, and what is done right after it, if anything is."""

    opens_at: datetime | None = None
    deed: Deed | None = None


@cache
def parameters() -> dict[str, Any]:
    """The whole table."""
    return tomllib.loads(_FILE.read_text())


def plan(person: int, matter: int, number: int, arrived: datetime, timezone: str) -> Plan:
    """What the person named by that seed does about mail `number` (from 1) of their so-manieth matter.

    It came at `arrived` (aware); `timezone` is where they live.
    """
    mails = parameters()["mails"]
    place = min(number, len(mails["opened"])) - 1
    if luck(person, "never") < mails["never"]:
        return Plan()
    # The rates are those of everybody; whoever answers at all does so more often.
    mood, share = luck(person, "mail", matter, number), 1 - mails["never"]
    if mood >= mails["opened"][place] / share:
        return Plan()
    opens_at = _reads_at((person, matter, number), arrived, ZoneInfo(timezone))
    if opens_at is None or mood >= mails["clicked"][place] / share:
        return Plan(opens_at)
    return Plan(opens_at, Deed(pick(_deeds(), person, "deed", matter, number)))


def approves(person: int, matter: int) -> bool:
    """Whether they say yes when their bank asks them about this matter."""
    return luck(person, "bank", matter) < float(parameters()["bank"]["approves"])


def _deeds() -> Mapping[str, float]:
    deeds: dict[str, float] = parameters()["deeds"]
    return deeds


def _reads_at(whose: tuple[int, int, int], arrived: datetime, zone: ZoneInfo) -> datetime | None:
    """A while later, and while they are awake: what would be read at night is read in the morning."""
    hours = parameters()["hours"]
    delay = lognormal(hours["delay_median_hours"], hours["delay_spread"], "delay", *whose)
    if delay > hours["longest_days"] * 24:
        return None
    at = (arrived + timedelta(hours=delay)).astimezone(zone)
    if hours["wakes"] <= at.hour < hours["sleeps"]:
        return at.astimezone(arrived.tzinfo)
    day = at.date() + timedelta(days=at.hour >= hours["sleeps"])
    morning = datetime.combine(day, time(hours["wakes"]), zone)
    return (morning + timedelta(hours=3 * luck("morning", *whose))).astimezone(arrived.tzinfo)
