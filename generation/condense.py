"""Passages and queries in, the sentences of them that a model should read out. Knows no model and no prompt.

A passage is found for one or two of its sentences; the rest costs the reader seconds and leads a small model astray.
Sentences are ranked by meaning and words, taken best first with their neighbours, and shown in their own order. A row
of a table comes alone, for it speaks of something else than the rows around it. What a newer edition says anew is left
out, and what speaks to the model instead of telling something.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from generation.instructions import instruction_spans
from generation.intervals import intervals, surface_with
from generation.matching import surface_of, terms_of, weights_of
from generation.numbers import quantities
from generation.tables import is_row
from ingest.document import Span
from ingest.language import has_cjk
from ingest.sentences import split_sentences
from retrieval.retrieval import Dropped, Hit

# A query and texts in, how close each is in meaning out: shape (len(texts),), 0 for unrelated, 1 for equal.
Relevance = Callable[[str, Sequence[str]], npt.NDArray[np.float32]]
CountTokens = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class CondensingConfig:
    """How sentences are ranked, as weights beside 1 for meaning, and how many are taken around a good one."""

    words_weight: float = 1.0
    passage_weight: float = 0.6  # the passage's own score in the search
    neighbours: int = 1
    # A sentence of an older edition goes when a newer one shares this much of its words (Jaccard), numbers aside.
    superseded_overlap: float = 0.5
    # A row goes when it holds less than this share of the query's words that another row of its passage does: who asks
    # for the pool pass is led astray by the row of the west sluice.
    row_share: float = 0.5
    # Every one of the best passages shows its best sentence: across languages sentences compare only roughly.
    sure_passages: int = 5
    label_tokens: int = 20  # what a passage's number, title and headings cost
    # Where no more than so many budgets are wanted, words alone choose what is left out: no answer that stands in the
    # passages was lost (benchmarks/LOG.md, 2026-11-25).
    nearly: float = 1.3


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A passage and those of its sentences that are shown, in order; spans are in `hit.chunk.text`."""

    hit: Hit
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class _Sentence:
    passage: int
    place: int
    span: Span
    text: str
    is_header: bool


def condense(
    hits: Sequence[Hit],
    queries: Sequence[str],
    budget_tokens: int,
    count_tokens: CountTokens,
    *,
    relevance: Relevance | None = None,
    config: CondensingConfig | None = None,
) -> tuple[tuple[Excerpt, ...], tuple[Dropped, ...]]:
    """Choose what is shown within `budget_tokens`, in the order of the hits, and name the passages left out.

    The best sentence is always taken, however long it is.
    """
    config = config or CondensingConfig()
    sentences = _sentences(hits, config.superseded_overlap)
    orders = tuple(
        Dropped(
            hit.chunk.id, hit.source, "prompt", f"{len(spans)} of its sentences speak to the model; left out", hit.kb
        )
        for hit in hits
        if (spans := instruction_spans(hit.chunk.text))
    )
    if not sentences:
        return (), orders
    sayers = {sentence.passage for sentence in sentences}
    sentences = _asked_rows(sentences, queries, config.row_share)
    costs = [count_tokens(s.text) + 1 for s in sentences]
    chosen = set(range(len(sentences)))
    wanted = sum(costs) + config.label_tokens * len({s.passage for s in sentences})
    # Where all fits nothing is ranked, where nearly all does by words alone: embedding the sentences would be the
    # dearest step of an answer.
    if wanted > budget_tokens:
        nearly_fits = wanted <= config.nearly * budget_tokens
        scores = _scores(hits, sentences, queries, None if nearly_fits else relevance, config)
        chosen = _choose(sentences, scores, costs, budget_tokens, config)
    excerpts = tuple(
        Excerpt(hit, spans)
        for number, hit in enumerate(hits)
        if (spans := tuple(s.span for i, s in enumerate(sentences) if i in chosen and s.passage == number))
    )
    shown = {id(excerpt.hit) for excerpt in excerpts}
    filled = f"others filled the prompt's {budget_tokens} tokens with sentences nearer to the question"
    dropped = tuple(
        Dropped(hit.chunk.id, hit.source, "prompt", filled if number in sayers else _says_nothing(hit))
        for number, hit in enumerate(hits)
        if id(hit) not in shown
    )
    return excerpts, (*orders, *dropped)


def _says_nothing(hit: Hit) -> str:
    return f"{hit.newer_edition} says it anew" if hit.newer_edition else "it holds no sentence beside its headings"


def _sentences(hits: Sequence[Hit], superseded_overlap: float) -> list[_Sentence]:
    found: list[_Sentence] = []
    for number, hit in enumerate(hits):
        anew = _statements(other for other in hits if hit.newer_edition and other.source == hit.newer_edition)
        said = {" ".join(part.split()) for part in (hit.title, *hit.chunk.headings)}
        orders = set(instruction_spans(hit.chunk.text))
        in_table = bool(hit.chunk.headings) and hit.chunk.headings[-1].startswith("|")
        for place, span in enumerate(split_sentences(hit.chunk.text)):
            text = span.of(hit.chunk.text)
            was_in_table, in_table = in_table, text.startswith("|")
            words = " ".join(text.strip("# |-:").split())
            if not words or words in said or span in orders:  # a table's rule says nothing, headings are in the label
                continue
            if not any(_overlap(_statement(text), other) >= superseded_overlap for other in anew):
                found.append(_Sentence(number, place, span, text, in_table and not was_in_table))
    return found


def _asked_rows(sentences: Sequence[_Sentence], queries: Sequence[str], row_share: float) -> list[_Sentence]:
    """Leave out the rows beside one that is much nearer to what is asked. The row of a table's headers is no rival."""
    asked = [quantity for query in queries for quantity in quantities(query)]
    surfaces = [surface_with(sentence.text, asked) for sentence in sentences]
    weights = weights_of(surfaces)
    best: dict[int, float] = {}
    rows = {}
    ranged: dict[int, bool] = {}  # rows that state a range, and whether what is asked lies in it
    for i, (sentence, surface) in enumerate(zip(sentences, surfaces, strict=True)):
        if is_row(sentence.text) and not sentence.is_header:
            rows[i] = max(weights.coverage(terms_of(query), surface) for query in queries)
            best[sentence.passage] = max(best.get(sentence.passage, 0.0), rows[i])
            if asked and (ranges := intervals(sentence.text)):
                ranged[i] = any(range_.holds(quantity) for range_ in ranges for quantity in asked)
    met = {sentences[i].passage for i, holds in ranged.items() if holds}
    return [
        s
        for i, s in enumerate(sentences)
        if i not in rows
        or (rows[i] >= row_share * best[s.passage] and not (s.passage in met and not ranged.get(i, True)))
    ]


def _statements(hits: Iterable[Hit]) -> list[frozenset[str]]:
    return [_statement(span.of(hit.chunk.text)) for hit in hits for span in split_sentences(hit.chunk.text)]


def _statement(text: str) -> frozenset[str]:
    """What a sentence speaks of, whatever numbers and dates it gives."""
    return frozenset(term for term in terms_of(text) if term[0] not in "#@")


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0


def _scores(
    hits: Sequence[Hit],
    sentences: Sequence[_Sentence],
    queries: Sequence[str],
    relevance: Relevance | None,
    config: CondensingConfig,
) -> npt.NDArray[np.float64]:
    """Score every sentence; with a query in each language, each judges its own."""
    labels = [" > ".join(dict.fromkeys((hit.title, *hit.chunk.headings))) for hit in hits]
    asked = [quantity for query in queries for quantity in quantities(query)]
    surfaces = [surface_with(sentence.text, asked) for sentence in sentences]
    around = [surface_of(label) for label in labels]
    weights = weights_of(surfaces)
    scores = np.full(len(sentences), -np.inf)  # (n_sentences,)
    for query in queries:
        wanted = terms_of(query)
        words = np.array([weights.coverage(wanted, surface) for surface in surfaces])
        whole = np.array(
            [weights.coverage(wanted, f | around[s.passage]) for f, s in zip(surfaces, sentences, strict=True)]
        )
        score = config.words_weight * (words + whole) / 2
        if relevance is not None:
            score = score + relevance(query, [f"{labels[s.passage]}\n{s.text}" for s in sentences])
        own = np.array([len(queries) == 1 or has_cjk(s.text) == has_cjk(query) for s in sentences])
        scores = np.maximum(scores, np.where(own, score, -np.inf))
    scores = np.where(np.isfinite(scores), scores, 0.0)
    return scores + config.passage_weight * np.array([hits[s.passage].score for s in sentences])


def _choose(
    sentences: Sequence[_Sentence],
    scores: npt.NDArray[np.float64],
    costs: Sequence[int],
    budget_tokens: int,
    config: CondensingConfig,
) -> set[int]:
    index = {(s.passage, s.place): i for i, s in enumerate(sentences)}
    ranking = [int(i) for i in np.argsort(-scores, kind="stable")]
    chosen: set[int] = set()
    left = budget_tokens

    def take(wanted: Iterable[int]) -> bool:
        nonlocal left
        new = [i for i in wanted if i not in chosen]
        opened = {sentences[i].passage for i in new} - {sentences[i].passage for i in chosen}
        cost = sum(costs[i] for i in new) + config.label_tokens * len(opened)
        if cost > left and chosen:
            return False
        chosen.update(new)
        left -= cost
        return True

    def with_neighbours(i: int) -> list[int]:
        if is_row(sentences[i].text):
            return [i]
        passage, place = sentences[i].passage, sentences[i].place
        places = range(place - config.neighbours, place + config.neighbours + 1)
        return [index[passage, p] for p in places if (passage, p) in index]

    take([ranking[0]])
    take(with_neighbours(ranking[0]))
    for passage in range(config.sure_passages):
        best = next((i for i in ranking if sentences[i].passage == passage), None)
        if best is not None:
            take([best])
    for i in ranking:
        if not take(with_neighbours(i)) and not take([i]):
            break
    return chosen
