"""How to join the two legs: each alone, reciprocal-rank fusion, and scaled scores under several weights, side by side.

    python -m benchmarks.fusion SET... [--quick] [--json]

Every variant ranks the very same candidates of the very same index (100 of each leg), so the figures differ only by the
fusion. Recall and MRR are of documents. `--quick` takes 200 questions of each set.
"""

import argparse
import json
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.engine import Engine
from app.evaluation.corpus import build_corpus, cache_settings
from app.evaluation.layouts import read_set
from app.evaluation.metrics_retrieval import ranked_documents, recall_at, reciprocal_rank_at
from app.settings import load_settings
from ingest.language import has_cjk
from ingest.terms import content_terms, index_terms
from retrieval.fuse import Candidate, FusionConfig, fuse
from retrieval.legs import dense_leg, lexical_leg
from retrieval.search import lookup_candidates

WEIGHTS = (0.3, 0.5, 0.75, 1.0, 1.5, 2.0)
RRF_K = 60  # Cormack et al., SIGIR 2009

Ranker = Callable[[Sequence[Candidate], float, float, bool], list[Candidate]]


def by_dense(candidates: Sequence[Candidate], best_possible: float, typical: float, is_cjk: bool) -> list[Candidate]:
    """Rank by cosine alone."""
    return sorted((c for c in candidates if c.dense), key=lambda c: c.dense.rank if c.dense else 0)


def by_lexical(candidates: Sequence[Candidate], best_possible: float, typical: float, is_cjk: bool) -> list[Candidate]:
    """Rank by BM25 alone."""
    return sorted((c for c in candidates if c.lexical), key=lambda c: c.lexical.rank if c.lexical else 0)


def by_rrf(candidates: Sequence[Candidate], best_possible: float, typical: float, is_cjk: bool) -> list[Candidate]:
    """Reciprocal-rank fusion, k = 60."""

    def score(candidate: Candidate) -> float:
        return sum(1 / (RRF_K + stage.rank) for stage in (candidate.dense, candidate.lexical) if stage)

    return sorted(candidates, key=lambda candidate: (-score(candidate), candidate.chunk.id))


def by_scaled_scores(config: FusionConfig) -> Ranker:
    """Footnote's fusion under `config`."""

    def rank(candidates: Sequence[Candidate], best_possible: float, typical: float, is_cjk: bool) -> list[Candidate]:
        fused = fuse(
            candidates, best_possible=best_possible, typical_cosine=typical, question_is_cjk=is_cjk, config=config
        )
        return [entry.candidate for entry in fused]

    return rank


def rankers() -> dict[str, Ranker]:
    """Name every variant."""
    weighted = {
        f"scaled, weight {w}": by_scaled_scores(FusionConfig(lexical_weight=w, lexical_weight_cjk=w)) for w in WEIGHTS
    }
    legs: dict[str, Ranker] = {"dense": by_dense, "lexical": by_lexical, "rrf": by_rrf}
    return {**legs, **weighted, "footnote": by_scaled_scores(FusionConfig())}


def measure(engine: Engine, path: Path, n_sampled: int | None) -> tuple[int, dict[str, dict[str, float]]]:
    """Give the number of questions, and the figures of each variant on one set."""
    questions = read_set(path)
    corpus = build_corpus(engine, questions, lambda progress: None)
    asked = [q for q in questions.questions if q.relevance and q.question.strip()]
    if n_sampled is not None and n_sampled < len(asked):
        asked = random.Random(0).sample(asked, n_sampled)
    kb, generation = engine.knowledge_base(corpus.kb), engine.knowledge_base(corpus.kb).generation()
    sums: dict[str, dict[str, float]] = {name: {"recall@1": 0, "recall@10": 0, "mrr@10": 0} for name in rankers()}
    for question in asked:
        terms = content_terms(question.question) or list(dict.fromkeys(index_terms(question.question)))
        dense, lexical = dense_leg(kb, generation, question.question, 100), lexical_leg(generation, terms, 100)
        is_cjk = has_cjk(question.question)
        candidates = lookup_candidates(kb, generation, question.question, dense, lexical)
        for name, rank in rankers().items():
            found = rank(candidates, lexical.best_possible, kb.typical_cosine(), is_cjk)
            _add(sums[name], ranked_documents(candidate.source for candidate in found), question.relevance)
    return len(asked), {name: {m: v / len(asked) for m, v in row.items()} for name, row in sums.items()}


def _add(row: dict[str, float], ranking: Sequence[str], relevance: Mapping[str, int]) -> None:
    row["recall@1"] += recall_at(ranking, relevance, 1)
    row["recall@10"] += recall_at(ranking, relevance, 10)
    row["mrr@10"] += reciprocal_rank_at(ranking, relevance, 10)


def main() -> None:
    """Measure every set and print a table each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    engine = Engine(cache_settings(load_settings()))
    figures: dict[str, float] = {}
    for path in arguments.sets:
        n, rows = measure(engine, path, 200 if arguments.quick else None)
        print(f"\n{path.name}, n = {n}\n{'':22}recall@1  recall@10  mrr@10")
        for name, row in rows.items():
            print(f"{name:22}{row['recall@1']:8.1%}{row['recall@10']:11.1%}{row['mrr@10']:8.1%}")
            figures.update({f"{path.name} {name} {metric}": round(value, 4) for metric, value in row.items()})
    if arguments.json:
        print(json.dumps({"name": "fusion", "figures": figures}))


if __name__ == "__main__":
    main()
