"""A search and the name of a document in, where that document fell out and by how much. Searches again, no prompts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ingest.document_facts import DocumentFacts, document_facts
from ingest.index_generation import IndexGeneration
from ingest.knowledge_base import KnowledgeBase
from ingest.language import detect_language
from ingest.row_set import RowSet
from ingest.terms import index_terms
from retrieval.dictionary import Dictionary
from retrieval.filters import Filters, describe, documents_named, near_names, unfit
from retrieval.legs import dense_leg, lexical_leg
from retrieval.retrieval import Hit, Retrieval
from retrieval.run_query import foreign_language, query_terms
from retrieval.scope import Scope, find_scope
from retrieval.search import SearchConfig, search, translation_of

Verdict = Literal["found", "missing", "filtered", "unindexed", "no_candidate", "repeat", "joined", "below", "dropped"]

_DEEPEST = 10_000
_MOST_DOCUMENTS = 3


@dataclass(frozen=True, slots=True)
class LegTrace:
    """A document's best row in one leg. `rank` is None beyond the first 10,000 or where the leg gave no score.

    `taken` is how many candidates the search took from the leg, `last_score` the score of the last of them; `note` says
    why there is no score.
    """

    leg: str
    rank: int | None
    score: float | None
    taken: int
    last_score: float | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class WhyNot:
    """What became of a document in a search: a verdict, the reason in words, and its best passage at each leg.

    `score` is the best passage's joint score, `lacked` how much more would have given it a place; both None where they
    have no meaning. `missing_terms` are the question's terms that the best passage doesn't hold.
    """

    kb: str
    document: str
    verdict: Verdict
    reason: str
    source: str = ""
    title: str = ""
    best: Hit | None = None
    legs: tuple[LegTrace, ...] = ()
    score: float | None = None
    lacked: float | None = None
    missing_terms: tuple[str, ...] = ()


def why_not(
    kb: KnowledgeBase,
    document: str,
    retrieval: Retrieval,
    config: SearchConfig,
    *,
    dictionary: Callable[[], Dictionary] | None = None,
) -> tuple[WhyNot, ...]:
    """Trace the documents that `document` names (id, source, file name, title, or a part of these), at most three.

    `retrieval` is the search that they were missed in, `config` and `dictionary` what it was made with.
    """
    named = documents_named(kb.catalog, document)
    if not named:
        near = near_names(document, document_facts(kb.catalog))
        hint = f"; did you mean: {', '.join(near)}" if near else ""
        return (WhyNot(kb.name, document, "missing", f"{kb.name} holds no such document{hint}"),)
    return tuple(_trace(kb, document, facts, retrieval, config, dictionary) for facts in named[:_MOST_DOCUMENTS])


def _trace(
    kb: KnowledgeBase,
    document: str,
    facts: DocumentFacts,
    retrieval: Retrieval,
    config: SearchConfig,
    dictionary: Callable[[], Dictionary] | None,
) -> WhyNot:
    traced = WhyNot(kb.name, document, "missing", "", facts.source, facts.title)
    if failing := unfit(kb.catalog, retrieval.filters, facts):
        reason = f"the filter leaves it out: {', '.join(failing)} ({describe(retrieval.filters)})"
        return replace(traced, verdict="filtered", reason=reason)
    generation = kb.generation()
    own_rows = generation.rows_of_documents([facts.id])
    if not own_rows.n:
        reason = "its passages are not in the index: it was added after the index in use was built, or holds no words"
        return replace(traced, verdict="unindexed", reason=reason)
    best = _best_hit(kb, facts, retrieval, config, dictionary)
    scope = find_scope(kb, generation, retrieval.filters)
    asked = list(dict.fromkeys(retrieval.queries))
    legs = tuple(leg for query in asked for leg in _legs(kb, generation, query, scope, own_rows, config))
    traced = replace(traced, best=best, legs=legs)
    if best is not None:
        traced = replace(traced, score=best.score, missing_terms=_missing(best, asked))
    return _judged(traced, facts, retrieval, config)


def _judged(traced: WhyNot, facts: DocumentFacts, retrieval: Retrieval, config: SearchConfig) -> WhyNot:
    """Say at which stage it fell out."""
    shown = [hit for hit in retrieval.hits if hit.kb == traced.kb and hit.chunk.document_id == facts.id]
    if shown:
        return replace(
            traced, verdict="found", reason=f"it was found: passage {shown[0].rank} of {len(retrieval.hits)}"
        )
    if traced.best is None:
        return replace(traced, verdict="no_candidate", reason="neither leg has anything to say for it")
    chunk_id = traced.best.chunk.id
    drops = [drop for drop in retrieval.dropped if drop.kb == traced.kb and drop.chunk_id == chunk_id]
    language = _language_note(traced.best, retrieval)
    if not drops:
        reason = f"none of its passages was among the best {config.n_candidates} of a leg{language}"
        return replace(traced, verdict="no_candidate", reason=reason)
    reason = drops[-1].reason
    if reason.startswith("below"):
        lacked = _lacked(traced.best, retrieval)
        by = f", by {lacked:.3f}" if lacked else ""
        return replace(traced, verdict="below", reason=f"its best passage is {reason}{by}{language}", lacked=lacked)
    kinds: tuple[tuple[str, Verdict], ...] = (
        ("says the same", "repeat"),
        ("says nothing that", "repeat"),
        ("joined", "joined"),
        ("became part", "joined"),
    )
    verdict: Verdict = next((verdict for words, verdict in kinds if words in reason), "dropped")
    return replace(traced, verdict=verdict, reason=f"its best passage {reason}{language}")


def _best_hit(
    kb: KnowledgeBase,
    facts: DocumentFacts,
    retrieval: Retrieval,
    config: SearchConfig,
    dictionary: Callable[[], Dictionary] | None,
) -> Hit | None:
    """Search the document alone, with the queries of the search before: scores are the same with filters."""
    translation = translation_of(retrieval)
    found = search(
        kb,
        retrieval.question,
        replace(config, top_k=1),
        query=retrieval.queries[0],
        filters=Filters(documents=(facts.id,)),
        dictionary=dictionary,
        translate=(lambda query: translation) if translation else None,
    )
    return found.hits[0] if found.hits else None


def _legs(
    kb: KnowledgeBase, generation: IndexGeneration, query: str, scope: Scope, rows: RowSet, config: SearchConfig
) -> list[LegTrace]:
    traces = []
    if config.use_dense:
        traces.append(_dense(kb, generation, query, scope, rows, config.n_candidates))
    if config.use_lexical:
        terms = query_terms(query)
        own = lexical_leg(generation, terms, 1, among=rows)
        if own.by_row:
            ((row, best),) = own.by_row.items()
            ranked = lexical_leg(generation, terms, _DEEPEST, among=scope.among).by_row
            place = ranked[row].rank if row in ranked else None
            last = [stage.score for stage in ranked.values() if stage.rank == config.n_candidates]
            trace = LegTrace("lexical", place, best.score, config.n_candidates, last[0] if last else None)
        else:
            note = "it shares no word with the question"
            trace = LegTrace("lexical", None, None, config.n_candidates, None, note)
        traces.append(trace)
    return traces


def _dense(
    kb: KnowledgeBase, generation: IndexGeneration, query: str, scope: Scope, rows: RowSet, taken: int
) -> LegTrace:
    """Give the document's place among the rows of its best row's language: of each the best are taken."""
    own = dense_leg(kb, generation, query, 1, among=rows)
    if not own.by_row:
        note = own.silent or f"{kb.embedder.name} has no say on its language"
        return LegTrace("dense", None, None, taken, None, note)
    row = min(own.by_row, key=lambda candidate: own.by_row[candidate].rank)
    language = generation.language(row)
    ranked = dense_leg(kb, generation, query, _DEEPEST, among=scope.among).by_row
    alike = [candidate for candidate in ranked if generation.language(candidate) == language]  # best first
    last = ranked[alike[taken - 1]].score if len(alike) >= taken else None
    place = alike.index(row) + 1 if row in ranked else None
    return LegTrace("dense", place, own.by_row[row].score, taken, last)


def _missing(best: Hit, queries: Sequence[str]) -> tuple[str, ...]:
    held = set(index_terms(best.chunk.embedded_text))
    terms = (term for query in queries for term in query_terms(query) if term not in held)
    return tuple(dict.fromkeys(term.removeprefix("·") for term in terms))


def _lacked(best: Hit, retrieval: Retrieval) -> float | None:
    """Give how much better the weakest passage shown is, of those in the same language as the question, or not."""
    is_foreign = _is_foreign(best, retrieval)
    alike = [hit.score for hit in retrieval.hits if _is_foreign(hit, retrieval) == is_foreign]
    return max(min(alike) - best.score, 0.0) if alike else None


def _language_note(best: Hit, retrieval: Retrieval) -> str:
    if not _is_foreign(best, retrieval) or translation_of(retrieval):
        return ""
    return "; it is in another language than the question, and such passages get two places of five"


def _is_foreign(hit: Hit, retrieval: Retrieval) -> bool:
    return detect_language(hit.chunk.text) == foreign_language(retrieval.queries[0])
