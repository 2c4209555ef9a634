"""Customers whose cards are a payer's (`app.sandbox.issuers`): who they are, what was asked of them, what they answer.

A card with a script of its own is not theirs to answer for. Another card of the same customer is the same person's.
"""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.sandbox import new_numbers
from app.sandbox.cards import APPROVE, AUTHENTICATE
from app.sandbox.errors import wrong_state
from app.sandbox.issuers.luck import luck
from app.sandbox.issuers.obstacles import Asked
from app.sandbox.issuers.payers import Answer, Payer
from app.sandbox.ledger import Ledger
from app.sandbox.periods import moment
from app.sandbox.store import Doc

KIND = "_behaviour"
_DAY = timedelta(days=1)
_DAYS_AHEAD = 28
_REMEMBERED = 40  # charges on one card; no bank here counts further back
_TOKENS = {"mastercard": "pm_card_mastercard", "amex": "pm_card_amex", "discover": "pm_card_discover"}
_DEBIT = {"visa": "pm_card_visa_debit", "mastercard": "pm_card_mastercard_debit"}


def payer_for(segment: str, email: str, now: int, seed: int | None = None) -> Payer:
    """The payer that stands behind an address: always the same one, unless a `seed` names another."""
    return Payer.drawn(int(luck("payer", email) * (1 << 62)) if seed is None else seed, segment, moment(now))


def token_for(payer: Payer) -> str:
    """The test card whose number is of the payer's brand."""
    brand, is_debit = payer.card.brand, payer.card.funding == "debit"
    return (_DEBIT.get(brand) if is_debit else None) or _TOKENS.get(brand, "pm_card_visa")


def face_of(payer: Payer) -> Doc:
    """What else is printed on the payer's card."""
    card = payer.card
    return {"country": card.country, "funding": card.funding, "exp_month": card.exp_month, "exp_year": card.exp_year}


def give(ledger: Ledger, customer: str, method: str, payer: Payer) -> None:
    """From now on this payer stands behind the customer's card."""
    doc = {
        "id": customer,
        "seed": payer.seed,
        "segment": payer.segment,
        "cards": {method: {"wallet": payer.wallet, "since": int(payer.since.timestamp())}},
        "asked": {},
    }
    ledger.save(doc, KIND)
    _expect_renewal(ledger, doc, method)


def known(ledger: Ledger, customer: str | None) -> Doc | None:
    """What is kept of a customer's payer, or None."""
    return ledger.find(KIND, customer)


def payer_of(doc: Doc, method: str) -> Payer:
    """The payer with that card."""
    card = doc["cards"][method]
    return Payer(doc["seed"], doc["segment"], moment(card["since"]), wallet=card["wallet"])


def answer(ledger: Ledger, method: Doc, *, confirmed: bool) -> Any:
    """What the payer's bank answers to a charge now, as an entry of a script; None when there is no payer.

    `confirmed` means that the card's holder has just said yes to their bank.
    """
    doc = known(ledger, method["customer"])
    if doc is None:
        return None
    payer, now = _with_card(ledger, doc, method["id"]), moment(ledger.now)
    history = [Asked(moment(at), approved, said_yes) for at, approved, said_yes in doc["asked"].get(method["id"], [])]
    if confirmed:
        history.append(Asked(now, confirmed=True))
    given = payer.answer(now, history)
    doc["asked"].setdefault(method["id"], []).append([ledger.now, given.approved, confirmed])
    doc["asked"][method["id"]] = doc["asked"][method["id"]][-_REMEMBERED:]
    ledger.save(doc, KIND)
    return _entry(given, method["card"]["brand"])


def renew_card(ledger: Ledger, doc: Doc) -> None:
    """The network's updater tells of the payer's new card, if that card is still the customer's."""
    customer = ledger.find("customer", doc["id"])
    if customer is None or customer.get("deleted"):
        return
    method = customer["invoice_settings"]["default_payment_method"]
    if method not in doc["cards"]:
        return
    renewed = payer_of(doc, method).by(moment(ledger.now))
    new_numbers.renew(ledger, ledger.get("payment_method", method), (renewed.card.exp_month, renewed.card.exp_year))
    _expect_renewal(ledger, doc, method)


def catch_up(ledger: Ledger, customer: str) -> None:
    """What an updater should have told by now of a payer who was put into the past, it tells at once."""
    doc = ledger.get(KIND, customer)
    timer = "select 1 from timers where kind = 'renew_card' and id = ? and due <= ?"
    while ledger.store.fetch(timer, customer, ledger.now):
        ledger.set_timer("renew_card", customer, None)
        renew_card(ledger, doc)


def described(ledger: Ledger, customer: str) -> Doc:
    """The payer behind a customer's default card: who they are, and how a charge would fare in the coming days.

    Raises a 400 when nobody stands behind it.
    """
    doc, now = known(ledger, customer), moment(ledger.now)
    method = ledger.get("customer", customer)["invoice_settings"]["default_payment_method"]
    if doc is None or method not in doc["cards"]:
        raise wrong_state("Nobody in particular stands behind this customer's card: it answers by its script.")
    payer, days = payer_of(doc, method), [now + number * _DAY for number in range(_DAYS_AHEAD)]
    wage = payer.account and payer.account.next_wage(
        now.astimezone(ZoneInfo(payer.holder.timezone)).replace(tzinfo=None)
    )
    return {
        "customer": customer,
        "behaviour": doc["segment"],
        "seed": doc["seed"],
        "timezone": payer.holder.timezone,
        "next_wage": wage and wage.date().isoformat(),
        "chances": {day.date().isoformat(): round(payer.approval_probability(day), 3) for day in days},
    }


def _with_card(ledger: Ledger, doc: Doc, method: str) -> Payer:
    """The payer with this card; one that is new to us is their next."""
    if method not in doc["cards"]:
        doc["cards"][method] = {"wallet": len(doc["cards"]), "since": ledger.now}
        _expect_renewal(ledger, doc, method)
    return payer_of(doc, method)


def _expect_renewal(ledger: Ledger, doc: Doc, method: str) -> None:
    renewal = payer_of(doc, method).by(moment(ledger.now)).card.renewed_at
    ledger.set_timer(
        "renew_card", doc["id"], None if renewal is None else max(int(renewal.timestamp()) + 1, ledger.now)
    )


def _entry(given: Answer, brand: str) -> Any:
    if given.approved:
        return APPROVE
    if given.words is None:
        return AUTHENTICATE
    signals = given.words.signals()
    if brand != "mastercard":  # another network has no such codes, whatever the person's first card was
        signals.pop("network_advice_code", None)
    return signals
