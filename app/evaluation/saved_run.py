"""Runs in, a JSON file with every question out, and back; two such files in, their paired differences out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from app.evaluation.estimates import Difference, Scores, compare, metric_names
from app.evaluation.jsonl import Row, read_object
from app.evaluation.report import MAIN_METRICS, Json, set_figures
from app.evaluation.run import SetRun
from ingest.errors import SettingsError

FORMAT = "footnote-eval-1"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How run B differs from run A on one set, over the `n` questions both have; `n_left_out` only one has."""

    name: str
    n: int
    n_left_out: int
    differences: tuple[Difference, ...]


def save_runs(path: Path, runs: Sequence[SetRun], settings: Mapping[str, Json]) -> None:
    """Write the runs, their figures and `settings` (what they were run with); a half-written file is never left."""
    value = {
        "format": FORMAT,
        "settings": dict(settings),
        "sets": {run.name: set_figures(run) for run in runs},
        "questions": {run.name: [asdict(record) for record in run.records] for run in runs},
    }
    draft = path.with_name(f"{path.name}.part")
    draft.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


def load_scores(path: Path) -> dict[str, dict[str, Scores]]:
    """Read a saved run: set, question, metric, value. Raises SettingsError for a file that isn't one."""
    whole = read_object(path)
    questions = whole.fields.get("questions")
    if whole.fields.get("format") != FORMAT or not isinstance(questions, dict):
        raise SettingsError(f'{path} is not a run saved by "footnote eval --save" (format {FORMAT})')
    return {
        name: {row.text("id"): _scores(row) for row in Row(questions, str(path)).rows(name) if not row.text("error")}
        for name in questions
    }


def compare_runs(a: Path, b: Path) -> list[Comparison]:
    """Compare two saved runs set by set. Raises SettingsError when they share no question."""
    scores_a, scores_b = load_scores(a), load_scores(b)
    compared = [_compared(name, scores_a[name], scores_b[name]) for name in scores_a if name in scores_b]
    if not any(found.n for found in compared):
        raise SettingsError(
            f"{a} and {b} share no question: run both on the same sets with the same --sample and --seed"
        )
    return [found for found in compared if found.n]


def comparison_json(compared: Sequence[Comparison]) -> dict[str, Json]:
    """Give the comparison as JSON: for each set and metric, both means, the difference and its 95% interval."""
    return {
        "sets": {
            found.name: {
                "n": found.n,
                "n_left_out": found.n_left_out,
                "differences": {
                    change.metric: {
                        "a": change.value_a,
                        "b": change.value_b,
                        "difference": change.difference,
                        "interval": [change.low, change.high],
                        "n": change.n,
                        "better": change.better,
                        "worse": change.worse,
                    }
                    for change in found.differences
                },
            }
            for found in compared
        }
    }


def comparison_table(found: Comparison) -> str:
    """Draw one set's differences in percentage points; a star marks an interval without zero."""
    left_out = f" ({found.n_left_out} only in one run left out)" if found.n_left_out else ""
    lines = [f"{found.name}: {found.n} questions in both runs{left_out}; A -> B, B - A in points, better/worse"]
    for change in found.differences:
        star = "*" if change.low > 0 or change.high < 0 else " "
        values = f"{100 * change.value_a:6.1f} -> {100 * change.value_b:5.1f}"
        interval = f"[{100 * change.low:+5.1f}, {100 * change.high:+5.1f}]"
        lines.append(
            f"  {change.metric:<22}{values}  {100 * change.difference:+5.1f} {interval}{star}"
            f"  {change.better}/{change.worse} of {change.n}"
        )
    return "\n".join(lines)


def _scores(row: Row) -> dict[str, float]:
    scores = row.fields.get("scores")
    if not isinstance(scores, dict) or not all(isinstance(value, int | float) for value in scores.values()):
        raise row.wrong('"scores" wants numbers by metric')
    return {str(name): float(value) for name, value in scores.items()}


def _compared(name: str, a: Mapping[str, Scores], b: Mapping[str, Scores]) -> Comparison:
    shared = [identifier for identifier in a if identifier in b]
    scores_a, scores_b = [a[identifier] for identifier in shared], [b[identifier] for identifier in shared]
    names = [metric for metric in metric_names(scores_a) if metric in metric_names(scores_b)]
    names.sort(key=lambda metric: MAIN_METRICS.index(metric) if metric in MAIN_METRICS else len(MAIN_METRICS))
    differences = tuple(compare(scores_a, scores_b, metric) for metric in names)
    return Comparison(name, len(shared), len(a.keys() ^ b.keys()), differences)
