"""Signals in, how likely the passages hold the answer out, and below which chance to decline. Pure; asks no model.

A logistic over few signals, its weights fitted by `python -m benchmarks.abstention --fit` to the rows beside it.
"""

import math
from dataclasses import dataclass, replace

from generation.signals import Signals


@dataclass(frozen=True, slots=True)
class Calibration:
    """The weights of a language's signals, and the `least` chance at which a question is answered.

    `stated` weighs the log odds of the model's Yes. What isn't known counts as `usual_closeness`, `usual_stated`.
    """

    bias: float
    words: float
    closeness: float
    stated: float
    usual_closeness: float
    usual_stated: float
    least: float = 0.0

    def chance(self, signals: Signals) -> float:
        """Give the chance, from 0 to 1, that the answer is there."""
        closeness = self.usual_closeness if signals.closeness is None else signals.closeness
        stated = self.usual_stated if signals.stated is None else signals.stated
        score = self.bias + self.words * signals.words + self.closeness * closeness + self.stated * log_odds(stated)
        return 1 / (1 + math.exp(-score))

    def at(self, strictness: float) -> "Calibration":
        """Give the same with the line of a strictness: none at 0, its own at .5, .95 at 1."""
        if strictness <= 0.5:
            return replace(self, least=self.least * 2 * strictness)
        return replace(self, least=self.least + (2 * strictness - 1) * (0.95 - self.least))


def log_odds(share: float) -> float:
    """Give the natural logarithm of share : rest, held within 1 : 99 and 99 : 1."""
    share = min(0.99, max(0.01, share))
    return math.log(share / (1 - share))
