"""A question and a knowledge base in, a Retrieval out. Knows nothing about prompts or the UI.

Both legs propose, their scores are put on common scales and added, and the best chunks are packed into passages.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ingest.errors import SettingsError
from ingest.index_generation import IndexGeneration
from ingest.knowledge_base import KnowledgeBase
from ingest.language import has_cjk
from ingest.terms import content_terms, index_terms
from retrieval.fuse import Candidate, Fused, FusionConfig, fuse
from retrieval.legs import DenseLeg, LexicalLeg, dense_leg, excess_cosines, lexical_leg
from retrieval.pack import PackingConfig, Passage, pack
from retrieval.retrieval import Hit, Retrieval, StageScore


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """How many passages a search gives, how many candidates each leg proposes, and how they are joined."""

    top_k: int = 5
    n_candidates: int = 100
    use_dense: bool = True
    use_lexical: bool = True
    fusion: FusionConfig = field(default_factory=FusionConfig)
    packing: PackingConfig = field(default_factory=PackingConfig)


def search(
    kb: KnowledgeBase,
    question: str,
    config: SearchConfig,
    *,
    query: str | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Retrieval:
    """Find the passages that answer `question`; `query` is what to search instead of it, for a rewritten follow-up.

    Raises SettingsError for an empty question or settings that leave nothing to search with.
    """
    _check(question, config)
    started = clock()
    query = query or question
    generation = kb.generation()
    dense = dense_leg(kb, generation, query, config.n_candidates) if config.use_dense else DenseLeg({}, None, {}, "off")
    dense_done = clock()
    # Without its stop words, unless it is made of nothing else ("who are you").
    terms = content_terms(query) or list(dict.fromkeys(index_terms(query)))
    lexical = lexical_leg(generation, terms, config.n_candidates) if config.use_lexical else LexicalLeg({}, 0.0, "off")
    lexical_done = clock()
    ranking = fuse(
        lookup_candidates(kb, generation, dense, lexical),
        best_possible=lexical.best_possible,
        typical_cosine=kb.typical_cosine(),
        question_is_cjk=has_cjk(query),
        config=config.fusion,
    )
    passages, dropped = pack(ranking, config.top_k, config.packing, kb.catalog.text_between)
    ranks = {entry.candidate.chunk.id: rank for rank, entry in enumerate(ranking, start=1)}
    finished = clock()
    return Retrieval(
        question=question,
        queries=(query,),
        hits=tuple(_hit(passage, rank, ranks, terms) for rank, passage in enumerate(passages, start=1)),
        stages=(_stage("dense", dense.silent), _stage("lexical", lexical.silent), "fused", "packed"),
        dropped=tuple(dropped),
        generation=generation.manifest.digest,
        evidence=_evidence(ranking, lexical),
        timings={
            "dense": dense_done - started,
            "lexical": lexical_done - dense_done,
            "fuse": finished - lexical_done,
            "retrieve": finished - started,
        },
    )


def _check(question: str, config: SearchConfig) -> None:
    if not question.strip():
        raise SettingsError("the question is empty; ask something")
    if config.top_k < 1:
        raise SettingsError(f"top_k must be at least 1, got {config.top_k}")
    if not (config.use_dense or config.use_lexical):
        raise SettingsError("both the dense and the lexical leg are off; switch one on")


def lookup_candidates(
    kb: KnowledgeBase, generation: IndexGeneration, dense: DenseLeg, lexical: LexicalLeg
) -> list[Candidate]:
    """Look up every proposed row; chunks deleted since the generation was built are no longer found."""
    rows = sorted(dense.by_row.keys() | lexical.by_row.keys())
    numbers = [int(generation.rows[row]) for row in rows]
    stored = kb.catalog.chunks_by_number(numbers)
    excess = excess_cosines(generation, dense, rows)
    return [
        Candidate(
            chunk=stored[number].chunk,
            source=stored[number].source,
            title=stored[number].title,
            position=stored[number].position,
            excess=excess.get(row),
            dense=dense.by_row.get(row),
            lexical=lexical.by_row.get(row),
        )
        for row, number in zip(rows, numbers, strict=True)
        if number in stored
    ]


def _hit(passage: Passage, rank: int, ranks: dict[str, int], terms: Sequence[str]) -> Hit:
    candidate = passage.fused.candidate
    stages = {"fused": StageScore(ranks[candidate.chunk.id], passage.fused.score)}
    if candidate.dense is not None:
        stages["dense"] = candidate.dense
    if candidate.lexical is not None:
        stages["lexical"] = candidate.lexical
    held = set(index_terms(passage.chunk.embedded_text))
    matched = tuple(term.removeprefix("·") for term in terms if term in held)
    return Hit(
        chunk=passage.chunk,
        source=candidate.source,
        title=candidate.title,
        rank=rank,
        score=passage.fused.score,
        stages=stages,
        matched_terms=tuple(dict.fromkeys(matched)),
    )


def _stage(name: str, silent: str) -> str:
    return f"{name} (silent: {silent})" if silent else name


def _evidence(ranking: Sequence[Fused], lexical: LexicalLeg) -> dict[str, float]:
    """How well the best candidate of each kind fits: the ground on which an answer may be declined beforehand."""
    found = {"fused_best": ranking[0].score if ranking else 0.0}
    if cosines := [entry.candidate.dense.score for entry in ranking if entry.candidate.dense]:
        found["dense_best"] = max(cosines)
    scores = [entry.candidate.lexical.score for entry in ranking if entry.candidate.lexical]
    found["lexical_coverage"] = max(scores) / lexical.best_possible if scores and lexical.best_possible > 0 else 0.0
    return found
