"""A ranking of documents and their gold grades in, recall, MRR and nDCG out (0 to 1). Knows nothing of text.

All follow trec_eval, which BEIR (Thakur et al., NeurIPS 2021) uses. Documents that no one graded count as grade 0.
"""

import math
from collections.abc import Iterable, Mapping, Sequence


def ranked_documents(sources: Iterable[str]) -> list[str]:
    """Give the distinct documents behind ranked passages: each at the place of its best passage."""
    return list(dict.fromkeys(sources))


def relevant(relevance: Mapping[str, int]) -> set[str]:
    """Give the gold documents: those with a grade above 0."""
    return {document for document, grade in relevance.items() if grade > 0}


def recall_at(ranking: Sequence[str], relevance: Mapping[str, int], k: int) -> float:
    """Give the share of the gold documents that are in the top k: |gold in top k| / |gold| (trec_eval `recall.k`).

    With one gold document this is the hit rate; with more than k of them it can't reach 1. No gold: 0.
    """
    gold = relevant(relevance)
    return len(gold.intersection(ranking[:k])) / len(gold) if gold else 0.0


def success_at(ranking: Sequence[str], relevance: Mapping[str, int], k: int) -> float:
    """Give 1 when at least one gold document is in the top k, else 0 (trec_eval `success.k`, the hit rate)."""
    return float(not relevant(relevance).isdisjoint(ranking[:k]))


def reciprocal_rank_at(ranking: Sequence[str], relevance: Mapping[str, int], k: int) -> float:
    """Give 1 / rank of the first gold document, 0 when it is not in the top k (Voorhees, TREC-8 1999; MRR@k)."""
    gold = relevant(relevance)
    return next((1 / rank for rank, document in enumerate(ranking[:k], start=1) if document in gold), 0.0)


def ndcg_at(ranking: Sequence[str], relevance: Mapping[str, int], k: int) -> float:
    """Give DCG@k / the best possible DCG@k, with DCG@k = sum of grade / log2(rank + 1) (trec_eval `ndcg_cut.k`).

    After Järvelin & Kekäläinen, ACM TOIS 20(4), 2002; the gain is the grade itself, not 2^grade - 1, and the first
    rank is discounted by log2(2) = 1. Negative grades gain nothing. No gold: 0.
    """
    ideal = _dcg(sorted(relevance.values(), reverse=True)[:k])
    return _dcg([relevance.get(document, 0) for document in ranking[:k]]) / ideal if ideal else 0.0


def groups_at(ranking: Sequence[str], groups: Sequence[Sequence[str]], k: int) -> float:
    """Give the share of an answer's parts for which a gold document is in the top k. No parts: 0."""
    top = set(ranking[:k])
    return sum(not top.isdisjoint(group) for group in groups) / len(groups) if groups else 0.0


def _dcg(grades: Sequence[int]) -> float:
    return math.fsum(max(grade, 0) / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))
