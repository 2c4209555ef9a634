"""Worlds in which failed payments behave as issuers and wages do, to measure planners in.

They simulate money: wages come in, bills and days take it out, noise shakes it. None of them knows the planner's
curves or tables. Their numbers and where those come from stand in `parameters.toml`. Each factory gives a world:
`recoup retries evaluate --world app.retries.worlds:us_consumer`, or just `--world us_consumer`.
"""

from app.retries.worlds.issuing import IssuingWorld
from app.retries.worlds.structureless import StructurelessWorld


def us_consumer() -> IssuingWorld:
    """American consumers: weekly and fortnightly wages, debit cards, money that lasts for days."""
    return IssuingWorld("us_consumer")


def uk_eu() -> IssuingWorld:
    """Britain and the continent: monthly wages around the month's end, bank approval for one failure in eight."""
    return IssuingWorld("uk_eu")


def business_credit() -> IssuingWorld:
    """Companies with credit cards: lines freed once a month on a day of their own, wary banks."""
    return IssuingWorld("business_credit")


def foreign_calendars() -> IssuingWorld:
    """British cards whose holders are paid on days unknown in Britain: the prior is wrong here."""
    return IssuingWorld("foreign_calendars")


def no_structure() -> StructurelessWorld:
    """Chances that never change: no timing can be better than another."""
    return StructurelessWorld()
