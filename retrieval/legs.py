"""The two ways to propose candidates: nearest vectors, and shared terms. Rows of an index generation in, ranks out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.embedder import Vectors
from ingest.index_generation import IndexGeneration
from ingest.knowledge_base import KnowledgeBase
from ingest.language import detect_language, has_cjk
from ingest.row_set import RowSet
from retrieval.dictionary import Dictionary
from retrieval.retrieval import StageScore


@dataclass(frozen=True, slots=True)
class DenseLeg:
    """Rank and cosine by row, ranked by how far the cosine exceeds what the row's language alone would give.

    `silent` says why the leg has no vote, empty when it has one.
    """

    by_row: dict[int, StageScore]
    query: Vectors | None
    language_cosine: Mapping[str, float]
    silent: str = ""


@dataclass(frozen=True, slots=True)
class LexicalLeg:
    """Rank and BM25 score by row, and the score of an imagined row that answers to every term."""

    by_row: dict[int, StageScore]
    best_possible: float
    silent: str = ""


def dense_leg(
    kb: KnowledgeBase, generation: IndexGeneration, query: str, n_candidates: int, *, among: RowSet | None = None
) -> DenseLeg:
    """Propose the nearest rows of every language in the index, or those `among` alone.

    An embedder that never learnt Chinese has no vote on it, be it in the question or in the documents: its vectors
    would be noise there.
    """
    if generation.dense.n_rows == 0:
        return DenseLeg({}, None, {}, "nothing is indexed")
    if has_cjk(query) and not kb.embedder_knows_chinese():
        return DenseLeg({}, None, {}, f"{kb.embedder.name} knows no Chinese")
    vector = kb.embedder.embed_query(query)
    common = _common_cosines(kb, query, vector)
    found: list[tuple[float, int, float]] = []
    for language in generation.by_language.keys() & common.keys():
        rows: RowSet | None = generation.by_language[language]
        if among is not None:
            rows = among & generation.by_language[language]
        elif len(generation.by_language) == 1 and generation.live is None:
            rows = None
        nearest = generation.dense.search(vector, n_candidates, among=rows)
        found += [(cosine - common[language], row, cosine) for row, cosine in nearest]
    found.sort(key=lambda entry: (-entry[0], entry[1]))
    by_row = {row: StageScore(rank, cosine) for rank, (_, row, cosine) in enumerate(found, start=1)}
    return DenseLeg(by_row, vector, common)


def relevance(kb: KnowledgeBase, query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Give how close each text is to a query in meaning, shape (len(texts),): 0 what its language alone gives, 1 equal.

    As in the dense leg, an embedder that knows no Chinese has no say on it: such texts get 0.
    """
    scores = np.zeros(len(texts), dtype=np.float32)
    if not texts or (has_cjk(query) and not kb.embedder_knows_chinese()):
        return scores
    vector = kb.embedder.embed_query(query)
    common = _common_cosines(kb, query, vector)
    cosines = kb.embedder.embed_passages(texts) @ vector  # (len(texts),)
    for number, text in enumerate(texts):
        language = detect_language(text)
        if language in common:
            scores[number] = cosines[number] - common[language]
    return scores / (1 - kb.typical_cosine())


def _common_cosines(kb: KnowledgeBase, query: str, vector: Vectors) -> dict[str, float]:
    """Give the cosine that each language alone has with a query; languages without a vote are left out.

    Mixed text and other scripts count as the query's own language: in one Chinese corpus some chunks hold English
    words, and a centroid of their own would rank them apart.
    """
    centroids = kb.language_centroids()
    own, foreign = ("zh", "en") if has_cjk(query) else ("en", "zh")
    languages = ("en", "zh", "mixed", "other") if kb.embedder_knows_chinese() else ("en", "mixed", "other")
    return {language: float(vector @ centroids[foreign if language == foreign else own]) for language in languages}


def lexical_leg(
    generation: IndexGeneration, terms: Sequence[str], n_candidates: int, *, among: RowSet | None = None
) -> LexicalLeg:
    """Propose the rows that hold the query's terms, by BM25; of all rows or those `among` alone."""
    live = generation.live
    rows_among = live if among is None else among if live is None else among & live
    matches = generation.lexical.search(terms, n_candidates, among=rows_among)
    rows = {row: StageScore(rank, score) for rank, (row, score) in enumerate(matches.rows, start=1)}
    return LexicalLeg(rows, matches.best_possible, "" if rows else "no term of the question occurs")


def dictionary_leg(
    generation: IndexGeneration,
    dictionary: Dictionary,
    query: str,
    foreign: str,
    n_candidates: int,
    *,
    among: RowSet | None = None,
) -> LexicalLeg:
    """Propose the rows in the other language that hold what the query's words are called there."""
    rows = generation.by_language[foreign] if among is None else among & generation.by_language[foreign]
    matches = generation.lexical.search_any(dictionary.translate(query), n_candidates, among=rows)
    by_row = {row: StageScore(rank, score) for rank, (row, score) in enumerate(matches.rows, start=1)}
    return LexicalLeg(by_row, matches.best_possible, "" if by_row else "no translated term occurs")


def excess_cosines(generation: IndexGeneration, leg: DenseLeg, rows: Sequence[int]) -> dict[int, float]:
    """Give by how much the cosine of each row exceeds its language's own, also for rows the leg didn't propose.

    Rows in a language on which the leg has no vote are left out.
    """
    voting = [row for row in rows if generation.language(row) in leg.language_cosine]
    if leg.query is None or not voting:
        return {}
    vectors = generation.dense.vectors(np.array(voting, dtype=np.int64))  # (len(voting), dimension)
    scores = vectors @ leg.query  # (len(voting),)
    return {
        row: float(score) - leg.language_cosine[generation.language(row)]
        for row, score in zip(voting, scores, strict=True)
    }
