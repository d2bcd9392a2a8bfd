"""Candidates of both legs in, one ranking out. Pure.

Ranks alone can't tell a leg that is sure from one that has nothing to say; reciprocal-rank fusion therefore ruins a
Chinese question over English documents, where the lexical leg's few chance matches get full votes. Here each leg's
score is put on a scale that means the same for every question, and added:

    dense:   (cosine - what the row's language alone gives) / (1 - the cosine that unrelated texts typically have)
    lexical: BM25 / best possible BM25 for this question, where terms the corpus doesn't know count as unanswered
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from ingest.document import Chunk
from retrieval.retrieval import StageScore

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FusionConfig:
    """How much the lexical score weighs against the dense one, by the script of the question.

    Best of .3/.5/.75/1/1.25/1.5/2 on six sets: recall@1 of fused / BM25 / e5 in percent is 82.7 / 77.3 / 73.0 on
    squad2_dev, 95.3 / 94.0 / 88.2 on xquad_zh, 98.5 / 98.0 / 94.3 on cmrc2018_trial, 74.5 / 19.0 / 74.5 on
    xquad_en2zh (benchmarks/LOG.md, 2026-11-22).
    """

    lexical_weight: float = 0.75
    lexical_weight_cjk: float = 1.5
    # Of every five places, how many go to passages in the other language when the question wasn't translated.
    foreign_seats: int = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that a leg proposed. `excess` is by how much its cosine exceeds what its language alone gives (see
    `ingest.embedder_probe`), None where the dense leg is silent. `is_foreign`: it is in the other language than the
    query.
    """

    chunk: Chunk
    source: str
    title: str
    position: int
    is_foreign: bool
    excess: float | None
    dense: StageScore | None
    lexical: StageScore | None


@dataclass(frozen=True, slots=True)
class Fused:
    """A candidate with its joint score, 0 to about 2."""

    candidate: Candidate
    score: float


def fuse(
    candidates: Sequence[Candidate],
    *,
    best_possible: float,
    typical_cosine: float,
    question_is_cjk: bool,
    config: FusionConfig,
) -> list[Fused]:
    """Rank candidates by the weighted sum of their scaled scores, best first; ties go by chunk id."""
    weight = config.lexical_weight_cjk if question_is_cjk else config.lexical_weight
    fused = []
    for candidate in candidates:
        dense = candidate.excess / (1 - typical_cosine) if candidate.excess is not None else 0.0
        lexical = candidate.lexical.score / best_possible if candidate.lexical and best_possible > 0 else 0.0
        fused.append(Fused(candidate, dense + weight * lexical))
    return sorted(fused, key=lambda entry: (-entry.score, entry.candidate.chunk.id))


def seat(ranking: Sequence[Fused], config: FusionConfig) -> list[Fused]:
    """Order a ranking so that of every five places the last two go to the other language, as long as it has any.

    Scores across languages can be compared only roughly: were they trusted, chance would lift passages of the other
    language over the right one; were they not, those would never be seen.
    """
    own = [entry for entry in ranking if not entry.candidate.is_foreign]
    foreign = [entry for entry in ranking if entry.candidate.is_foreign]
    return in_turn(own, foreign, config.foreign_seats)


def in_turn(own: Sequence[T], foreign: Sequence[T], foreign_seats: int) -> list[T]:
    """Join two rankings so that of every five places the last `foreign_seats` go to the second, while it has any."""
    ours, theirs = deque(own), deque(foreign)
    seated: list[T] = []
    while ours or theirs:
        wants_foreign = len(seated) % 5 >= 5 - foreign_seats
        seated.append((theirs if theirs and (wants_foreign or not ours) else ours).popleft())
    return seated
