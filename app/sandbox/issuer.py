"""The bank behind a card: given its script, what does it answer to the next charge?

`answer` is pure. Around it, the script of each payment method is kept with how far it has been used up, so that a
restart does not begin it anew. A card that has a payer behind it and no script answers as the payer's bank does.
"""

from dataclasses import dataclass
from typing import Any

from app.sandbox import behaving
from app.sandbox.cards import APPROVE, AUTHENTICATE
from app.sandbox.declines import Decline, decline
from app.sandbox.issuers.luck import luck
from app.sandbox.ledger import Ledger
from app.sandbox.periods import moment
from app.sandbox.store import Doc

Entry = str | dict[str, Any]


@dataclass(frozen=True)
class Approved:
    """The money moves."""


@dataclass(frozen=True)
class NeedsAuthentication:
    """The bank wants its customer to confirm (3-D Secure)."""


Verdict = Approved | NeedsAuthentication | Decline


def answer(script: list[Entry], used: int, *, expired: bool, outage: bool) -> Verdict:
    """The answer to attempt number `used` (from 0). The last entry of the script stays for ever."""
    if outage:
        return decline("issuer_not_available")
    entry = script[min(used, len(script) - 1)] if script else APPROVE
    if entry == APPROVE:
        return decline("expired_card") if expired else Approved()
    return NeedsAuthentication() if entry == AUTHENTICATE else decline(entry)


def ask(ledger: Ledger, method: Doc, *, authenticated: bool = False) -> Verdict:
    """Put one charge to the issuer of a payment method; `authenticated` means its customer has just confirmed."""
    if _is_away(ledger, method):
        return answer([], 0, expired=False, outage=True)
    kept = ledger.find("_script", method["id"]) or {"id": method["id"], "script": [APPROVE], "used": 0}
    person = behaving.answer(ledger, method, confirmed=authenticated) if kept["script"] == [APPROVE] else None
    if person is None:
        verdict = answer(kept["script"], kept["used"], expired=_expired(method["card"], ledger.now), outage=False)
        ledger.save({**kept, "used": kept["used"] + 1}, "_script")
    else:
        verdict = answer([person], 0, expired=False, outage=False)
    return Approved() if authenticated and isinstance(verdict, NeedsAuthentication) else verdict


def set_script(ledger: Ledger, method_id: str, script: list[Entry]) -> None:
    """From now on the issuer answers by this script, from its beginning."""
    ledger.save({"id": method_id, "script": script, "used": 0}, "_script")


def begin_outage(ledger: Ledger, until: int, share: float = 1.0) -> None:
    """That share of all issuers cannot be reached until that moment (Unix seconds); a past one ends the outage."""
    ledger.save({"id": "all", "since": ledger.now, "until": until, "share": share}, "_outage")


def outage_until(ledger: Ledger) -> int | None:
    """When the present outage ends, or None."""
    outage = ledger.find("_outage", "all")
    return outage["until"] if outage and outage["until"] > ledger.now else None


def _is_away(ledger: Ledger, method: Doc) -> bool:
    """Whether the issuer of this card is among those that cannot be reached: the same ones throughout an outage."""
    outage = ledger.find("_outage", "all")
    if not outage or not outage.get("since", 0) <= ledger.now < outage["until"]:
        return False
    whose = method["card"]["fingerprint"] or method["id"]
    return luck("outage", outage["until"], whose) < float(outage.get("share", 1))


def _expired(card: Doc, now: int) -> bool:
    """A card is good through the last day of the month printed on it."""
    today = moment(now)
    return bool((card["exp_year"], card["exp_month"]) < (today.year, today.month))
