"""What a bank says when it declines: a code that tells or hides why, and sometimes when to come again.

Refuses to know why it declines: it is given a reason's name.
"""

from dataclasses import dataclass
from datetime import timedelta

from app.sandbox.issuers.luck import luck, pick
from app.sandbox.issuers.parameters import table

# What Mastercard's advice codes 24 to 30 ask for, in hours.
_ADVICE_HOURS = {"24": 1, "25": 24, "26": 48, "27": 96, "28": 144, "29": 192, "30": 240}
_NEVER, _NEW_ACCOUNT, _STOPPED = "03", "01", "21"


@dataclass(frozen=True)
class Words:
    """The signals of one decline, as Stripe passes them on."""

    decline_code: str
    network_advice_code: str | None = None
    advice_code: str | None = None

    def signals(self) -> dict[str, str]:
        """Those that are there, by Stripe's names."""
        return {name: value for name, value in vars(self).items() if value is not None}


def say(reason: str, brand: str, whose: tuple[str | int, ...], moment: int, wage_in: timedelta | None = None) -> Words:
    """A decline for `reason`, one of the table's. `whose` names the trouble, so that its code is the same most times;
    `moment` is what changes from time to time. `wage_in` is how far the next wage is, where money is the reason.
    """
    words = table("words")
    is_masked = luck(*whose, "masked") < words.get(f"{reason}_masked", 0)
    codes = words["codes"][f"{reason}_masked" if is_masked else reason]
    repeats = luck(*whose, "again", moment) < words["same_again"]
    code = pick(codes, *whose, "code") if repeats else pick(codes, *whose, "code", moment)
    if reason == "suspicion" and luck(*whose, "stopped") < words["stop_recurring"]:
        return Words("stop_payment_order", _STOPPED if brand == "mastercard" else None, "do_not_try_again")
    return Words(code, _advice(reason, code, brand, (*whose, moment), wage_in))


def _advice(reason: str, code: str, brand: str, whose: tuple[str | int, ...], wage_in: timedelta | None) -> str | None:
    if brand != "mastercard" or reason not in ("money", "dead"):
        return None
    if reason == "dead":
        return _NEW_ACCOUNT if code == "invalid_account" else _NEVER
    words = table("words")
    if code != "insufficient_funds" or luck(*whose, "advice") >= words["advice_share"]:
        return None
    if wage_in is None or luck(*whose, "true") >= words["advice_true"]:
        return pick(dict.fromkeys(_ADVICE_HOURS, 1.0), *whose, "any advice")
    hours = wage_in / timedelta(hours=1)
    return next((code for code, asked in _ADVICE_HOURS.items() if asked >= hours), "30")
