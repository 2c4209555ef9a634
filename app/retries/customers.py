"""What one customer's earlier cases say about when they are paid.

A case that was paid on the 28th after tries on the 20th and 24th failed says a good deal; one without a success says
little, and its share spreads out by itself. Refuses to know who the customer is.
"""

from collections.abc import Sequence

import numpy as np

from app.retries.facts import CaseFacts
from app.retries.hypotheses import ALL
from app.retries.knowledge import SHIPPED, Knowledge, Weights
from app.retries.learning import study, weights_of
from app.retries.paydays import CALENDARS

KEPT_CALENDARS = 5


def paydays_of(earlier: Sequence[CaseFacts], knowledge: Knowledge = SHIPPED) -> tuple[tuple[str, float], ...]:
    """The likeliest calendars of a customer with their counts, for `CaseFacts.known_paydays`; empty without cases.

    A person keeps their calendar from case to case, so the cases' evidence is multiplied, not averaged.
    """
    studied = study(earlier)
    if not studied:
        return ()
    log_fit, cases_on_calendar = np.log(_by_calendar(weights_of(studied[0], knowledge))), 0.0
    for case in studied:
        before = weights_of(case, knowledge)
        share = before * case.likelihood / float(before @ case.likelihood)
        log_fit += np.log(np.maximum(_by_calendar(share) / _by_calendar(before), 1e-9))
        cases_on_calendar += float(_by_calendar(share).sum())
    together = np.exp(log_fit - log_fit.max())
    together *= cases_on_calendar / together.sum()
    best = np.argsort(-together)[:KEPT_CALENDARS]
    return tuple((CALENDARS[place], float(together[place])) for place in best)


def _by_calendar(weights: Weights) -> Weights:
    return np.asarray(weights[: ALL.paid].reshape(len(CALENDARS), -1).sum(axis=1))
