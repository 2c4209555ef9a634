"""A campaign's definition as the values of form fields, section by section. The way back is in `campaign_forms`."""

from typing import Any

from app.campaigns.contact import PageOffers
from app.campaigns.definition import CampaignDefinition, MessageStep
from app.campaigns.files import write_value
from app.campaigns.rows import to_rows
from app.campaigns.segments import Rule
from app.vocabulary import DebtAfterwards

Values = dict[str, Any]
SECTIONS = {
    "audience": "Who it is for",
    "retries": "Time and tries",
    "messages": "Mails",
    "ending": "The end",
    "contact": "Contact and page",
}
SEGMENT_FIELDS = {
    "plan": ("Plan", "its name or price id"),
    "product": ("Product", "its id, prod_…"),
    "interval": ("Billed by the", "day, week, month or year"),
    "amount": ("Amount", "50 USD, 45 EUR"),
    "currency": ("Currency", "usd, eur"),
    "country": ("Country", "DE, AT"),
    "tenure_days": ("Days as a customer", "90"),
    "decline_class": ("Declined as", "soft_timed, hard"),
    "failures_last_year": ("Failures in the last year", "2"),
    "tag": ("Tag", "vip"),
    "metadata": ("Metadata", "tier = gold"),
    "lifetime_value": ("Paid so far", "1000 USD"),
}
SIGN_NAMES = {"is": "is", "is_not": "is not", "at_least": "is at least", "at_most": "is at most"}
MESSAGE_TIMES = {
    "failure": "days after the failure",
    "end": "days before the end",
    "soft_decline_twice": "days after the second soft decline",
    "promise_broken": "days after a broken promise",
    "mail_bounced": "days after a mail came back",
}
MESSAGE_KINDS = ("payment_failed", "action_required", "reminder", "final_notice")
SPARE_ROWS, SPARE_MESSAGES = 3, 2
EVENTS = ("soft_decline_twice", "promise_broken", "mail_bounced")
TICKS = ("pick_a_day", "pay_now", "wrong_invoice", "billing_contact", "payment_element")
OFFER_DEBTS = {"pause": "pause_debt", "downgrade": "smaller_debt", "cancel": "cancel_debt"}  # by kind of offer


def values_of(section: str, definition: CampaignDefinition) -> Values:
    """What the form of a section shows for a definition."""
    return _SECTIONS[section](definition)


def number(value: float | None) -> str:
    """A number as people write it; empty for none."""
    return "" if value is None else f"{value:g}"


def _audience(definition: CampaignDefinition) -> Values:
    return {"segment": _segment(definition.segment), "exclude": _segment(definition.exclude)}


def _segment(rule: Rule | None) -> Values:
    found = to_rows(rule)
    text = "" if rule is None else write_value(rule.model_dump(mode="json", exclude_defaults=True))
    joint, rows = found or ("all", [])
    listed = [{"field": row.field, "sign": row.sign, "text": row.text} for row in rows]
    return {"as": "rows" if found else "text", "joint": joint, "rows": listed, "text": text}


def _retries(definition: CampaignDefinition) -> Values:
    retries = definition.retries
    return {
        "window_days": str(definition.window_days),
        "grace_days": number(definition.grace_days),
        "silent_hours": number(definition.silent_hours),
        "timing": retries.timing,
        "ladder_days": ", ".join(number(day) for day in retries.ladder_days),
        "max_attempts": str(retries.max_attempts),
        "min_gap_hours": number(retries.min_gap_hours),
    }


def _messages(definition: CampaignDefinition) -> Values:
    return {"messages": [_message(message) for message in definition.messages]}


def _message(message: MessageStep) -> Values:
    return {
        "key": message.key,
        "kind": message.kind,
        "when": message.on or message.anchor,
        "days": number(message.days),
        "soft_delay_hours": number(message.soft_delay_hours or None),
        "decline_classes": list(message.decline_classes),
        "variants": ", ".join(message.variants),
        "gone": False,
    }


def _ending(definition: CampaignDefinition) -> Values:
    final = definition.final_action
    return {"kind": final.kind.value, "prices": prices(final.prices), "debt": final.debt.value}


def _contact(definition: CampaignDefinition) -> Values:
    rules, page = definition.contact, definition.page
    return {
        "gap_hours": number(rules.gap_hours),
        "max_per_week": str(rules.max_per_week),
        "quiet_from": f"{rules.quiet_from:%H:%M}",
        "quiet_until": f"{rules.quiet_until:%H:%M}",
        **{name: getattr(page, name) for name in TICKS},
        **_retention(page),
    }


def _retention(page: PageOffers) -> Values:
    offers = {offer.kind: offer for offer in page.retention}
    pause, smaller = offers.get("pause"), offers.get("downgrade")
    debts = {name: offers[kind].debt if kind in offers else DebtAfterwards.KEEP for kind, name in OFFER_DEBTS.items()}
    return {
        "pause_months": str(pause.months) if pause else "",
        "smaller_prices": prices(smaller.prices) if smaller else "",
        "cancel": "cancel" in offers,
        **{name: debt.value for name, debt in debts.items()},
    }


def prices(by_currency: dict[str, str]) -> str:
    """Prices as lines, a currency and a price id on each."""
    return "\n".join(f"{currency} {price}" for currency, price in by_currency.items())


_SECTIONS = {
    "audience": _audience,
    "retries": _retries,
    "messages": _messages,
    "ending": _ending,
    "contact": _contact,
}
