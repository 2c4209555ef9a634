"""What is allowed in a campaign and may not be meant all the same: told before it is saved, and refused by nobody.

Knows two definitions and no customers; sentences name the field, as people write it.
"""

from collections.abc import Iterator, Mapping

from app.campaigns.definition import CampaignDefinition
from app.vocabulary import FinalActionKind


def cautions(before: CampaignDefinition | None, after: CampaignDefinition) -> list[str]:
    """Sentences about `after`, which replaces `before` where there was one."""
    return [*_beyond_the_window(after), *_final_at_once(after), *_prices_gone(before, after)]


def currencies_dropped(before: CampaignDefinition | None, after: CampaignDefinition) -> list[str]:
    """The currencies (lower-case ISO) whose customers would be cancelled where they were downgraded before."""
    if before is None or after.final_action.kind is not FinalActionKind.DOWNGRADE:
        return []
    return _gone(before.final_action.prices, after.final_action.prices)


def _beyond_the_window(after: CampaignDefinition) -> Iterator[str]:
    beyond = [f"{day:g}" for day in after.retries.ladder_days if day >= after.window_days]
    if beyond and after.retries.timing == "ladder":
        yield (
            f"retries.ladder_days: day {', '.join(beyond)} is outside the window of {after.window_days} days,"
            " so nothing is tried then"
        )


def _final_at_once(after: CampaignDefinition) -> Iterator[str]:
    for message in after.messages:
        if message.kind == "final_notice" and message.anchor == "failure" and not message.days:
            yield f"messages.{message.key}: the final notice goes with the failure itself, as the very first mail"


def _prices_gone(before: CampaignDefinition | None, after: CampaignDefinition) -> Iterator[str]:
    for currency in currencies_dropped(before, after):
        yield (
            f"final_action.prices: {currency.upper()} has no price any more, so whoever pays in it is cancelled at the"
            " end of their period instead of downgraded"
        )
    if before is not None:
        smaller = [_smaller_plan(definition) for definition in (before, after)]
        for currency in _gone(*smaller) if smaller[1] else ():
            yield f"page.retention: whoever pays in {currency.upper()} is not offered the smaller plan any more"


def _smaller_plan(definition: CampaignDefinition) -> Mapping[str, str]:
    return next((offer.prices for offer in definition.page.retention if offer.kind == "downgrade"), {})


def _gone(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [currency for currency in before if currency not in after]
