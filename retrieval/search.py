"""A question and a knowledge base in, a Retrieval out. Knows nothing about prompts or the UI.

Both legs propose, their scores are put on common scales and added, and the best chunks are packed into passages.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ingest.document import seconds_of
from ingest.errors import SettingsError
from ingest.index_generation import IndexGeneration
from ingest.knowledge_base import KnowledgeBase
from ingest.language import has_cjk
from ingest.terms import content_terms, index_terms
from retrieval.coverage import CoverageConfig, lift_covering
from retrieval.dictionary import Dictionary
from retrieval.editions import EditionConfig, newest_first
from retrieval.filters import EVERYWHERE, Filters
from retrieval.fuse import Candidate, Fused, FusionConfig, fuse, seat
from retrieval.legs import DenseLeg, LexicalLeg, dense_leg, dictionary_leg, excess_cosines, lexical_leg
from retrieval.pack import PackingConfig, Passage, TokenBudget, pack
from retrieval.parts import parts_of
from retrieval.rerank import RerankConfig, Reranked, rerank
from retrieval.rerank_probe import ProbedReranker
from retrieval.retrieval import Hit, Retrieval, StageScore
from retrieval.scope import Scope, find_scope
from retrieval.spread import SpreadConfig, spread
from retrieval.widen import ContextConfig, widen


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """How many passages a search gives, how many candidates each leg proposes, and how they are joined.

    `budget_tokens`: how many tokens all passages may have together, counted as chunk sizes are, by the embedder's
    tokenizer; 0 is no such bound. `top_k` holds beside it.
    `translate_below`: when the best passage in the question's own language scores less, the question is translated, if
    there is someone to do it. On the 38 answerable sample questions without history, 7 of 8 whose answer stands in the
    other language score below .62, and 2 of 30 others (benchmarks/LOG.md, 2026-11-25).
    """

    top_k: int = 10
    budget_tokens: int = 0
    n_candidates: int = 100
    use_dense: bool = True
    use_lexical: bool = True
    use_parts: bool = True
    # How much a passage's score for the whole question counts beside that for a part of it.
    whole_weight: float = 0.5
    translate_below: float = 0.62
    # What a passage scores for question and previous answer together counts this much: a follow-up often leans on the
    # answer's words ("and for 300,000?" after "the manager approves up to 20,000").
    said_weight: float = 0.8
    fusion: FusionConfig = field(default_factory=FusionConfig)
    coverage: CoverageConfig = field(default_factory=CoverageConfig)
    packing: PackingConfig = field(default_factory=PackingConfig)
    editions: EditionConfig = field(default_factory=EditionConfig)
    spread: SpreadConfig = field(default_factory=SpreadConfig)
    rerank: RerankConfig = field(default_factory=RerankConfig)
    context: ContextConfig = field(default_factory=ContextConfig)


def search(
    kb: KnowledgeBase,
    question: str,
    config: SearchConfig,
    *,
    query: str | None = None,
    said: str = "",
    dictionary: Callable[[], Dictionary] | None = None,
    filters: Filters = EVERYWHERE,
    translate: Callable[[str], str | None] | None = None,
    reranker: ProbedReranker | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Retrieval:
    """Find the passages that answer `question`; `query` is what to search instead of it, for a rewritten follow-up,
    and `said` the answer that it follows.

    `dictionary` opens the one that finds passages in the other language by what the query's words are called there;
    it is asked for only where there are such documents.

    `translate` gives a query in the other language. It is asked only when documents in both languages are there and
    those in the question's own have little to say. `reranker` puts the best candidates in order. Raises SettingsError
    for an empty question, and for filters or settings that leave nothing to search in or with, ModelError when the
    reranker fails.
    """
    _check(question, config)
    started = clock()
    query = query or question
    generation = kb.generation()
    scope = find_scope(kb, generation, filters)
    pass_ = _search_once(kb, generation, query, config, scope, dictionary)
    if said:
        around = _search_once(kb, generation, f"{query}\n{said}", config, scope, dictionary)
        pass_ = replace(pass_, ranking=_with_said(pass_.ranking, around.ranking, config.said_weight))
    parts = parts_of(query) if config.use_parts else ()
    if parts:
        found = [_search_once(kb, generation, part, config, scope, dictionary).ranking for part in parts]
        pass_ = replace(pass_, ranking=_with_parts(pass_.ranking, found, config.whole_weight))
    queries, seated = [query], seat(pass_.ranking, config.fusion)
    searched = clock()
    translation = None
    if translate is not None and _is_foreign_needed(scope, pass_, query, config):
        translation = translate(query)
    translated = clock()
    if translation is not None:
        queries.append(translation)
        other = _search_once(kb, generation, translation, config, scope, None)
        seated = _merged(pass_, other)
    merged = clock()
    reranked = Reranked(seated)
    if reranker is not None and config.rerank.depth > 0:
        reranked = rerank(seated, queries, reranker.reranker, reranker.knows, config.rerank)
    judged = clock()
    budget = TokenBudget(config.budget_tokens, lambda text: len(kb.embedder.token_starts(text)))
    bound = budget if config.budget_tokens else None
    ranking = spread(reranked.ranking, config.spread) if parts else reranked.ranking
    passages, dropped = pack(ranking, config.top_k, config.packing, kb.catalog.text_between, bound)
    passages, swallowed = widen(passages, config.context, kb.catalog.chunk_at, kb.catalog.text_between, bound)
    fused = {entry.candidate.chunk.id: StageScore(rank, entry.score) for rank, entry in enumerate(seated, start=1)}
    terms = list(dict.fromkeys(term for searched_query in queries for term in query_terms(searched_query)))
    hits = [_placed(kb, _hit(passage, rank, fused, reranked, terms)) for rank, passage in enumerate(passages, 1)]
    finished = clock()
    return Retrieval(
        question=question,
        queries=tuple(queries),
        parts=parts,
        hits=newest_first(hits, question, config.editions),
        stages=(
            _stage("dense", pass_.dense.silent),
            _stage("lexical", pass_.lexical.silent),
            *([_stage("dictionary", pass_.translated.silent)] if pass_.translated is not None else []),
            *(["sentence"] if config.coverage.weight else []),
            *(["said"] if said else []),
            *(["parts"] if parts else []),
            "fused",
            *([_stage("reranked", reranked.silent)] if reranked.silent or reranked.by_chunk else []),
            *(["spread"] if ranking != reranked.ranking else []),
            "packed",
            *(["widened"] if config.context.max_characters else []),
        ),
        dropped=tuple(replace(drop, kb=kb.name) for drop in (*dropped, *swallowed)),
        generation=generation.manifest.digest,
        evidence=_evidence(seated, pass_),
        timings={
            "search": finished - started - (translated - searched) - (judged - merged),
            "translate": translated - searched,
            **({"rerank": judged - merged} if reranker is not None else {}),
            "retrieve": finished - started,
        },
        filters=filters,
        n_documents=scope.n_documents,
        kbs=(kb.name,),
    )


@dataclass(frozen=True, slots=True)
class _Pass:
    """One query through both legs."""

    dense: DenseLeg
    lexical: LexicalLeg
    translated: LexicalLeg | None
    ranking: list[Fused]


def _search_once(
    kb: KnowledgeBase,
    generation: IndexGeneration,
    query: str,
    config: SearchConfig,
    scope: Scope,
    dictionary: Callable[[], Dictionary] | None,
) -> _Pass:
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
    return _Pass(dense, lexical, translated, ranking)


def query_terms(query: str) -> list[str]:
    """The query's terms without its stop words, unless it is made of nothing else ("who are you")."""
    return content_terms(query) or list(dict.fromkeys(index_terms(query)))


def _is_foreign_needed(scope: Scope, pass_: _Pass, query: str, config: SearchConfig) -> bool:
    """Tell whether there are documents in the other language, and those in the query's own have little to say."""
    if foreign_language(query) not in scope.languages:
        return False
    own = [entry.score for entry in pass_.ranking if not entry.candidate.is_foreign]
    return not own or own[0] < config.translate_below


def _merged(first: _Pass, second: _Pass) -> list[Fused]:
    """Join two rankings of the same rows by score; each query judges the rows in its own language."""
    best: dict[str, Fused] = {}
    for entry in (*first.ranking, *second.ranking):
        known = best.get(entry.candidate.chunk.id)
        if not entry.candidate.is_foreign and (known is None or known.score < entry.score):
            best[entry.candidate.chunk.id] = entry
    return sorted(best.values(), key=lambda entry: (-entry.score, entry.candidate.chunk.id))


def _with_said(asked: Sequence[Fused], around: Sequence[Fused], weight: float) -> list[Fused]:
    """Join the rankings without and with the previous answer; of a row's two scores the higher one counts."""
    best = {entry.candidate.chunk.id: entry for entry in asked}
    for entry in around:
        lesser = Fused(entry.candidate, weight * entry.score)
        known = best.setdefault(entry.candidate.chunk.id, lesser)
        if known.score < lesser.score:
            best[entry.candidate.chunk.id] = lesser
    return sorted(best.values(), key=lambda entry: (-entry.score, entry.candidate.chunk.id))


def _with_parts(whole: Sequence[Fused], parts: Sequence[Sequence[Fused]], whole_weight: float) -> list[Fused]:
    """Deal the places out in turn, to the ranking for the whole question first and then to that for each part."""
    whole_scores = {entry.candidate.chunk.id: entry.score for entry in whole}
    rankings: list[list[Fused]] = [list(whole)]
    for part in parts:
        mixed = [
            (entry.score + whole_weight * whole_scores.get(entry.candidate.chunk.id, 0.0), entry) for entry in part
        ]
        rankings.append([entry for _, entry in sorted(mixed, key=lambda pair: (-pair[0], pair[1].candidate.chunk.id))])
    dealt: dict[str, Fused] = {}
    for place in range(max(map(len, rankings))):
        for ranking in rankings:
            if place < len(ranking):
                dealt.setdefault(ranking[place].candidate.chunk.id, ranking[place])
    return list(dealt.values())


def _check(question: str, config: SearchConfig) -> None:
    if not question.strip():
        raise SettingsError("the question is empty; ask something")
    if config.top_k < 1:
        raise SettingsError(f"top_k must be at least 1, got {config.top_k}")
    for name, value in (("budget_tokens", config.budget_tokens), ("rerank_depth", config.rerank.depth)):
        if value < 0:
            raise SettingsError(f"{name} must not be below 0, got {value}")
    if not (config.use_dense or config.use_lexical):
        raise SettingsError("both the dense and the lexical leg are off; switch one on")


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


def translation_of(retrieval: Retrieval) -> str | None:
    """Give the query that is the question in the other language; None where it wasn't translated."""
    last = retrieval.queries[-1]
    return last if has_cjk(last) != has_cjk(retrieval.queries[0]) else None


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


def _stage(name: str, silent: str) -> str:
    return f"{name} (silent: {silent})" if silent else name


def _evidence(ranking: Sequence[Fused], pass_: _Pass) -> dict[str, float]:
    """How well the best candidate of each kind fits: the ground on which an answer may be declined beforehand."""
    found = {"fused_best": max((entry.score for entry in ranking), default=0.0)}
    if cosines := [stage.score for stage in pass_.dense.by_row.values()]:
        found["dense_best"] = max(cosines)
    scores = [stage.score for stage in pass_.lexical.by_row.values()]
    best_possible = pass_.lexical.best_possible
    found["lexical_coverage"] = max(scores) / best_possible if scores and best_possible > 0 else 0.0
    return found
