"""Quality of retrieval: every set of a folder, by language, with each leg and each stage left out.

    python -m benchmarks.retrieval [SET_OR_FOLDER...] [--quick] [--sample N] [--budget-chars N] [--ablate] [--json]

A set is a folder as `footnote eval` reads it, or a folder of such folders; without any, the project's own sample set.
Figures are of documents (recall@1, recall@10, MRR@10), of an answer's parts found among the first 10, and of the gold
evidence in the first 5 passages within a number of characters. Intervals are 95% bootstrap intervals over the
questions. `--ablate` also runs each leg alone and the whole without each stage, over the very same index; `--quick`
takes 100 questions of each set.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.engine import Engine
from app.evaluation.corpus import build_corpus, cache_settings
from app.evaluation.layouts import read_set
from app.evaluation.scoring import EVIDENCE_PASSAGES, score_retrieval
from app.evaluation.sets import EvaluationSet, Question, sample
from app.settings import PROJECT, load_settings
from ingest.errors import FootnoteError
from retrieval.search import SearchConfig

METRICS = ("recall@1", "recall@10", "mrr@10", "parts@10", "evidence@5")
_ROUNDS = 1000  # bootstrap samples


def variants(config: SearchConfig) -> dict[str, SearchConfig]:
    """Name the whole, each leg alone, and the whole without each stage."""
    plain = replace(config, coverage=replace(config.coverage, weight=0.0), use_parts=False)
    return {
        "footnote": config,
        "dense alone": replace(plain, use_lexical=False),
        "lexical alone": replace(plain, use_dense=False),
        "without sentences": replace(config, coverage=replace(config.coverage, weight=0.0)),
        "without parts": replace(config, use_parts=False),
        "without dictionary": replace(config, fusion=replace(config.fusion, dictionary_weight=0.0)),
        "without editions": replace(config, editions=replace(config.editions, least_overlap=2.0)),
    }


def sets_in(paths: Sequence[Path]) -> list[Path]:
    """Give the set folders among and inside the paths, by name."""
    found = []
    for path in paths:
        inside = sorted(folder for folder in path.iterdir() if (folder / "questions.jsonl").is_file())
        found += inside if not (path / "questions.jsonl").is_file() and inside else [path]
    return found


def measure(engine: Engine, kb: str, questions: EvaluationSet, budget_chars: int) -> dict[str, dict[str, list[float]]]:
    """Give every question's metrics, by language (and "all") and metric."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for question in questions.questions:
        if question.answerable and question.question.strip() and (question.relevance or question.gold_spans):
            for metric, value in _scores(engine, kb, question, budget_chars).items():
                for group in ("all", question.language or "?"):
                    found[group][metric].append(value)
    return found


def _scores(engine: Engine, kb: str, question: Question, budget_chars: int) -> dict[str, float]:
    # 30 passages, so that ten documents are among them; evidence is that of the first five, a fifth of the budget each.
    retrieval = engine.search(kb, question.question, top_k=30, context=budget_chars // EVIDENCE_PASSAGES)
    scores = score_retrieval(question, retrieval, budget_chars)
    if question.gold_groups:
        scores["all parts@10"] = float(scores["parts@10"] == 1)
    return scores


def interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """Give the 95% bootstrap interval of a mean (Efron & Tibshirani, 1993: the percentile method)."""
    drawn = np.random.default_rng(seed).choice(np.asarray(values), (_ROUNDS, len(values)))
    low, high = np.percentile(drawn.mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


def print_rows(name: str, rows: Mapping[str, Mapping[str, Mapping[str, list[float]]]]) -> None:
    """Print a line for each variant and language."""
    print(f"\n{name}")
    for variant, groups in rows.items():
        for group, metrics in groups.items():
            if group == "all" or len(groups) > 2:
                shown = "  ".join(_shown(metric, values) for metric, values in metrics.items() if _is_shown(metric))
                print(f"  {variant:20}{group:8}{shown}", flush=True)


def _is_shown(metric: str) -> bool:
    return metric in (*METRICS, "all parts@10")


def _shown(metric: str, values: list[float]) -> str:
    low, high = interval(values)
    return f"{metric} {np.mean(values):.1%} [{low:.1%}, {high:.1%}] n {len(values)}"


def main() -> None:
    """Measure every set and print a table each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", type=Path, default=[PROJECT / "data" / "eval" / "samples"])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sample", type=int, help="how many questions of each set")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budget-chars", type=int, default=2700)
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    settings = cache_settings(load_settings())
    chosen = variants(settings.search) if arguments.ablate else {"footnote": settings.search}
    size = arguments.sample or (100 if arguments.quick else None)
    figures: dict[str, float] = {}
    for path in sets_in(arguments.sets):
        try:
            questions = sample(read_set(path), size, arguments.seed)
            kb = build_corpus(Engine(settings), questions, lambda progress: None).kb
        except FootnoteError as error:
            print(f"{path.name}: left out, {error}", file=sys.stderr)
            continue
        rows = {}
        for variant, config in chosen.items():
            engine = Engine(replace(settings, search=config))
            rows[variant] = measure(engine, kb, questions, arguments.budget_chars)
            for metric, values in rows[variant].get("all", {}).items():
                figures[f"{path.name} {variant} {metric}"] = round(float(np.mean(values)), 4)
        print_rows(f"{path.name}, {len(questions.questions)} questions", rows)
    if arguments.json:
        print(json.dumps({"name": "retrieval", "figures": figures}))


if __name__ == "__main__":
    main()
