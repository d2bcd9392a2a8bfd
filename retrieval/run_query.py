"""One query in, the ranking that the legs make together out. Knows neither parts nor translations of a question."""

from collections.abc import Callable
from dataclasses import dataclass

from ingest.index_generation import IndexGeneration
from ingest.knowledge_base import KnowledgeBase
from ingest.language import has_cjk
from ingest.terms import content_terms, index_terms
from retrieval.close_sentences import lift_close
from retrieval.coverage import lift_covering
from retrieval.dictionary import Dictionary
from retrieval.fuse import Candidate, Fused, fuse
from retrieval.legs import DenseLeg, LexicalLeg, dense_leg, dictionary_leg, excess_cosines, lexical_leg, relevance
from retrieval.scope import Scope
from retrieval.search_config import SearchConfig


@dataclass(frozen=True, slots=True)
class QueryRun:
    """What both legs said to one query, and the ranking made of it."""

    dense: DenseLeg
    lexical: LexicalLeg
    translated: LexicalLeg | None
    ranking: list[Fused]


def run_query(
    kb: KnowledgeBase,
    generation: IndexGeneration,
    query: str,
    config: SearchConfig,
    scope: Scope,
    dictionary: Callable[[], Dictionary] | None,
) -> QueryRun:
    """Search with one query, its legs fused. `dictionary` opens the one to find passages in the other language with."""
    dense = DenseLeg({}, None, {}, "off")
    if config.use_dense:
        dense = dense_leg(kb, generation, query, config.n_candidates, among=scope.among)
    lexical, translated, terms = LexicalLeg({}, 0.0, "off"), None, query_terms(query)
    if config.use_lexical:
        lexical = lexical_leg(generation, terms, config.n_candidates, among=scope.among)
        foreign = foreign_language(query)
        if dictionary is not None and foreign in scope.languages:
            translated = dictionary_leg(
                generation, dictionary(), query, foreign, config.n_candidates, among=scope.among
            )
    ranking = fuse(
        lookup_candidates(kb, generation, query, dense, lexical, translated),
        best_possible=lexical.best_possible,
        best_translated=translated.best_possible if translated else 0.0,
        typical_cosine=kb.typical_cosine(),
        config=config.fusion,
    )
    if config.use_lexical:
        ranking = lift_covering(ranking, terms, generation.lexical.idf, config.coverage)
    if config.use_dense:
        ranking = lift_close(ranking, lambda texts: relevance(kb, query, texts), config.closeness)
    return QueryRun(dense, lexical, translated, ranking)


def query_terms(query: str) -> list[str]:
    """The query's terms without its stop words, unless it is made of nothing else ("who are you")."""
    return content_terms(query) or list(dict.fromkeys(index_terms(query)))


def lookup_candidates(
    kb: KnowledgeBase,
    generation: IndexGeneration,
    query: str,
    dense: DenseLeg,
    lexical: LexicalLeg,
    translated: LexicalLeg | None = None,
) -> list[Candidate]:
    """Look up every proposed row; chunks deleted since the generation was built are no longer found."""
    foreign = foreign_language(query)
    by_translation = translated.by_row if translated is not None else {}
    rows = sorted(dense.by_row.keys() | lexical.by_row.keys() | by_translation.keys())
    numbers = [int(generation.rows[row]) for row in rows]
    stored = kb.catalog.chunks_by_number(numbers)
    excess = excess_cosines(generation, dense, rows)
    return [
        Candidate(
            chunk=stored[number].chunk,
            source=stored[number].source,
            title=stored[number].title,
            position=stored[number].position,
            is_foreign=generation.language(row) == foreign,
            excess=excess.get(row),
            dense=dense.by_row.get(row),
            lexical=lexical.by_row.get(row),
            translated=by_translation.get(row),
            terms=stored[number].terms,
        )
        for row, number in zip(rows, numbers, strict=True)
        if number in stored
    ]


def foreign_language(query: str) -> str:
    """Give the language that a query is not in; mixed text and other scripts are foreign to neither."""
    return "en" if has_cjk(query) else "zh"
