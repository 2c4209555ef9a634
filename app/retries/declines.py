"""What a decline means: the many codes of Stripe and the card networks, turned into one meaning.

The codes stand in `codes/*.csv`, one file for each language they are spoken in, each row with its origin and date.
Refuses to know when to try again: it says what one decline permits, never what the history of a card permits.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

from app.errors import RecoupError
from app.retries.facts import DeclineSignals
from app.retries.meanings import CustomerReason, DeclineClass, Fix, Meaning

__all__ = [
    "CODES",
    "UNKNOWN",
    "BadCodeTable",
    "CodeRow",
    "CustomerReason",
    "DeclineClass",
    "Fix",
    "Meaning",
    "Stance",
    "classify",
]

UNKNOWN_CODE_TRIES = 2
STRIPE_BLOCK_WAIT = timedelta(hours=72)

NETWORK_OF_BRAND = {
    "visa": "visa",
    "mastercard": "mastercard",
    "amex": "amex",
    "american_express": "amex",
    "discover": "discover",
    "diners": "discover",
    "diners_club": "discover",
}


class Stance(StrEnum):
    """How much a code says about the cause.

    A row that `decides` gives the meaning. One that `permits` allows a try and leaves the cause to a row below it if
    that one is soft. One that `informs` speaks only when nothing else does.
    """

    DECIDES = "decides"
    PERMITS = "permits"
    INFORMS = "informs"


PAYER_REPLACES_CARD = frozenset({Fix.NEW_CARD, Fix.NEW_CONSENT, Fix.DETAILS})


class BadCodeTable(RecoupError):
    """A row of `codes/*.csv` cannot be read."""


@dataclass(frozen=True)
class CodeRow:
    """One row of the tables: a code's meaning, and where and when its source said so."""

    meaning: Meaning
    stance: Stance
    origin: str
    as_of: str


UNKNOWN = Meaning(
    decline_class=DeclineClass.SOFT_OPAQUE,
    may_retry=True,
    needs_new_card=False,
    customer_reason=CustomerReason.UNKNOWN,
    earliest_after=None,
    max_more=UNKNOWN_CODE_TRIES,
    deciding_signal="unknown",
    description="Refused with a code that is not known here",
)


def _parse(table: str, raw: Mapping[str, str]) -> CodeRow:
    fix = Fix(raw["fix"])
    meaning = Meaning(
        decline_class=DeclineClass(raw["class"]),
        may_retry=_flag(raw["may_retry"]),
        needs_new_card=fix in PAYER_REPLACES_CARD,
        customer_reason=CustomerReason(raw["customer_reason"]),
        earliest_after=timedelta(hours=int(raw["wait_hours"])) if raw["wait_hours"] else None,
        max_more=int(raw["max_more"]) if raw["max_more"] else None,
        deciding_signal=f"{table}:{raw['code']}",
        fix=fix,
        is_absolute=_flag(raw["absolute"]),
        description=raw["meaning"],
    )
    return CodeRow(meaning, Stance(raw["stance"]), origin=raw["origin"], as_of=raw["as_of"])


def _flag(text: str) -> bool:
    return {"yes": True, "no": False}[text]


def _read_tables() -> dict[tuple[str, str], CodeRow]:
    rows: dict[tuple[str, str], CodeRow] = {}
    for file in files("app.retries").joinpath("codes").iterdir():
        table = file.name.removesuffix(".csv")
        for number, raw in enumerate(csv.DictReader(file.read_text("utf-8").splitlines()), start=2):
            try:
                rows[table, raw["code"]] = _parse(table, raw)
            except (KeyError, ValueError) as error:
                raise BadCodeTable(f"{file.name} line {number}: {error}; correct the row") from error
    return rows


CODES: Mapping[tuple[str, str], CodeRow] = _read_tables()


@lru_cache(maxsize=4096)  # a case is decided often, and its past answers do not change
def classify(signals: DeclineSignals, brand: str | None) -> Meaning:
    """The meaning of one decline on a card of `brand` (Stripe's word, None if unknown).

    When signals disagree, the card network's own codes go before Stripe's advice code, that before the reason of
    Stripe's outcome, that before the decline code, and the API's error code comes last. An absolute row wins wherever
    it stands, withdrawn consent first, and of all waits and caps the narrowest holds: a signal may narrow what
    another allows, never widen it. A wait stands even beside a refusal, for the day when the details are put right.
    """
    rows = list(_spoken(signals, brand))
    chosen = _choose(rows)
    waits = [row.meaning.earliest_after for row in rows if row.meaning.earliest_after]
    if signals.outcome_type == "blocked":
        waits.append(STRIPE_BLOCK_WAIT)
    caps = [meaning.max_more for meaning in (chosen, *(row.meaning for row in rows)) if meaning.max_more is not None]
    return replace(chosen, earliest_after=max(waits, default=None), max_more=min(caps, default=None))


def _choose(rows: list[CodeRow]) -> Meaning:
    absolute = [row.meaning for row in rows if row.meaning.is_absolute]
    if absolute:
        # A lost card concerns one card, withdrawn consent concerns all of them: it must not hide behind the other.
        return next((meaning for meaning in absolute if meaning.fix is Fix.NEW_CONSENT), absolute[0])
    speaking = [row for row in rows if row.stance != Stance.INFORMS] or rows
    if not speaking:
        return UNKNOWN
    first, *below = speaking
    if first.stance == Stance.PERMITS:
        causes = [row for row in below if row.stance == Stance.DECIDES]
        if causes and causes[0].meaning.may_retry:
            return causes[0].meaning
    return first.meaning


def _spoken(signals: DeclineSignals, brand: str | None) -> Iterator[CodeRow]:
    """The rows of all signals that are known, strongest first."""
    network = NETWORK_OF_BRAND.get((brand or "").lower(), "")
    network_code = (signals.network_decline_code or "").strip().upper().zfill(2)
    network_advice = (signals.network_advice_code or "").strip().zfill(2)
    lookups = (
        ((f"{network}_advice",), network_advice),
        ((network,), network_code),
        (("stripe_advice",), _word(signals.advice_code)),
        (("stripe_outcome", "stripe_decline"), _word(signals.outcome_reason)),
        (("stripe_decline", "bank_debit"), _word(signals.decline_code)),
        (("stripe_error", "stripe_decline", "bank_debit"), _word(signals.code)),
    )
    for tables, code in lookups:
        found = next((CODES[table, code] for table in tables if (table, code) in CODES), None)
        if found:
            yield found


def _word(signal: str | None) -> str:
    return (signal or "").strip().lower()
