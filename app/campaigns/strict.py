"""The base of everything in a campaign: what is not known is refused, and nothing can be changed once it is made."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from app.errors import RecoupError


class CampaignInvalid(RecoupError):
    """A campaign cannot be used; the text names the field and says what to do."""


class Strict(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def as_list(given: Any) -> Any:
    """A single word where several could stand is a list of one."""
    return [given] if isinstance(given, str) else given
