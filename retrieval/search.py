"""A question and a knowledge base in, a Retrieval out. Knows nothing about prompts or the UI.

Both legs propose, their scores are put on common scales and added, and the best chunks are packed into passages.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from ingest.knowledge_base import KnowledgeBase
from ingest.language import has_cjk
from retrieval.dictionary import Dictionary
from retrieval.editions import newest_first
from retrieval.filters import EVERYWHERE, Filters
from retrieval.fuse import Fused, seat
from retrieval.join_rankings import merged, with_parts, with_said
from retrieval.make_hits import make_hits
from retrieval.pack import TokenBudget, pack
from retrieval.parts import parts_of
from retrieval.rerank import Reranked, rerank
from retrieval.rerank_probe import ProbedReranker
from retrieval.retrieval import Retrieval
from retrieval.run_query import QueryRun, foreign_language, run_query
from retrieval.scope import Scope, find_scope
from retrieval.search_config import SearchConfig, check
from retrieval.spread import spread
from retrieval.widen import widen

__all__ = ["SearchConfig", "search", "translation_of"]


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
    check(question, config)
    started = clock()
    query = query or question
    generation = kb.generation()
    scope = find_scope(kb, generation, filters)
    parts = parts_of(query) if config.use_parts else ()
    run = _run(lambda text: run_query(kb, generation, text, config, scope, dictionary), query, said, parts, config)
    queries, seated = [query], seat(run.ranking, config.fusion)
    searched = clock()
    translation = None
    if translate is not None and _is_foreign_needed(scope, run, query, config):
        translation = translate(query)
    translated = clock()
    if translation is not None:
        queries.append(translation)
        seated = merged(run.ranking, run_query(kb, generation, translation, config, scope, None).ranking)
    joined = clock()
    reranked = Reranked(seated)
    if reranker is not None and config.rerank.depth > 0:
        reranked = rerank(seated, queries, reranker.reranker, reranker.knows, config.rerank)
    judged = clock()
    budget = TokenBudget(config.budget_tokens, lambda text: len(kb.embedder.token_starts(text)))
    bound = budget if config.budget_tokens else None
    ranking = spread(reranked.ranking, config.spread) if parts else reranked.ranking
    passages, dropped = pack(ranking, config.top_k, config.packing, kb.catalog.text_between, bound)
    passages, swallowed = widen(passages, config.context, kb.catalog.chunk_at, kb.catalog.text_between, bound)
    hits = make_hits(kb, passages, queries, seated, reranked)
    finished = clock()
    return Retrieval(
        question=question,
        queries=tuple(queries),
        parts=parts,
        hits=newest_first(hits, question, config.editions),
        stages=(
            *_legs(run),
            *(["sentence"] if config.coverage.weight else []),
            *(["close"] if config.closeness.depth else []),
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
        evidence=_evidence(seated, run),
        timings={
            "search": finished - started - (translated - searched) - (judged - joined),
            "translate": translated - searched,
            **({"rerank": judged - joined} if reranker is not None else {}),
            "retrieve": finished - started,
        },
        filters=filters,
        n_documents=scope.n_documents,
        kbs=(kb.name,),
    )


def _run(run: Callable[[str], QueryRun], query: str, said: str, parts: Sequence[str], config: SearchConfig) -> QueryRun:
    """Search with the query, with it and the previous answer, and with each of its parts; give the first one's run with
    all their rankings joined.
    """
    found = run(query)
    if said:
        around = run(f"{query}\n{said}")
        found = replace(found, ranking=with_said(found.ranking, around.ranking, config.said_weight))
    if parts:
        each = [run(part).ranking for part in parts]
        found = replace(found, ranking=with_parts(found.ranking, each, config.whole_weight))
    return found


def _is_foreign_needed(scope: Scope, run: QueryRun, query: str, config: SearchConfig) -> bool:
    """Tell whether there are documents in the other language, and those in the query's own have little to say."""
    if foreign_language(query) not in scope.languages:
        return False
    own = [entry.score for entry in run.ranking if not entry.candidate.is_foreign]
    return not own or own[0] < config.translate_below


def translation_of(retrieval: Retrieval) -> str | None:
    """Give the query that is the question in the other language; None where it wasn't translated."""
    last = retrieval.queries[-1]
    return last if has_cjk(last) != has_cjk(retrieval.queries[0]) else None


def _legs(run: QueryRun) -> list[str]:
    legs = [_stage("dense", run.dense.silent), _stage("lexical", run.lexical.silent)]
    return legs if run.translated is None else [*legs, _stage("dictionary", run.translated.silent)]


def _stage(name: str, silent: str) -> str:
    return f"{name} (silent: {silent})" if silent else name


def _evidence(ranking: Sequence[Fused], run: QueryRun) -> dict[str, float]:
    """How well the best candidate of each kind fits: the ground on which an answer may be declined beforehand."""
    found = {"fused_best": max((entry.score for entry in ranking), default=0.0)}
    if cosines := [stage.score for stage in run.dense.by_row.values()]:
        found["dense_best"] = max(cosines)
    scores = [stage.score for stage in run.lexical.by_row.values()]
    best_possible = run.lexical.best_possible
    found["lexical_coverage"] = max(scores) / best_possible if scores and best_possible > 0 else 0.0
    return found
