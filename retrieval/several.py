"""A question and several knowledge bases in, one Retrieval out. Each is searched by itself, with its own embedder.

The fused score is made of scales that mean the same for every question (see `retrieval.fuse`), so passages of different
knowledge bases are ranked by it together; embedders that score right passages higher than others count less by that.
"""

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ingest.errors import SettingsError
from ingest.knowledge_base import KnowledgeBase
from ingest.language import detect_language
from ingest.terms import normalise
from retrieval.dictionary import Dictionary
from retrieval.editions import newest_first
from retrieval.filters import EVERYWHERE, Filters, fitting_documents, nothing_fits
from retrieval.fuse import in_turn
from retrieval.match_scale import match_scale
from retrieval.pack import TokenBudget
from retrieval.rerank_probe import ProbedReranker
from retrieval.retrieval import Dropped, Hit, Retrieval
from retrieval.run_query import foreign_language
from retrieval.search import SearchConfig, search, translation_of


def search_several(
    kbs: Sequence[KnowledgeBase],
    question: str,
    config: SearchConfig,
    *,
    query: str | None = None,
    said: str = "",
    filters: Filters = EVERYWHERE,
    dictionary: Callable[[], Dictionary] | None = None,
    translate: Callable[[str], str | None] | None = None,
    reranker: ProbedReranker | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> Retrieval:
    """Find the passages that answer `question` in any of some knowledge bases; of one alone it is `search`.

    A knowledge base in which no document fits the filters is left out; SettingsError where that are all. A rank at a
    stage is among the hit's own knowledge base, `Hit.rank` among all.
    """
    if not kbs:
        raise SettingsError("there is no knowledge base to search; name one with --kb")
    if len(kbs) > 1 and not filters.is_empty:
        fitting = [kb for kb in kbs if fitting_documents(kb.catalog, filters)]
        if not fitting:
            raise nothing_fits({kb.name: kb.catalog for kb in kbs}, filters)
        kbs = fitting

    scaled = scaled_configs(kbs, config)

    def found_with(translate: Callable[[str], str | None] | None) -> list[Retrieval]:
        return [
            search(
                kb,
                question,
                scaled[kb.name],
                query=query,
                said=said,
                filters=filters,
                dictionary=dictionary,
                translate=translate,
                reranker=reranker,
                clock=clock,
            )
            for kb in kbs
        ]

    if len(kbs) == 1:
        return found_with(translate)[0]
    started = clock()
    retrievals = found_with(None)
    asked = query or question
    if translate is not None and _best_own(retrievals, asked) < config.translate_below:
        # One translation for all; each knowledge base uses it where its own documents have little to say.
        translations: list[str | None] = []

        def translate_once(searched: str) -> str | None:
            if not translations:
                translations.append(translate(searched))
            return translations[0]

        retrievals = found_with(translate_once)
    merged = merge(retrievals, question, asked, config, lambda text: len(kbs[0].embedder.token_starts(text)))
    timings = {**merged.timings, "retrieve": clock() - started}
    return replace(merged, timings=timings)


def scaled_configs(kbs: Sequence[KnowledgeBase], config: SearchConfig) -> dict[str, SearchConfig]:
    """Give each knowledge base its settings: of several embedders, all count like the one that scores the lowest.

    The weight is the root of the ratio of their scales: best of the powers 0/.35/.5/.65/1. Halves of squad2_dev in two,
    mean of both ways round: recall@1 74.5/85.0/86.0/81.0/75.5 (benchmarks/LOG.md, 2026-11-25).
    """
    if len({kb.embedder.name for kb in kbs}) == 1:
        return {kb.name: config for kb in kbs}
    scales = {kb.name: match_scale(kb) for kb in kbs}
    lowest = min(scales.values())
    return {
        name: replace(config, fusion=replace(config.fusion, dense_weight=math.sqrt(lowest / scale)))
        for name, scale in scales.items()
    }


def merge(
    retrievals: Sequence[Retrieval],
    question: str,
    query: str,
    config: SearchConfig,
    count_tokens: Callable[[str], int] = len,
) -> Retrieval:
    """Join what each knowledge base found to one ranking, cut to `config.top_k` and to `config.budget_tokens`.

    Passages that the reranker judged are in the order of its scores, which mean the same in every knowledge base.
    """
    translated = any(translation_of(retrieval) for retrieval in retrievals)
    ranked = _by_reranker(_ranked(retrievals, query, translated, config))
    budget = TokenBudget(config.budget_tokens, count_tokens)
    dropped = [drop for retrieval in retrievals for drop in retrieval.dropped]
    kept: list[Hit] = []
    seen: dict[str, Hit] = {}
    for hit in ranked:
        words = " ".join(normalise(hit.chunk.text).split())
        if (twin := seen.get(words)) is not None:
            dropped.append(_dropped(hit, f"says the same as {twin.source} in {twin.kb}"))
        elif len(kept) == config.top_k:
            dropped.append(_dropped(hit, f"below the best {config.top_k} of all knowledge bases"))
        elif config.budget_tokens and (missing := budget.missing(hit.chunk.text)):
            dropped.append(_dropped(hit, f"{missing} tokens too many for the budget of {config.budget_tokens}"))
        else:
            seen[words] = hit
            kept.append(hit)
    names = [", ".join(retrieval.kbs) for retrieval in retrievals]
    counts = [retrieval.n_documents for retrieval in retrievals]
    return Retrieval(
        question=question,
        queries=max((retrieval.queries for retrieval in retrievals), key=len),
        hits=newest_first([replace(hit, rank=rank) for rank, hit in enumerate(kept, 1)], question, config.editions),
        stages=_stages(retrievals, names),
        dropped=tuple(dropped),
        generation=", ".join(
            f"{name}@{retrieval.generation}" for name, retrieval in zip(names, retrievals, strict=True)
        ),
        evidence=_greatest(retrieval.evidence for retrieval in retrievals),
        timings={
            name: sum(retrieval.timings.get(name, 0.0) for retrieval in retrievals)
            for name in ("search", "translate", "rerank")
            if name in retrievals[0].timings
        },
        filters=retrievals[0].filters,
        n_documents=None if None in counts else sum(count or 0 for count in counts),
        kbs=tuple(names),
        parts=retrievals[0].parts,
    )


def _best_own(retrievals: Sequence[Retrieval], query: str) -> float:
    foreign = foreign_language(query)
    own = (
        hit.score for retrieval in retrievals for hit in retrieval.hits if detect_language(hit.chunk.text) != foreign
    )
    return max(own, default=0.0)


def _ranked(retrievals: Sequence[Retrieval], query: str, translated: bool, config: SearchConfig) -> list[Hit]:
    """Weave the rankings; where nothing was translated, passages in the other language get their places in turn."""
    rankings = [retrieval.hits for retrieval in retrievals]
    if translated:
        return _woven(rankings)
    other = foreign_language(query)
    own, foreign = (
        _woven([[hit for hit in hits if (detect_language(hit.chunk.text) == other) == is_foreign] for hits in rankings])
        for is_foreign in (False, True)
    )
    return in_turn(own, foreign, config.fusion)


def _woven(rankings: Iterable[Sequence[Hit]]) -> list[Hit]:
    """Join rankings by score, keeping the order of each: a hit that stands before better ones counts like the best of
    those, because the order of a ranking says more than its scores do (parts of a question, editions, a reranker).
    """
    placed: list[tuple[float, str, int, Hit]] = []
    for hits in rankings:
        counted = 0.0
        for place in range(len(hits) - 1, -1, -1):
            counted = max(counted, hits[place].score)
            placed.append((-counted, hits[place].kb, place, hits[place]))
    return [hit for *_, hit in sorted(placed, key=lambda entry: entry[:3])]


def _by_reranker(ranked: Sequence[Hit]) -> list[Hit]:
    """Put the judged hits into the order of their scores, in the places that judged hits have; the rest stays."""
    judged = [place for place, hit in enumerate(ranked) if "reranked" in hit.stages]
    best_first = sorted(judged, key=lambda place: (-ranked[place].stages["reranked"].score, place))
    ordered = list(ranked)
    for place, chosen in zip(judged, best_first, strict=True):
        ordered[place] = replace(ranked[chosen], score=ranked[place].score)
    return ordered


def _stages(retrievals: Sequence[Retrieval], names: Sequence[str]) -> tuple[str, ...]:
    """Give the stages in order; what only one knowledge base says of a stage carries its name."""
    stages: dict[str, None] = {}
    for place in range(max(len(retrieval.stages) for retrieval in retrievals)):
        for name, retrieval in zip(names, retrievals, strict=True):
            if place < len(retrieval.stages):
                stage = retrieval.stages[place]
                shared = all(stage in other.stages for other in retrievals)
                stages[stage if shared or "(" not in stage else f"{stage} in {name}"] = None
    return (*stages, "merged")


def _greatest(evidence: Iterable[Mapping[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for values in evidence:
        for name, value in values.items():
            found[name] = max(value, found.get(name, value))
    return found


def _dropped(hit: Hit, reason: str) -> Dropped:
    return Dropped(hit.chunk.id, hit.source, "merged", reason, hit.kb)
