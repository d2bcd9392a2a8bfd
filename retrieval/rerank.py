"""A ranking in, the same ranking in the order of a reranker out. Knows the Protocol, not the rerankers.

A reranker reads the question and a passage together, so it judges better than vectors and words do, and slower: only
the best candidates go in. On languages that it doesn't know it is silent (`retrieval/rerank_probe.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from ingest.document import Chunk
from ingest.language import detect_language, has_cjk
from retrieval.fuse import Fused
from retrieval.retrieval import StageScore


class Reranker(Protocol):
    """A model that says how well passages answer a query."""

    @property
    def name(self) -> str:
        """What it is called in messages and explanations."""

    def scores(self, query: str, passages: Sequence[str]) -> list[float]:
        """Give a score a passage, in the order of `passages`; higher answers better. Raises ModelError."""


@dataclass(frozen=True, slots=True)
class RerankConfig:
    """`depth`: how many of the best candidates the reranker reads; 0 switches it off."""

    depth: int = 30


# Tell whether a reranker understands queries in one language over passages in another ("en", "zh").
Knows = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Reranked:
    """The new order and, by chunk id, each judged chunk's place and score. `silent` says what wasn't judged and why."""

    ranking: list[Fused]
    by_chunk: Mapping[str, StageScore] = field(default_factory=dict)
    silent: str = ""


def rerank(
    ranking: Sequence[Fused], queries: Sequence[str], reranker: Reranker, knows: Knows, config: RerankConfig
) -> Reranked:
    """Put the best `depth` candidates into the order of the reranker's scores; equal scores keep their order.

    Candidates in a language it doesn't know keep their places, and so do those below. A passage is judged by the query
    in its own language where `queries` has one, else by the first. A place keeps its score, so that scores go on to
    mean what they do without a reranker; its own are in `by_chunk`. Raises ModelError when the reranker fails.
    """
    head = ranking[: config.depth]
    judged: dict[str, list[int]] = {}  # query -> places in `head`
    unknown: set[tuple[str, str]] = set()
    for place, entry in enumerate(head):
        query = _query_for(entry.candidate.chunk, queries)
        direction = language_of(query), _passage_language(entry.candidate.chunk, query)
        if knows(*direction):
            judged.setdefault(query, []).append(place)
        else:
            unknown.add(direction)
    scores = {
        place: score
        for query, places in judged.items()
        for place, score in zip(places, _scores(reranker, query, head, places), strict=True)
    }
    order = sorted(scores, key=lambda place: (-scores[place], place))
    reordered = list(ranking)
    for place, chosen in zip(sorted(scores), order, strict=True):
        reordered[place] = replace(head[chosen], score=head[place].score)
    by_chunk = {
        head[place].candidate.chunk.id: StageScore(rank, scores[place]) for rank, place in enumerate(order, start=1)
    }
    return Reranked(reordered, by_chunk, _silence(reranker.name, unknown))


def language_of(query: str) -> str:
    """Give the language that a query counts as."""
    return "zh" if has_cjk(query) else "en"


def _scores(reranker: Reranker, query: str, head: Sequence[Fused], places: Sequence[int]) -> list[float]:
    return reranker.scores(query, [head[place].candidate.chunk.embedded_text for place in places])


def _query_for(chunk: Chunk, queries: Sequence[str]) -> str:
    language = detect_language(chunk.text)
    return next((query for query in queries if language_of(query) == language), queries[0])


def _passage_language(chunk: Chunk, query: str) -> str:
    """Give a passage's language; mixed text and other scripts count as the query's, as in the dense leg."""
    language = detect_language(chunk.text)
    return language if language in ("en", "zh") else language_of(query)


def _silence(name: str, unknown: set[tuple[str, str]]) -> str:
    titles = {"en": "English", "zh": "Chinese"}
    said = [
        f"no {titles[query]}" if query == passage else f"no {titles[passage]} passages for {titles[query]} questions"
        for query, passage in sorted(unknown)
    ]
    return f"{name} knows {', '.join(said)}" if said else ""
