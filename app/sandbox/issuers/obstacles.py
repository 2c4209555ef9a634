"""What stands in the way of a charge at a moment: each obstacle with the chance to pass it all the same.

In the order in which a charge meets them: Stripe, the way to the bank, the card, the bank's moods, the money. An
obstacle that does not stand there is not listed. Refuses to know words and luck.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from app.sandbox.issuers.accounts import Account
from app.sandbox.issuers.cards import Card
from app.sandbox.issuers.luck import lognormal, luck
from app.sandbox.issuers.parameters import table
from app.sandbox.issuers.spells import Spell, Spells

_DAY = timedelta(days=1)
_EPOCH = datetime.combine(date(1970, 1, 1), datetime.min.time())  # local, wherever that is
ASKS_HOLDER_DAYS = 60.0
_LONGEST_LIMIT = 31.0


@dataclass(frozen=True)
class Asked:
    """An earlier charge on the card: when, what came of it, and whether its holder confirmed it with the bank."""

    at: datetime
    approved: bool = False
    confirmed: bool = False


@dataclass(frozen=True)
class Moment:
    """A moment in UTC and where the payer lives, and what was asked of the card before it."""

    at: datetime
    local: datetime
    history: Sequence[Asked] = ()

    @property
    def days(self) -> float:
        """UTC days since 1970."""
        return self.at.timestamp() / 86_400

    @property
    def local_days(self) -> float:
        """Local days since 1970."""
        return (self.local - _EPOCH) / _DAY

    def asked_within(self, span: timedelta) -> list[Asked]:
        """The earlier charges of the last `span`."""
        return [asked for asked in self.history if timedelta(0) < self.at - asked.at <= span]


@dataclass(frozen=True)
class Obstacle:
    """Why a charge may fail, the chance that it passes, and what names this very trouble."""

    reason: str
    chance: float
    whose: tuple[str | int, ...] = field(default=())


def stripes_block(seed: int, moment: Moment) -> Iterator[Obstacle]:
    """Stripe does not pass on what was declined too often."""
    rules = table("stripe")
    recent = [asked for asked in moment.asked_within(timedelta(hours=rules["block_hours"])) if not asked.approved]
    month = [asked for asked in moment.asked_within(timedelta(days=30)) if not asked.approved]
    if len(recent) >= rules["declines_before_block"] or len(month) >= rules["declines_in_30_days"]:
        yield Obstacle("blocked", rules["later_success"], (seed, "block"))


def outage(card: Card, moment: Moment) -> Iterator[Obstacle]:
    """The bank cannot be reached."""
    rules = table("outages")

    def lasts(number: int, _begins: float) -> float:
        return lognormal(rules["median_hours"], rules["spread"], card.bank, "outage", number) / 24

    spell = Spells((card.bank, "outage"), rules["per_year"], rules["longest_hours"] / 24, lasts).at(moment.days)
    if spell:
        yield Obstacle("outage", 0.0, (card.bank, spell.number))


def card_itself(card: Card, moment: Moment) -> Iterator[Obstacle]:
    """The card is dead, or its date has passed."""
    if moment.at >= card.dies_at:
        yield Obstacle("dead", 0.0, (card.seed, "dead"))
    elif moment.at >= card.expires_at:
        looks_away = luck(card.seed, "looks away") < table("cards")["approved_though_expired"]
        yield Obstacle("expired", float(looks_away), (card.seed, "expired"))


def holder_wanted(card: Card, per_year: float, moment: Moment) -> Iterator[Obstacle]:
    """The bank wants its customer, until they have confirmed a payment."""
    spell = Spells((card.seed, "holder"), per_year, ASKS_HOLDER_DAYS, lambda *_: ASKS_HOLDER_DAYS).at(moment.days)
    if spell and not any(asked.confirmed and _days(asked) >= spell.begins for asked in moment.history):
        yield Obstacle("holder", 0.0, (card.seed, "holder", spell.number))


def suspicion(card: Card, per_year: float, moment: Moment) -> Iterator[Obstacle]:
    """The bank distrusts the charge: for good, or less each day; tries close together feed it."""
    rules = table("suspicion")

    def persists(number: int) -> bool:
        return luck(card.seed, "persists", number) < float(rules["persists"])

    def lasts(number: int, _begins: float) -> float:
        return float(rules["persists_days"] if persists(number) else rules["fades_within_days"])

    spell = Spells((card.seed, "suspicion"), per_year, rules["persists_days"], lasts).at(moment.days)
    if spell is None:
        return
    crowd = len(moment.asked_within(timedelta(hours=rules["crowding_hours"])))
    chance = 0.0 if persists(spell.number) else _faded(moment.days - spell.begins) * rules["crowding"] ** crowd
    yield Obstacle("suspicion", chance, (card.seed, "suspicion", spell.number))


def limits(card: Card, per_year: float, moment: Moment) -> Iterator[Obstacle]:
    """What may be spent is spent, until midnight or the first; or the card was asked too often today."""
    rules = table("limits")
    if len(moment.asked_within(_DAY)) >= rules["tries_a_day"]:
        yield Obstacle("crowd", 0.0, (card.seed, "crowd"))

    def lasts(number: int, begins: float) -> float:
        return _until_lifted(luck(card.seed, "daily", number) < rules["daily"], begins)

    spell = Spells((card.seed, "limit"), per_year, _LONGEST_LIMIT, lasts).at(moment.local_days)
    if spell:
        yield Obstacle("limit", 0.0, (card.seed, "limit", spell.number))


def money(account: Account, moment: Moment) -> Iterator[Obstacle]:
    """There may not be enough. Its luck is the account's own, which moves slowly."""
    yield Obstacle("money", account.chance(moment.local), (account.seed, "money", *_period(account, moment)))


def even_refusals(
    seed: int, parameters: dict[str, float], bounds: Sequence[float], moment: Moment
) -> Iterator[Obstacle]:
    """In a world without structure: spells in which every moment has the same chance."""
    days = parameters["refuses_days"]
    spell = Spells((seed, "even"), parameters["refuses_per_year"], days, lambda *_: days).at(moment.days)
    if spell:
        yield Obstacle("even", _even_chance(seed, spell, parameters["hopeless"], bounds), (seed, "even", spell.number))


def night(moment: Moment) -> Iterator[Obstacle]:
    """Nothing in particular: banks decline a little always, and more at night."""
    rules = table("banks")
    is_night = rules["night_from_hour"] <= moment.local.hour < rules["night_until_hour"]
    yield Obstacle("unexplained", rules["sure"] * (rules["night_factor"] if is_night else 1))


def _even_chance(seed: int, spell: Spell, hopeless: float, bounds: Sequence[float]) -> float:
    least, most = bounds
    is_hopeless = luck(seed, "hopeless", spell.number) < hopeless
    return 0.0 if is_hopeless else least + (most - least) * luck(seed, "chance", spell.number)


def _faded(days: float) -> float:
    rules = table("suspicion")
    gained = 1 - 2 ** (-days / rules["half_life_days"])
    return float(rules["floor"] + (rules["ceiling"] - rules["floor"]) * gained)


def _until_lifted(is_daily: bool, begins: float) -> float:
    """Days from a limit's beginning to the midnight, or the first of a month, that lifts it."""
    if is_daily:
        return 1 - begins % 1
    day = (_EPOCH + timedelta(days=begins)).date()
    first = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return (datetime.combine(first, datetime.min.time()) - _EPOCH) / _DAY - begins


def _days(asked: Asked) -> float:
    return asked.at.timestamp() / 86_400


def _period(account: Account, moment: Moment) -> tuple[int, ...]:
    """Which wage is being waited for: one shortage is one trouble."""
    return (account.next_wage(moment.local).toordinal(),)
