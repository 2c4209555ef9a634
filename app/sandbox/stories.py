"""Common stories of failed payments, each begun with one press: a customer is made, and their renewal fails now.

What happens later in a story is a timer, so that turning the clock tells the rest of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from app.sandbox import deeds, issuer
from app.sandbox.errors import StripeRefusal
from app.sandbox.failing import fail_now
from app.sandbox.issuer import Entry
from app.sandbox.ledger import Ledger
from app.sandbox.names import full_name
from app.sandbox.policy import DAY, HOUR
from app.sandbox.staging import subscribed_customer
from app.sandbox.store import Doc

KIND = "_story"
_OUTAGE_HOURS = 3
_OUTAGE_CUSTOMERS = 3

_PLACES = (
    {"country": "US", "timezone": "America/New_York", "locale": "en-US", "currency": "usd", "amount": 4900},
    {"country": "DE", "timezone": "Europe/Berlin", "locale": "de-DE", "currency": "eur", "amount": 4500},
    {"country": "GB", "timezone": "Europe/London", "locale": "en-GB", "currency": "gbp", "amount": 3900},
    {"country": "FR", "timezone": "Europe/Paris", "locale": "fr-FR", "currency": "eur", "amount": 4500},
    {"country": "JP", "timezone": "Asia/Tokyo", "locale": "ja-JP", "currency": "jpy", "amount": 5900},
)

# What may happen by itself, some time after the failure.
_DEEDS: dict[str, Callable[[Ledger, str], Doc]] = {
    "pays elsewhere": deeds.pay_elsewhere,
    "cancels": deeds.cancel,
    "new number": deeds.update_card,
    "disputes": deeds.dispute,
}


@dataclass(frozen=True)
class Story:
    """`tells` says what happens, `shows` what to look at in Recoup. `script` is what the card answers, `later` what
    happens so many seconds after the failure.
    """

    name: str
    title: str
    tells: str
    shows: str
    script: tuple[Entry, ...]
    card: str = "pm_card_visa"
    later: tuple[int, str] | None = None
    is_disputed_once_paid: bool = False
    is_outage: bool = False


STORIES = (
    Story(
        "insufficient-funds",
        "No money, then paid",
        "The card has no funds at the renewal and at the next try; the third try is paid.",
        "A case opens, mails go out, a later try recovers it.",
        ("insufficient_funds", "insufficient_funds", "approve"),
        card="pm_card_visa_debit",
    ),
    Story(
        "lost-card",
        "Lost card",
        "The card was reported lost: it must never be tried again.",
        "No try is planned; only another card helps.",
        ("lost_card",),
    ),
    Story(
        "bank-approval",
        "Bank wants approval",
        "The bank wants its customer to confirm the payment (3-D Secure).",
        "The mail asks for a confirmation, and the page leads to the bank.",
        ("requires_action",),
        card="pm_card_mastercard",
    ),
    Story(
        "expired-card",
        "Expired card",
        "The card's date has passed, and no updater knows the new one.",
        "The mail asks for the new card.",
        ("expired_card",),
    ),
    Story(
        "run-out",
        "Nothing helps",
        "The card is declined without a reason, every time.",
        "Tries and mails run out, and the campaign's final action comes.",
        ("generic_decline",),
    ),
    Story(
        "disputed",
        "Paid, then disputed",
        "The second try is paid; a minute later the cardholder calls it a fraud.",
        "The recovered money is in dispute.",
        ("insufficient_funds", "approve"),
        is_disputed_once_paid=True,
    ),
    Story(
        "disputed-before",
        "Disputes while owing",
        "The renewal fails, and a day later the customer disputes last month's payment.",
        "Tries and mails wait while the dispute is open.",
        ("do_not_honor",),
        later=(DAY, "disputes"),
    ),
    Story(
        "paid-elsewhere",
        "Pays by bank transfer",
        "The renewal fails; two days later the operator marks it as paid outside of Stripe.",
        "The case ends as recovered, but not by Recoup; no more mails.",
        ("insufficient_funds",),
        later=(2 * DAY, "pays elsewhere"),
    ),
    Story(
        "cancelled",
        "Cancels half-way",
        "The renewal fails; two days later the customer cancels.",
        "The case is closed and nobody writes any more.",
        ("do_not_honor",),
        later=(2 * DAY, "cancels"),
    ),
    Story(
        "card-updater",
        "Network sends a new card",
        "The card was replaced; a day later the network's updater brings its new number, which works.",
        "One try right after the update recovers it.",
        ("expired_card",),
        later=(DAY, "new number"),
    ),
    Story(
        "outage",
        "Banks are away",
        f"For {_OUTAGE_HOURS} hours no bank answers; {_OUTAGE_CUSTOMERS} renewals fall into it.",
        "A quick try after the outage recovers them, without troubling anybody.",
        ("approve",),
        is_outage=True,
    ),
)
_BY_NAME = {story.name: story for story in STORIES}


def begin(ledger: Ledger, name: str) -> Doc:
    """Begin a story: who it is about and what failed; raises a 404 for one that is not known."""
    story = _BY_NAME.get(name)
    if story is None:
        known = ", ".join(_BY_NAME)
        raise StripeRefusal(404, f"There is no story {name!r}; there are {known}.", code="resource_missing")
    cast = [_cast(ledger, story) for _ in range(_OUTAGE_CUSTOMERS if story.is_outage else 1)]
    if story.is_outage:
        issuer.begin_outage(ledger, ledger.now + _OUTAGE_HOURS * HOUR)
    for entry in cast:
        entry["invoice"] = fail_now(ledger, entry["customer"], list(story.script))["invoice"]
    return {"story": name, "customers": cast, "customer": cast[0]["customer"]}


def go_on(ledger: Ledger, told: Doc) -> None:
    """What comes later in a story; nothing where it has become impossible (who has paid cannot pay again)."""
    ledger.store.remove(KIND, told["id"])
    _DEEDS[told["deed"]](ledger, told["id"])


def _cast(ledger: Ledger, story: Story) -> Doc:
    """One customer to whom the story happens."""
    wanted = _person(ledger)
    made = subscribed_customer(ledger, {**wanted, "card": story.card})
    if story.is_disputed_once_paid:
        conduct = ledger.get("_conduct", made["payment_method"])
        ledger.save({**conduct, "after": "fraudulent"}, "_conduct")
    if story.later is not None:
        after, deed = story.later
        ledger.save({"id": made["customer"], "deed": deed}, KIND)
        ledger.set_timer("story", made["customer"], ledger.now + after)
    return {"customer": made["customer"], "name": wanted["name"]}


def _person(ledger: Ledger) -> Doc:
    """Somebody new, of changing countries; the same ones in the same order in each new sandbox."""
    count = (ledger.find(KIND, "cast") or {"count": 0})["count"] + 1
    ledger.save({"id": "cast", "count": count}, KIND)
    name = full_name(Random(count))  # noqa: S311 - the same people each time, not a secret
    email = f"{name.replace(' ', '.').lower()}.story{count}@example.com"
    return {**_PLACES[(count - 1) % len(_PLACES)], "name": name, "email": email, "plan": "Team"}
