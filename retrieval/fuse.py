"""Candidates of both legs in, one ranking out. Pure.

Ranks alone can't tell a leg that is sure from one that has nothing to say; reciprocal-rank fusion therefore ruins a
Chinese question over English documents, where the lexical leg's few chance matches get full votes. Here each leg's
score is put on a scale that means the same for every question, and added:

    dense:   (cosine - what the row's language alone gives) / (1 - the cosine that unrelated texts typically have)
    lexical: BM25 / best possible BM25 for this question, where terms the corpus doesn't know count as unanswered;
             the same for the question's words in the other language, out of a dictionary
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ingest.document import Chunk
from retrieval.retrieval import StageScore


class Scored(Protocol):
    """What has a fused score."""

    @property
    def score(self) -> float: ...


T = TypeVar("T", bound=Scored)


@dataclass(frozen=True, slots=True)
class FusionConfig:
    """How much the lexical score weighs against the dense one, and the score under the words of a dictionary, which
    speaks on passages in the other language than the question.

    Best of .75/.9/1.2/1.5 with the lift of `retrieval.coverage`, and of .3/.5/.8/1.2 (benchmarks/LOG.md, 2026-11-25).
    """

    # Less than 1 where another knowledge base is searched too, whose embedder scores lower (retrieval.match_scale).
    dense_weight: float = 1.0
    lexical_weight: float = 0.9
    dictionary_weight: float = 0.6
    # Of every five places, how many go to passages in the other language when the question wasn't translated, as long
    # as they score that share of the ones that would have the place: with .9 instead of 0, both parts of a Chinese
    # question are found 65 times in 100 instead of 47 where 14 of 5,177 documents are English (benchmarks/LOG.md,
    # 2026-11-25).
    foreign_seats: int = 2
    foreign_share: float = 0.9
    foreign_lead: float = 0.3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that a leg proposed. `excess` is by how much its cosine exceeds what its language alone gives (see
    `ingest.embedder_probe`), None where the dense leg is silent. `is_foreign`: it is in the other language than the
    query; `translated` is then its place under the words of a dictionary. `terms` are the chunk's as indexed.
    """

    chunk: Chunk
    source: str
    title: str
    position: int
    is_foreign: bool
    excess: float | None
    dense: StageScore | None
    lexical: StageScore | None
    translated: StageScore | None = None
    terms: str = ""


@dataclass(frozen=True, slots=True)
class Fused:
    """A candidate with its joint score, 0 to about 2. `sentence` is the share of the question's words that its best
    sentence holds, `close` how close its closest sentence is in meaning, where that was looked at.
    """

    candidate: Candidate
    score: float
    sentence: StageScore | None = None
    close: StageScore | None = None


def fuse(
    candidates: Sequence[Candidate],
    *,
    best_possible: float,
    best_translated: float = 0.0,
    typical_cosine: float,
    config: FusionConfig,
) -> list[Fused]:
    """Rank candidates by the weighted sum of their scaled scores, best first; ties go by chunk id."""
    fused = []
    for candidate in candidates:
        dense = candidate.excess / (1 - typical_cosine) if candidate.excess is not None else 0.0
        lexical = candidate.lexical.score / best_possible if candidate.lexical and best_possible > 0 else 0.0
        translated = candidate.translated.score / best_translated if candidate.translated and best_translated else 0.0
        score = config.dense_weight * dense + config.lexical_weight * lexical + config.dictionary_weight * translated
        fused.append(Fused(candidate, score))
    return sorted(fused, key=lambda entry: (-entry.score, entry.candidate.chunk.id))


def seat(ranking: Sequence[Fused], config: FusionConfig) -> list[Fused]:
    """Order a ranking so that of every five places the last two go to the other language, while it has much to say.

    Scores across languages can be compared only roughly: were they trusted, chance would lift passages of the other
    language over the right one; were they not, those would never be seen. Only when the other language's best passage
    is better by `foreign_lead`, it is the question's own that gets the last two. A passage that says far less than the
    one whose place it would take waits (`foreign_share`): a few English pages in a Chinese collection are in every
    question's ranking, whatever it is about.
    """
    own = [entry for entry in ranking if not entry.candidate.is_foreign]
    foreign = [entry for entry in ranking if entry.candidate.is_foreign]
    return in_turn(own, foreign, config)


def in_turn(own: Sequence[T], foreign: Sequence[T], config: FusionConfig) -> list[T]:
    """Join two rankings so that of every five places the last ones go to the second, while it scores `foreign_share`
    of the first; to the first where the second one's best is better by `foreign_lead`.
    """
    ours, theirs = deque(own), deque(foreign)
    if ours and theirs and theirs[0].score > ours[0].score + config.foreign_lead:
        ours, theirs = theirs, ours
    seated: list[T] = []
    while ours or theirs:
        is_theirs = len(seated) % 5 >= 5 - config.foreign_seats and bool(theirs)
        if ours and theirs:
            is_theirs &= theirs[0].score >= config.foreign_share * ours[0].score
        seated.append((theirs if is_theirs or not ours else ours).popleft())
    return seated
