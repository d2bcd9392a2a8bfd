"""The two ways to propose candidates: nearest vectors, and shared terms. Rows of an index generation in, ranks out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.embedder import Vectors
from ingest.index_generation import IndexGeneration
from ingest.knowledge_base import KnowledgeBase
from ingest.language import has_cjk
from retrieval.retrieval import StageScore


@dataclass(frozen=True, slots=True)
class DenseLeg:
    """Rank and cosine by row, and the query's vector. `silent` says why the leg has no vote, empty when it has one."""

    by_row: dict[int, StageScore]
    query: Vectors | None
    silent: str = ""


@dataclass(frozen=True, slots=True)
class LexicalLeg:
    """Rank and BM25 score by row, and the score of an imagined row that answers to every term."""

    by_row: dict[int, StageScore]
    best_possible: float
    silent: str = ""


def dense_leg(kb: KnowledgeBase, generation: IndexGeneration, query: str, n_candidates: int) -> DenseLeg:
    """Propose the nearest rows. Silent on Chinese when the embedder never learnt it: its vectors would be noise."""
    if has_cjk(query) and not kb.embedder_knows_chinese():
        return DenseLeg({}, None, f"{kb.embedder.name} knows no Chinese")
    vector = kb.embedder.embed_query(query)
    found = generation.dense.search(vector, n_candidates)
    return DenseLeg({row: StageScore(rank, score) for rank, (row, score) in enumerate(found, start=1)}, vector)


def lexical_leg(generation: IndexGeneration, terms: Sequence[str], n_candidates: int) -> LexicalLeg:
    """Propose the rows that hold the query's terms, by BM25."""
    matches = generation.lexical.search(terms, n_candidates)
    rows = {row: StageScore(rank, score) for rank, (row, score) in enumerate(matches.rows, start=1)}
    return LexicalLeg(rows, matches.best_possible, "" if rows else "no term of the question occurs")


def cosines(generation: IndexGeneration, leg: DenseLeg, rows: Sequence[int]) -> dict[int, float]:
    """Give the cosine of every one of `rows`, also of those that the dense leg itself didn't propose."""
    if leg.query is None or not rows:
        return {}
    vectors = generation.dense.vectors(np.array(rows, dtype=np.int64))  # (len(rows), dimension)
    scores = vectors @ leg.query  # (len(rows),)
    return dict(zip(rows, (float(score) for score in scores), strict=True))
