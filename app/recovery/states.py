"""The life of a recovery case as one table. Pure: it knows no row, no Stripe, no time.

A state says where the money is. Each pair of (state, fact) is decided: it is a transition here, or stands on the list
of facts that are harmless because they come late, twice or to a case that has ended.
"""

from app.errors import RecoupError
from app.vocabulary import CaseState, Fact

_S, _F = CaseState, Fact

TRANSITIONS: dict[tuple[CaseState, Fact], CaseState] = {
    # waiting: the next try is on the calendar
    (_S.WAITING, _F.RETRY_DUE): _S.CHARGING,
    (_S.WAITING, _F.DECLINED): _S.WAITING,
    (_S.WAITING, _F.DEAD_CARD): _S.NEEDS_CUSTOMER,
    (_S.WAITING, _F.NEW_CARD): _S.WAITING,
    (_S.WAITING, _F.OUT_OF_ROAD): _S.EXHAUSTED,
    (_S.WAITING, _F.PAID): _S.RECOVERED,
    (_S.WAITING, _F.STOPPED): _S.CLOSED,
    # charging: Stripe has our request; a new card is remembered and tried once the answer is a decline
    (_S.CHARGING, _F.DECLINED): _S.WAITING,
    (_S.CHARGING, _F.DEAD_CARD): _S.NEEDS_CUSTOMER,
    (_S.CHARGING, _F.NEW_CARD): _S.CHARGING,
    (_S.CHARGING, _F.PAID): _S.RECOVERED,
    (_S.CHARGING, _F.STOPPED): _S.CLOSED,
    # needs_customer: only the payer can fix it
    (_S.NEEDS_CUSTOMER, _F.DECLINED): _S.NEEDS_CUSTOMER,
    (_S.NEEDS_CUSTOMER, _F.DEAD_CARD): _S.NEEDS_CUSTOMER,
    (_S.NEEDS_CUSTOMER, _F.NEW_CARD): _S.WAITING,
    (_S.NEEDS_CUSTOMER, _F.TAKEN_UP): _S.WAITING,
    (_S.NEEDS_CUSTOMER, _F.OUT_OF_ROAD): _S.EXHAUSTED,
    (_S.NEEDS_CUSTOMER, _F.PAID): _S.RECOVERED,
    (_S.NEEDS_CUSTOMER, _F.STOPPED): _S.CLOSED,
    # exhausted: out of tries or time; a new card is still tried, and money still counts
    (_S.EXHAUSTED, _F.NEW_CARD): _S.WAITING,
    (_S.EXHAUSTED, _F.PAID): _S.RECOVERED,
    (_S.EXHAUSTED, _F.STOPPED): _S.CLOSED,
    # closed: money wins even here
    (_S.CLOSED, _F.PAID): _S.RECOVERED,
}

HARMLESS: frozenset[tuple[CaseState, Fact]] = frozenset(
    {
        # a second hand reaching for the card: the first has it
        (_S.CHARGING, _F.RETRY_DUE),
        # time runs out while Stripe still works: looked at again when the answer is there
        (_S.CHARGING, _F.OUT_OF_ROAD),
        # a try that was planned before only the payer could help
        (_S.NEEDS_CUSTOMER, _F.RETRY_DUE),
        # whoever asked for tries that are there again: somebody has them already, or it is over
        (_S.WAITING, _F.TAKEN_UP),
        (_S.CHARGING, _F.TAKEN_UP),
        (_S.EXHAUSTED, _F.TAKEN_UP),
        (_S.RECOVERED, _F.TAKEN_UP),
        (_S.CLOSED, _F.TAKEN_UP),
        # news that comes after the end
        (_S.EXHAUSTED, _F.RETRY_DUE),
        (_S.EXHAUSTED, _F.DECLINED),
        (_S.EXHAUSTED, _F.DEAD_CARD),
        (_S.EXHAUSTED, _F.OUT_OF_ROAD),
        (_S.RECOVERED, _F.RETRY_DUE),
        (_S.RECOVERED, _F.DECLINED),
        (_S.RECOVERED, _F.DEAD_CARD),
        (_S.RECOVERED, _F.NEW_CARD),
        (_S.RECOVERED, _F.OUT_OF_ROAD),
        (_S.RECOVERED, _F.PAID),
        (_S.RECOVERED, _F.STOPPED),
        (_S.CLOSED, _F.RETRY_DUE),
        (_S.CLOSED, _F.DECLINED),
        (_S.CLOSED, _F.DEAD_CARD),
        (_S.CLOSED, _F.NEW_CARD),
        (_S.CLOSED, _F.OUT_OF_ROAD),
        (_S.CLOSED, _F.STOPPED),
    }
)


class UndecidedPair(RecoupError):
    """A state met a fact that nobody has thought about; a programming error that a test rules out."""


def next_state(state: CaseState, fact: Fact) -> CaseState:
    """The state after `fact`; the same state where the fact is harmless. Raises `UndecidedPair`."""
    pair = (state, fact)
    if pair in TRANSITIONS:
        return TRANSITIONS[pair]
    if pair in HARMLESS:
        return state
    raise UndecidedPair(f"{state} and {fact}")


def moves(state: CaseState, fact: Fact) -> bool:
    """Whether `fact` means something to a case in `state`."""
    return (state, fact) in TRANSITIONS
