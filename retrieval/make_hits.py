"""Packed passages in, the Hits that a search gives out: where each is from, and its place at every stage."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ingest.document import seconds_of
from ingest.knowledge_base import KnowledgeBase
from ingest.terms import index_terms
from retrieval.fuse import Fused
from retrieval.pack import Passage
from retrieval.rerank import Reranked
from retrieval.retrieval import Hit, StageScore
from retrieval.run_query import query_terms


def make_hits(
    kb: KnowledgeBase,
    passages: Sequence[Passage],
    queries: Sequence[str],
    fused: Sequence[Fused],
    reranked: Reranked,
) -> list[Hit]:
    """Give the hits in the order of the passages, ranked from 1."""
    scores = {entry.candidate.chunk.id: StageScore(rank, entry.score) for rank, entry in enumerate(fused, start=1)}
    terms = list(dict.fromkeys(term for query in queries for term in query_terms(query)))
    return [_placed(kb, _hit(passage, rank, scores, reranked, terms)) for rank, passage in enumerate(passages, 1)]


def _placed(kb: KnowledgeBase, hit: Hit) -> Hit:
    """Add where it is from, what is printed on its page where that differs from its number, and when it is said."""
    chunk = hit.chunk
    if chunk.page is None:
        return replace(hit, kb=kb.name, seconds=seconds_of(kb.catalog.utterances_of(chunk.document_id), chunk.span))
    page = kb.catalog.page(chunk.document_id, chunk.page)
    return replace(hit, kb=kb.name, page_label=page.printed if page is not None else "")


def _hit(passage: Passage, rank: int, fused: Mapping[str, StageScore], reranked: Reranked, terms: Sequence[str]) -> Hit:
    candidate = passage.fused.candidate
    stages = {"fused": fused[candidate.chunk.id]}
    if candidate.dense is not None:
        stages["dense"] = candidate.dense
    if candidate.lexical is not None:
        stages["lexical"] = candidate.lexical
    if candidate.translated is not None:
        stages["dictionary"] = candidate.translated
    if passage.fused.sentence is not None:
        stages["sentence"] = passage.fused.sentence
    if passage.fused.close is not None:
        stages["close"] = passage.fused.close
    if candidate.chunk.id in reranked.by_chunk:
        stages["reranked"] = reranked.by_chunk[candidate.chunk.id]
    is_whole = passage.chunk.id == candidate.chunk.id and bool(candidate.terms)
    held = set(candidate.terms.split() if is_whole else index_terms(passage.chunk.embedded_text))
    matched = tuple(term.removeprefix("·") for term in terms if term in held)
    return Hit(
        chunk=passage.chunk,
        source=candidate.source,
        title=candidate.title,
        rank=rank,
        score=passage.fused.score,
        stages=stages,
        matched_terms=tuple(dict.fromkeys(matched)),
        found=passage.found,
    )
