"""Definitions as they are stored, whatever their age: an old one means today what it meant when it was written."""

from collections.abc import Mapping
from typing import Any

from app.campaigns.definition import CampaignDefinition


def read_stored(stored: Mapping[str, Any]) -> CampaignDefinition:
    """The typed content of stored JSON.

    One from before there were plans keeps to its ladder; one from before there were segments named `intervals`; one
    from before fixed days had to rise means them in their order.
    """
    content = dict(stored)
    retries = content["retries"] = {"timing": "ladder", **content.get("retries", {})}
    if "ladder_days" in retries:
        retries["ladder_days"] = sorted({max(day, 0.5) for day in retries["ladder_days"]})
    intervals = content.pop("intervals", ())
    if intervals:
        content.setdefault("segment", {"interval": list(intervals)})
    return CampaignDefinition.model_validate(content)
