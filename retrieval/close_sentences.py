"""A ranking in, the same with those passages lifted in which one sentence is close to the question. Pure.

A passage's vector is that of all it speaks of; a sentence's own is that of the one thing. Sentences are embedded when
they are asked about, so it takes as long as embedding a few passages, and is off unless a depth is set.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ingest.sentences import split_sentences
from retrieval.fuse import Fused
from retrieval.retrieval import StageScore


@dataclass(frozen=True, slots=True)
class ClosenessConfig:
    """`weight` of the best sentence's closeness to the question, for the first `depth` passages; 0 of them: off."""

    depth: int = 0
    weight: float = 0.5


# Give how close each text is to the question, 0 what its language alone gives, 1 the same (`retrieval.legs.relevance`).
Closeness = Callable[[Sequence[str]], npt.NDArray[np.float32]]


def lift_close(ranking: Sequence[Fused], closeness: Closeness, config: ClosenessConfig) -> list[Fused]:
    """Put the first `depth` passages in the order of their scores and the closeness of their best sentences together.

    A place keeps its score, as with a reranker: what depends on scores goes on to mean what it does without this.
    Equal sums keep their order.
    """
    head = ranking[: config.depth]
    if not head or not config.weight:
        return list(ranking)
    sentences = [_sentences(entry.candidate.chunk.text) for entry in head]
    found = closeness([sentence for told in sentences for sentence in told])
    ends = np.cumsum([len(told) for told in sentences])
    best = [float(found[end - len(told) : end].max()) for told, end in zip(sentences, ends, strict=True)]
    closest = sorted(range(len(head)), key=lambda place: -best[place])
    ranks = {place: rank for rank, place in enumerate(closest, start=1)}
    order = sorted(range(len(head)), key=lambda place: -(head[place].score + config.weight * best[place]))
    lifted = [
        replace(head[chosen], score=head[place].score, close=StageScore(ranks[chosen], best[chosen]))
        for place, chosen in enumerate(order)
    ]
    return [*lifted, *ranking[config.depth :]]


def _sentences(text: str) -> list[str]:
    """Give a passage's sentences, or all of it where it has none."""
    return [text[span.start : span.end] for span in split_sentences(text)] or [text]
