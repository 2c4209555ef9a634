"""Saying what one means: two numbers that turn the model's chance into one that comes true as often as it says.

Refuses to know how the chance was reached. Source of the form: Platt's scaling of logits.
"""

from math import exp, log

from app.retries.knowledge import Knowledge

SURE = 1e-4


def calibrated(chance: float, group: str, knowledge: Knowledge) -> float:
    """The chance that came true in cases of this decline group where the model said `chance`."""
    offset, slope = knowledge.calibration.get(group, (0.0, 1.0))
    return sigmoid(offset + slope * logit(chance))


def logit(chance: float) -> float:
    """The log odds of a chance, kept away from certainty."""
    kept = min(max(chance, SURE), 1 - SURE)
    return log(kept / (1 - kept))


def sigmoid(odds: float) -> float:
    """The chance of log odds."""
    return 1 / (1 + exp(-odds))
