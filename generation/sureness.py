"""Signals in, how likely the passages hold the answer out, and below which chance to decline. Pure; asks no model.

A logistic over few signals, its weights fitted by `python -m benchmarks.abstention --fit` to
benchmarks/abstention_rows.jsonl.
"""

import math
from dataclasses import dataclass, replace

from generation.signals import Signals


@dataclass(frozen=True, slots=True)
class Calibration:
    """The weights of a language's signals, the `least` chance at which a question is answered, and the `sure` one below
    which the model is asked once more, sternly.

    `stated` weighs the log odds of the model's Yes. What isn't known counts as `usual_closeness`, `usual_stated`.
    """

    bias: float
    words: float
    closeness: float
    stated: float
    usual_closeness: float
    usual_stated: float
    least: float = 0.0
    sure: float = 0.0

    def chance(self, signals: Signals) -> float:
        """Give the chance, from 0 to 1, that the answer is there."""
        closeness = self.usual_closeness if signals.closeness is None else signals.closeness
        stated = self.usual_stated if signals.stated is None else signals.stated
        score = self.bias + self.words * signals.words + self.closeness * closeness + self.stated * log_odds(stated)
        return 1 / (1 + math.exp(-score))

    def at(self, strictness: float) -> "Calibration":
        """Give the same with the lines of a strictness: none at 0, its own at .5, .95 at 1."""
        return replace(self, least=moved(self.least, strictness), sure=moved(self.sure, strictness))


def moved(line: float, strictness: float) -> float:
    """Give a line's place at a strictness: 0 at 0, its own at .5, .95 at 1, evenly between."""
    if strictness <= 0.5:
        return line * 2 * strictness
    return line + (2 * strictness - 1) * (0.95 - line)


def log_odds(share: float) -> float:
    """Give the natural logarithm of share : rest, held within 1 : 99 and 99 : 1."""
    share = min(0.99, max(0.01, share))
    return math.log(share / (1 - share))
