"""What a rehearsal amounts to: outcomes, the calendar, the cards' budgets. Counts only; no page, no database.

Shares are of the failures that were drawn, one for each invented customer. Renewals that fail later in the same
rehearsal are counted apart.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from app.campaigns.definition import MessageStep
from app.campaigns.words import EVENTS
from app.rehearsal.intervals import bootstrap_share, wilson
from app.rehearsal.orders import Order
from app.retries.facts import RetryPolicy
from app.vocabulary import StepKind

Plain = dict[str, Any]

_OVER = ("recovered", "exhausted", "closed")
_MONTH = timedelta(days=30)
_DAY = timedelta(hours=24)
_READERS = ("readers", "mails", "opened", "visits", "cards")
_SENT = ("accepted", "delivered", "bounced", "unknown")


def figures(order: Order, result: Plain) -> Plain:
    """All figures of the report as plain values."""
    drawn = [case for case in result["cases"] if case["is_first"]]
    return {
        "cases": len(drawn),
        "missing": max(0, len(order.people) - len(drawn)),
        "later_failures": len(result["cases"]) - len(drawn),
        "recovered": _share([case["state"] == "recovered" for case in drawn]),
        "unfinished": sum(case["state"] not in _OVER for case in drawn),
        "by_cause": dict(Counter(case["recovered_by"] for case in drawn if case["recovered_by"]).most_common()),
        "endings": dict(Counter(end["action"] for case in drawn for end in case["endings"]).most_common()),
        "money": _money(drawn, order.seed),
        "by_class": _by_class(drawn),
        "tries": sum(len(ours(case)) for case in drawn),
        "mails": sum(len(sent(case)) for case in drawn),
        "by_day": _by_day(result["cases"]),
        "by_date": _by_date(result["cases"], order),
        "steps": _steps(order, drawn),
        "budget": _budget(result["cases"]),
        "readers": {name: result.get("readers", {}).get(name, 0) for name in _READERS},
    }


def ours(case: Plain) -> list[Plain]:
    """The tries after the first failure, whoever made them."""
    return [one for one in case["tries"] if one["at"] > case["failed_at"] and one["state"] != "refused"]


def sent(case: Plain) -> list[Plain]:
    """The mails that left."""
    return [mail for mail in case["mails"] if mail["state"] in _SENT and mail["at"]]


def day_of(case: Plain, at: str) -> int:
    """Whole days from the case's failure to a moment."""
    return (datetime.fromisoformat(at) - datetime.fromisoformat(case["failed_at"])) // _DAY


def _share(hits: list[bool]) -> Plain:
    low, high = wilson(sum(hits), len(hits))
    return {
        "count": sum(hits),
        "of": len(hits),
        "share": sum(hits) / len(hits) if hits else 0.0,
        "interval": [low, high],
    }


def _money(cases: list[Plain], seed: int) -> list[Plain]:
    found = []
    for currency, group in _grouped(cases, lambda case: case["currency"]):
        owed = [case["amount"] for case in group]
        back = [case["recovered_amount"] if case["state"] == "recovered" else 0 for case in group]
        found.append(
            {
                "currency": currency,
                "owed": sum(owed),
                "recovered": sum(back),
                "share": sum(back) / sum(owed),
                "interval": list(bootstrap_share(back, owed, seed)),
                "cases": len(group),
            }
        )
    return sorted(found, key=lambda one: -one["cases"])


def _by_class(cases: list[Plain]) -> list[Plain]:
    found = []
    for name, group in _grouped(cases, lambda case: case["decline_class"]):
        back = [case for case in group if case["state"] == "recovered"]
        days = [day_of(case, case["recovered_at"]) for case in back]
        found.append(
            {
                "class": name,
                "codes": dict(Counter(case["tries"][0]["code"] for case in group if case["tries"]).most_common(4)),
                "recovered": _share([case["state"] == "recovered" for case in group]),
                "unfinished": sum(case["state"] not in _OVER for case in group),
                "days": sum(days) / len(days) if days else None,
                "tries": sum(len(ours(case)) for case in group) / len(group),
                "mails": sum(len(sent(case)) for case in group) / len(group),
            }
        )
    return sorted(found, key=lambda one: -one["recovered"]["of"])


def _by_day(cases: list[Plain]) -> list[Plain]:
    """What happened on each day after a failure, over all cases: tries, approvals, mails by their step."""
    days: defaultdict[int, Plain] = defaultdict(lambda: {"tries": 0, "approved": 0, "ended": 0, "mails": Counter()})
    for case in cases:
        for one in ours(case):
            entry = days[day_of(case, one["at"])]
            entry["tries"] += 1
            entry["approved"] += one["state"] == "succeeded"
        for mail in sent(case):
            days[day_of(case, mail["at"])]["mails"][step_name(mail)] += 1
        for end in case["endings"]:
            days[day_of(case, end["at"])]["ended"] += 1
    last = max(days, default=-1)
    return [
        {"day": day, **days[day], "mails": dict(days[day]["mails"])}
        for day in range(max(0, min(days, default=0)), last + 1)
    ]


def _by_date(cases: list[Plain], order: Order) -> list[Plain]:
    """Failures, tries and mails on each date (UTC) of the rehearsal."""
    dates: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for case in cases:
        dates[case["failed_at"][:10]]["failures"] += 1
        for one in ours(case):
            dates[one["at"][:10]]["tries"] += 1
            dates[one["at"][:10]]["approved"] += one["state"] == "succeeded"
        for mail in sent(case):
            dates[mail["at"][:10]]["mails"] += 1
    every = [(order.begins + timedelta(days=day)).date().isoformat() for day in range(order.days + 1)]
    return [
        {"date": date, **{name: dates[date][name] for name in ("failures", "tries", "approved", "mails")}}
        for date in every
    ]


def step_name(planned: Plain) -> str:
    """The campaign's key of the step that a mail, or a step on a case's calendar, belongs to."""
    return str(planned["key"]).removeprefix("message:").partition(":")[0]


def _steps(order: Order, cases: list[Plain]) -> list[Plain]:
    """For each mail of the campaign, for how many cases it left, and why for all others it did not."""
    found = []
    for message in order.content.messages:
        why_not = [_why_not(case, message) for case in cases]
        found.append(
            {
                "key": message.key,
                "kind": message.kind,
                "fired": why_not.count(None),
                "of": len(cases),
                "why_not": dict(Counter(why for why in why_not if why).most_common()),
            }
        )
    return found


def _why_not(case: Plain, message: MessageStep) -> str | None:
    """Why a mail of the campaign did not leave for a case; None where it did."""
    mails = [mail for mail in case["mails"] if step_name(mail) == message.key]
    if any(mail in mails for mail in sent(case)):
        return None
    held = [mail["reason"] or mail["state"] for mail in mails if mail["state"] in ("skipped", "failed")]
    planned = [step for step in case["steps"] if step["kind"] == StepKind.MESSAGE and step_name(step) == message.key]
    given_up = [step["problem"] or step["state"] for step in planned if step["state"] in ("skipped", "cancelled")]
    if held or given_up:
        return str((held + given_up)[0])
    if planned:
        return "still to come when the rehearsal ended"
    return "never planned" if message.on is None else f"without {EVENTS[message.on]}"


def _budget(cases: list[Plain]) -> list[Plain]:
    """For each brand, how often its cards were charged, and the most that one card saw within 30 days and 24 hours."""
    uses: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
    for case in cases:
        for one in case["tries"]:
            if one["is_counted"] and one["card"]:
                uses[one["brand"] or "unknown", one["card"]].append(datetime.fromisoformat(one["at"]))
    policy = RetryPolicy()
    caps = {"visa": policy.visa_30d, "mastercard": policy.mastercard_24h}
    found = []
    for brand, group in _grouped(list(uses.items()), lambda entry: entry[0][0]):
        moments = [sorted(times) for _, times in group]
        found.append(
            {
                "brand": brand,
                "cards": len(moments),
                "tries": sum(map(len, moments)),
                "most_30d": max(_most_within(times, _MONTH) for times in moments),
                "most_24h": max(_most_within(times, _DAY) for times in moments),
                "own_cap_30d": policy.per_card_30d,
                "network_cap": caps.get(brand),
                "network_window": {"visa": "30 days", "mastercard": "24 hours"}.get(brand),
            }
        )
    return sorted(found, key=lambda one: -one["cards"])


def _most_within(times: list[datetime], window: timedelta) -> int:
    return max((sum(1 for other in times if moment - window < other <= moment) for moment in times), default=0)


def _grouped(items: list[Any], key: Callable[[Any], str]) -> Iterable[tuple[str, list[Any]]]:
    groups: defaultdict[str, list[Any]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups.items()
