"""Rows of signals in, the weights that tell answerable questions from others out, with what each line costs.

A logistic regression by Newton's method with a ridge. Every set weighs the same in it, and so do its answerable and its
other questions. Figures are of sets that the weights were not fitted to: one set is left out at a time.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from generation.signals import Signals
from generation.sureness import Calibration, log_odds

_RIDGE = 1.0
_LOST = 0.01  # of the answerable questions, at most, are declined at the line that is chosen: refusing costs users more
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Row:
    """One question; `key` stands for it. Texts are not kept."""

    key: str
    set: str
    language: str
    answerable: bool
    words: float
    closeness: float | None
    stated: float | None


def read_rows(path: Path) -> list[Row]:
    """Read rows, one JSON object a line."""
    return [Row(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line]


def fit(rows: Sequence[Row]) -> Calibration:
    """Fit the weights; what isn't known is the mean of those that are. The line is left at 0."""
    usual_closeness = float(np.mean([row.closeness for row in rows if row.closeness is not None]))
    odds = [log_odds(row.stated) for row in rows if row.stated is not None]
    usual = float(np.mean(odds)) if odds else 0.0
    values = np.array(
        [
            [
                1.0,
                row.words,
                usual_closeness if row.closeness is None else row.closeness,
                usual if row.stated is None else log_odds(row.stated),
            ]
            for row in rows
        ]
    )  # (n_rows, 4)
    labels = np.array([float(row.answerable) for row in rows])  # (n_rows,)
    weights = _newton(values, labels, _row_weights(rows))
    bias, words, closeness, stated = (round(float(weight), 3) for weight in weights)
    share = round(1 / (1 + float(np.exp(-usual))), 3)
    return Calibration(bias, words, closeness, stated, round(usual_closeness, 3), share)


def left_out(rows: Sequence[Row]) -> _Floats:
    """Give each row the chance by weights that were fitted to the other sets."""
    chances = np.zeros(len(rows))
    for name in {row.set for row in rows}:
        calibration = fit([row for row in rows if row.set != name])
        for place, row in enumerate(rows):
            if row.set == name:
                chances[place] = calibration.chance(signals(row))
    return chances


def signals(row: Row) -> Signals:
    """Give a row's signals."""
    return Signals(row.words, row.closeness, row.stated)


def auroc(yes: Sequence[float], no: Sequence[float]) -> float:
    """Give the chance that one of the first is greater than one of the second; ties count half."""
    wins = sum((a > b) + (a == b) / 2 for a in yes for b in no)
    return wins / (len(yes) * len(no)) if yes and no else float("nan")


def line_for(yes: Sequence[float], lost: float) -> float:
    """Give the greatest line below which no more than a share of these lies."""
    ordered = sorted(yes)
    return ordered[int(lost * len(ordered))]


def print_fit(rows: Sequence[Row]) -> dict[str, float]:
    """Print the weights and the risk-coverage curve of each language, and give the figures."""
    figures: dict[str, float] = {}
    for language in sorted({row.language for row in rows}):
        spoken = [row for row in rows if row.language == language]
        calibration, chances = fit(spoken), left_out(spoken)
        yes = [chance for chance, row in zip(chances, spoken, strict=True) if row.answerable]
        no = [chance for chance, row in zip(chances, spoken, strict=True) if not row.answerable]
        asked = sum(row.stated is not None for row in spoken)
        line = line_for([calibration.chance(signals(row)) for row in spoken if row.answerable], _LOST)
        print(f"\n{language}: {calibration}, the line of {_LOST:.0%} lost {line:.2f}")
        print(f"n {len(yes)} + {len(no)}, {asked} asked of the model; AUROC {auroc(yes, no):.3f} on sets left out")
        _print_sets(spoken, chances)
        _print_curve(yes, no)
        figures |= {f"n_{language}": len(spoken), f"auroc_{language}": round(auroc(yes, no), 3)}
    return figures


def _print_sets(rows: Sequence[Row], chances: _Floats) -> None:
    for name in sorted({row.set for row in rows}):
        pairs = [(chance, row.answerable) for chance, row in zip(chances, rows, strict=True) if row.set == name]
        yes, no = [c for c, answerable in pairs if answerable], [c for c, answerable in pairs if not answerable]
        print(f"  {name:18} n {len(yes)} + {len(no)}, AUROC {auroc(yes, no):.3f}")


def _print_curve(yes: Sequence[float], no: Sequence[float]) -> None:
    print("  line   answerable kept   others declined   of those answered, answerable")
    for line in (step / 20 for step in range(1, 20)):
        kept, wrong = sum(c >= line for c in yes), sum(c >= line for c in no)
        right = kept / (kept + wrong) if kept + wrong else float("nan")
        print(f"  {line:.2f}{kept / len(yes):18.1%}{1 - wrong / len(no):18.1%}{right:18.1%}")


def _row_weights(rows: Sequence[Row]) -> _Floats:
    counts: Mapping[tuple[str, bool], int] = {
        (row.set, row.answerable): sum((o.set, o.answerable) == (row.set, row.answerable) for o in rows) for row in rows
    }
    weights = np.array([1 / counts[row.set, row.answerable] for row in rows])  # (n_rows,)
    scaled: _Floats = weights * len(rows) / weights.sum()
    return scaled


def _newton(values: _Floats, labels: _Floats, row_weights: _Floats) -> _Floats:
    weights = np.zeros(values.shape[1])
    ridge = _RIDGE * np.eye(values.shape[1])
    ridge[0, 0] = 0.0  # the bias is free
    for _ in range(50):
        chances = 1 / (1 + np.exp(-values @ weights))  # (n_rows,)
        slope = values.T @ (row_weights * (labels - chances)) - ridge @ weights
        curve = (values * (row_weights * chances * (1 - chances))[:, None]).T @ values + ridge
        weights += np.linalg.solve(curve, slope)
    return weights
