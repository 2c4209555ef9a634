"""What a decline means: the many codes of Stripe and the card networks, turned into one meaning.

The codes stand in `codes/*.csv`, one file for each language they are spoken in, each row with its origin and date.
Refuses to know when to try again: it says what one decline permits, never what the history of a card permits.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from importlib.resources import files

from app.errors import RecoupError
from app.retries.facts import DeclineSignals

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


class DeclineClass(StrEnum):
    """Why a charge was refused, as far as it matters for what to do next."""

    NETWORK_NEVER = "network_never"
    HARD = "hard"
    AUTHENTICATION = "authentication"
    CUSTOMER_ACTION = "customer_action"
    FRAUD = "fraud"
    SOFT_FAST = "soft_fast"
    SOFT_TIMED = "soft_timed"
    SOFT_OPAQUE = "soft_opaque"
    MERCHANT_CONFIG = "merchant_config"


class CustomerReason(StrEnum):
    """What the customer may be told. Lost, stolen and fraud are all `bank_declined`: Stripe forbids to say more."""

    NO_FUNDS = "no_funds"
    BANK_DECLINED = "bank_declined"
    DETAILS_OUTDATED = "details_outdated"
    TEMPORARY = "temporary"
    NEEDS_APPROVAL = "needs_approval"
    UNKNOWN = "unknown"


class Fix(StrEnum):
    """What has to happen before a charge can work again."""

    NOTHING = "nothing"
    NEW_CARD = "new_card"
    NEW_CONSENT = "new_consent"
    DETAILS = "details"
    APPROVAL = "approval"
    OPERATOR = "operator"


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
class Meaning:
    """What one decline means.

    `may_retry` concerns the same card with the same details. `is_absolute` marks an answer that no later answer for
    the same card undoes. `earliest_after` is the least wait after this decline, `max_more` the most tries after it.
    `deciding_signal` is `table:code`, such as `visa:51`. `description` is for the operator and may name what the
    customer must not read; the customer gets `customer_reason` alone.
    """

    decline_class: DeclineClass
    may_retry: bool
    needs_new_card: bool
    customer_reason: CustomerReason
    earliest_after: timedelta | None
    max_more: int | None
    deciding_signal: str
    fix: Fix = Fix.NOTHING
    is_absolute: bool = False
    description: str = ""


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


def classify(signals: DeclineSignals, brand: str | None) -> Meaning:
    """The meaning of one decline on a card of `brand` (Stripe's word, None if unknown).

    When signals disagree, the card network's own codes go before Stripe's advice code, that before the reason of
    Stripe's outcome, that before the decline code, and the API's error code comes last. An absolute row wins wherever
    it stands, and of all waits and caps the narrowest holds: a signal may narrow what another allows, never widen it.
    """
    rows = list(_spoken(signals, brand))
    chosen = _choose(rows)
    if not chosen.may_retry:
        return chosen
    retryable = [row.meaning for row in rows if row.meaning.may_retry]
    waits = [meaning.earliest_after for meaning in retryable if meaning.earliest_after]
    if signals.outcome_type == "blocked":
        waits.append(STRIPE_BLOCK_WAIT)
    caps = [meaning.max_more for meaning in (*retryable, chosen) if meaning.max_more is not None]
    return _narrowed(chosen, max(waits, default=None), min(caps, default=None))


def _narrowed(meaning: Meaning, wait: timedelta | None, cap: int | None) -> Meaning:
    return Meaning(**{**vars(meaning), "earliest_after": wait, "max_more": cap})


def _choose(rows: list[CodeRow]) -> Meaning:
    absolute = [row for row in rows if row.meaning.is_absolute]
    if absolute:
        return absolute[0].meaning
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
