"""What an operator should look at before a campaign goes live, found in a rehearsal. Each is a sentence."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.rehearsal.figures import ours, sent
from app.rehearsal.orders import Order
from app.rehearsal.words import many
from app.vocabulary import ConnectionMode, FinalActionKind

Plain = dict[str, Any]
EARLIEST, LATEST = 7, 22  # local hours in which a mail is no surprise
_A_MOMENT = timedelta(seconds=1)  # Stripe dates a payment by the whole second
_FEW = 20  # fewer cases than this and a step that did not fire says little


def findings(order: Order, result: Plain, figures: Plain) -> list[str]:
    """Everything worth a look, the gravest first."""
    looks: tuple[Callable[[Order, Plain, Plain], Iterator[str]], ...] = (
        _troubles,
        _never_failed,
        _coverage,
        _silent_steps,
        _two_mails_a_day,
        _mails_after_payment,
        _rungs_not_reached,
        _at_night,
        _in_another_language,
        _downgrade_without_price,
        _unfinished,
    )
    return [sentence for look in looks for sentence in look(order, result, figures)]


def _troubles(_order: Order, result: Plain, _figures: Plain) -> Iterator[str]:
    for trouble in result["troubles"]:
        yield f"Something went wrong while it was played. {trouble}"


def _never_failed(_order: Order, _result: Plain, figures: Plain) -> Iterator[str]:
    if figures["missing"]:
        yield f"{figures['missing']} of the invented customers never got a case; the figures leave them out."


def _coverage(order: Order, _result: Plain, _figures: Plain) -> Iterator[str]:
    yield from order.coverage


def _silent_steps(_order: Order, _result: Plain, figures: Plain) -> Iterator[str]:
    for step in figures["steps"]:
        if not step["fired"]:
            reasons = "; ".join(f"{why} ({count})" for why, count in step["why_not"].items())
            few = " With so few cases that may be chance." if figures["cases"] < _FEW else ""
            yield f"The step {step['key']} never fired{': ' + reasons if reasons else ''}.{few}"


def _two_mails_a_day(_order: Order, result: Plain, _figures: Plain) -> Iterator[str]:
    """Two mails to one customer on one day of theirs; a thank-you and a link that was asked for do not count."""
    days: Counter[tuple[str, str]] = Counter()
    kinds: dict[tuple[str, str], list[str]] = {}
    for case in result["cases"]:
        for mail in sent(case):
            if mail["kind"] in ("recovered", "fresh_link"):
                continue
            place = case["customer"], str(_local(case, mail["at"]).date())
            days[place] += 1
            kinds.setdefault(place, []).append(mail["kind"])
    crowded = [place for place, count in days.items() if count > 1]
    if crowded:
        example = " and ".join(kinds[crowded[0]])
        yield f"Two mails or more on one day: {many(len(crowded), 'time')}, for example {example} on {crowded[0][1]}."


def _mails_after_payment(_order: Order, result: Plain, _figures: Plain) -> Iterator[str]:
    late = [
        mail["kind"]
        for case in result["cases"]
        if case["recovered_at"]
        for mail in sent(case)
        if mail["kind"] in ("payment_failed", "action_required", "reminder", "final_notice")
        and datetime.fromisoformat(mail["at"]) >= datetime.fromisoformat(case["recovered_at"]) + _A_MOMENT
    ]
    if late:
        yield f"{many(len(late), 'mail')} asked for money that had been paid."


def _rungs_not_reached(order: Order, result: Plain, _figures: Plain) -> Iterator[str]:
    if order.connection_mode is ConnectionMode.OBSERVE:
        yield "Stripe retries in this mode: the campaign's own days for tries were not used."
        return
    most = max((len(ours(case)) for case in result["cases"]), default=0)
    allowed = order.content.retries.max_attempts
    if most < allowed:
        yield f"The campaign allows {allowed} tries, and no case needed or got more than {most}."


def _at_night(_order: Order, result: Plain, _figures: Plain) -> Iterator[str]:
    hours = [
        _local(case, mail["at"]).hour for case in result["cases"] for mail in sent(case) if mail["kind"] != "recovered"
    ]
    night = sum(not EARLIEST <= hour < LATEST for hour in hours)
    if night:
        yield (
            f"{night} of {len(hours)} mails left between {LATEST}:00 and {EARLIEST}:00 of their reader's local time."
        )


def _in_another_language(_order: Order, result: Plain, _figures: Plain) -> Iterator[str]:
    missed: Counter[tuple[str, str]] = Counter()
    for case in result["cases"]:
        wanted = case["locale"].partition("-")[0].lower()
        for written in {mail["locale"] for mail in sent(case) if mail["locale"]}:
            if wanted and written.partition("-")[0].lower() != wanted:
                missed[wanted, written] += 1
    for (wanted, written), count in missed.most_common():
        yield f"Written to in {written} instead of the language {wanted}, which they prefer: {many(count, 'customer')}."


def _downgrade_without_price(order: Order, result: Plain, _figures: Plain) -> Iterator[str]:
    final = order.content.final_action
    if final.kind is not FinalActionKind.DOWNGRADE:
        return
    without = Counter(case["currency"] for case in result["cases"] if case["currency"] not in final.prices)
    for currency, count in without.most_common():
        them = many(count, "subscription")
        yield f"The downgrade names no price in {currency.upper()}: {them} would be cancelled instead."


def _unfinished(order: Order, _result: Plain, figures: Plain) -> Iterator[str]:
    if figures["unfinished"]:
        ends = order.content.window_days
        advice = f" Rehearse at least {ends + 10} days to see their end." if order.days < ends + 10 else ""
        them = many(figures["unfinished"], "case")
        yield f"{them} still open when the rehearsal ended after {many(order.days, 'day')}.{advice}"


def _local(case: Plain, at: str) -> datetime:
    return datetime.fromisoformat(at).astimezone(ZoneInfo(case["timezone"]))
