"""The base of everything in a campaign: what is not known is refused, and nothing can be changed once it is made."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.errors import RecoupError


class CampaignInvalid(RecoupError):
    """A campaign cannot be used; the text names the field and says what to do."""


class Wrong(ValueError):
    """Several things are wrong with how the parts of a value go together: each with the path to the part to mend."""

    def __init__(self, problems: Sequence[tuple[tuple[str | int, ...], str]]) -> None:
        super().__init__("; ".join(text for _, text in problems))
        self.problems = tuple(problems)


class Strict(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def as_list(given: Any) -> Any:
    """A single word where several could stand is a list of one."""
    return [given] if isinstance(given, str) else given
