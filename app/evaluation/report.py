"""Runs in, the JSON figures and the table people read out. Knows nothing of how the questions were asked."""

import statistics
from collections.abc import Callable, Sequence
from typing import TypeAlias

from app.evaluation.estimates import estimate, means, metric_names
from app.evaluation.run import QuestionRecord, SetRun

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | int | bool | None"

MAX_FAILURES = 50  # named in the report; a saved run has every question
MAIN_METRICS = (
    "recall@1", "recall@5", "recall@10", "mrr@10", "ndcg@10", "evidence@5", "exact_match", "f1", "contains",
    "citation_precision", "citation_recall", "abstention_precision", "abstention_recall",
)  # fmt: skip


def set_figures(run: SetRun) -> dict[str, Json]:
    """Give one set's figures, fractions from 0 to 1, with what its questions don't have left out.

    `n` counts the questions that went through; `n_failed` didn't and are in no figure.
    """
    done = [record for record in run.records if not record.error]
    figures: dict[str, Json] = {"n": len(done), "n_answerable": sum(record.answerable for record in done)}
    figures |= _means(done)
    figures["seconds"] = round(run.seconds, 3)
    figures["ingest_seconds"] = round(run.ingest_seconds, 3)
    figures |= _latencies(done)
    scores = [record.scores for record in done]
    estimates = {name: estimate(scores, name) for name in _names(done) if name in MAIN_METRICS}
    figures["intervals"] = {name: [_rounded(found.low), _rounded(found.high)] for name, found in estimates.items()}
    figures["n_of"] = {name: found.n for name, found in estimates.items()}
    figures |= {
        field: groups
        for field, groups in (
            ("by_lang", _by(done, lambda record: record.language)),
            ("by_type", _by(done, lambda record: record.type)),
        )
        if len(groups) > 1
    }
    failures = [(record, _reasons(record)) for record in done]
    failures = [(record, reasons) for record, reasons in failures if reasons]
    figures["n_failures"] = len(failures)
    figures["failures"] = [
        {"id": record.id, "reasons": list[Json](reasons)} for record, reasons in failures[:MAX_FAILURES]
    ]
    failed = [(record.id, record.error) for record in run.records if record.error]
    figures["n_failed"] = len(failed)
    figures["failed"] = [{"id": identifier, "reason": reason} for identifier, reason in failed]
    figures["failed_documents"] = [{"source": source, "reason": reason} for source, reason in run.failed]
    figures["n_gold_missing"] = run.n_gold_missing
    figures["interrupted"] = run.interrupted
    return figures


def table(run: SetRun) -> str:
    """Draw one set's figures in percent: the mean, its 95% bootstrap interval and the number of questions behind it."""
    done = [record for record in run.records if not record.error]
    answerable = sum(record.answerable for record in done)
    head = f"{run.name}: {len(done)} questions ({answerable} answerable), {run.seconds:.1f} s"
    lines = [head + (f"; stopped after {len(run.records)} of {run.n_asked}" if run.interrupted else "")]
    scores = [record.scores for record in done]
    for name in _names(done):
        found = estimate(scores, name)
        if name.startswith("success@") and found.value == means(scores)[name.replace("success", "recall")]:
            continue  # one gold document a question: the hit rate is the recall
        interval = f"[{100 * found.low:5.1f}, {100 * found.high:5.1f}]"
        lines.append(f"  {name:<22}{100 * found.value:6.1f}  {interval}  n = {found.n}")
    if run.n_gold_missing:
        lines.append(f"  {run.n_gold_missing} gold documents are not in the corpus; no search can find them")
    lines += [f"  not read: {source}: {reason}" for source, reason in run.failed]
    lines += [f"  failed: {record.id}: {record.error}" for record in run.records if record.error]
    return "\n".join(lines)


def _means(records: Sequence[QuestionRecord]) -> dict[str, Json]:
    found = means([record.scores for record in records])
    return {name: _rounded(found[name]) for name in _names(records)}


def _names(records: Sequence[QuestionRecord]) -> list[str]:
    """List the metrics to show, the main ones first. Without unanswerable questions no abstention can be right."""
    names = metric_names([record.scores for record in records])
    if "abstention_recall" not in names and "abstention_precision" in names:
        names.remove("abstention_precision")
    return [name for name in MAIN_METRICS if name in names] + [name for name in names if name not in MAIN_METRICS]


def _by(records: Sequence[QuestionRecord], key: Callable[[QuestionRecord], str]) -> dict[str, Json]:
    groups: dict[str, list[QuestionRecord]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return {name: {"n": len(group), **_means(group)} for name, group in sorted(groups.items())}


def _reasons(record: QuestionRecord) -> list[str]:
    """Say what went wrong with a question, from the search to the citations."""
    wrong = {
        "no gold document in the top 10": record.scores.get("success@10") == 0,
        "no gold evidence in the top 5 passages": record.scores.get("evidence@5") == 0,
        "declined, though it is answerable": record.scores.get("declined_answerable") == 1,
        "answered, though it is not answerable": record.scores.get("abstention_recall") == 0,
        "the gold answer is not in the answer": record.scores.get("contains") == 0 and not record.abstained,
        "no citation quotes the gold evidence": record.scores.get("cited") == 0,
    }
    return [reason for reason, applies in wrong.items() if applies]


def _latencies(records: Sequence[QuestionRecord]) -> dict[str, Json]:
    searches = [record.search_seconds for record in records]
    answers = [record.answer_seconds for record in records if record.answer is not None]
    figures: dict[str, Json] = {}
    for name, values in (("search_seconds_median", searches), ("answer_seconds_median", answers)):
        if values:
            figures[name] = round(statistics.median(values), 4)
    return figures


def _rounded(value: float) -> float:
    return round(value, 6)
