"""Scores by question in, means and how sure they are out. Knows nothing of what is measured.

The bootstrap is the percentile one over questions (Efron & Tibshirani, 1993, chapter 13), paired for comparisons as
in Berg-Kirkpatrick et al., EMNLP 2012. Questions over one document are not independent, so where a set asks many
questions of few documents the true intervals are wider than these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

N_RESAMPLES = 2000
CONFIDENCE = 0.95
_BLOCK = 200  # resamples at once: bounds the memory at 200 x questions

Scores = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` questions with its interval."""

    value: float
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How B differs from A on the `n` questions both have: B - A with its interval, and who did better how often.

    `n` counts questions that have the metric in both runs; `value_a` and `value_b` are the means over each run's own.
    """

    metric: str
    value_a: float
    value_b: float
    difference: float
    low: float
    high: float
    n: int
    better: int
    worse: int


def means(scores: Sequence[Scores]) -> dict[str, float]:
    """Give the mean of each metric over the questions that have it, in order of first appearance."""
    return {name: estimate(scores, name, n_resamples=0).value for name in metric_names(scores)}


def metric_names(scores: Sequence[Scores]) -> list[str]:
    """List the metrics that at least one question has."""
    return list(dict.fromkeys(name for score in scores for name in score))


def estimate(scores: Sequence[Scores], metric: str, *, seed: int = 0, n_resamples: int = N_RESAMPLES) -> Estimate:
    """Give the mean of one metric over the questions that have it, with a 95% bootstrap interval over those."""
    values = np.array([score[metric] for score in scores if metric in score], dtype=np.float64)
    if not len(values):
        raise ValueError(f"no question has {metric}")
    resampled = _resampled_means(values[:, None], seed, n_resamples)[:, 0]  # (n_resamples,)
    low, high = _interval(resampled) if n_resamples else (float(values.mean()),) * 2
    return Estimate(float(values.mean()), len(values), low, high)


def compare(a: Sequence[Scores], b: Sequence[Scores], metric: str, *, seed: int = 0) -> Difference:
    """Compare two runs on the same questions in the same order; a question may lack the metric in one of them.

    Each resample draws questions and takes both runs' means over the same draw. Raises ValueError for unequal lengths
    or a metric that one run has nowhere.
    """
    values = np.array(
        [[score.get(metric, np.nan) for score in pair] for pair in zip(a, b, strict=True)], dtype=np.float64
    ).reshape(-1, 2)  # (n_questions, 2)
    values = values[~np.isnan(values).all(axis=1)]
    if not len(values) or np.isnan(values).all(axis=0).any():
        raise ValueError(f"one of the runs has no {metric}")
    value_a, value_b = (float(value) for value in np.nanmean(values, axis=0))
    resampled = _resampled_means(values, seed, N_RESAMPLES)
    low, high = _interval(resampled[:, 1] - resampled[:, 0])
    gains = values[:, 1] - values[:, 0]  # nan where one run lacks the metric
    both = int((~np.isnan(gains)).sum())
    better, worse = int((gains > 0).sum()), int((gains < 0).sum())
    return Difference(metric, value_a, value_b, value_b - value_a, low, high, both, better, worse)


def _resampled_means(values: NDArray[np.float64], seed: int, n_resamples: int) -> NDArray[np.float64]:
    """Give column means over questions drawn with replacement, nan left out; shape (n_resamples, n_columns)."""
    random = np.random.default_rng(seed)
    blocks = [np.empty((0, values.shape[1]))]
    present, filled = ~np.isnan(values), np.nan_to_num(values)
    for start in range(0, n_resamples, _BLOCK):
        drawn = random.integers(0, len(values), size=(min(_BLOCK, n_resamples - start), len(values)))
        counts = present[drawn].sum(axis=1)
        sums = filled[drawn].sum(axis=1)
        blocks.append(np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0))
    return np.concatenate(blocks)


def _interval(resampled: NDArray[np.float64]) -> tuple[float, float]:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(resampled, [tail, 1 - tail])
    return float(low), float(high)
