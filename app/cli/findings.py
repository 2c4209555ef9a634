"""What `recoup doctor` found: one thing that was looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing looked at: fine or not, and what was seen or is to be done. What is fine may still be worth a note."""

    what: str
    is_fine: bool
    detail: str
    is_note: bool = False
