"""A ranking in, the same one out with room for several documents among its first places. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.fuse import Fused


@dataclass(frozen=True, slots=True)
class SpreadConfig:
    """Of the first `among` places at most `per_document` go to one document, as long as others are in the ranking.

    `per_document` 0 leaves the ranking as it is.
    """

    per_document: int = 2
    among: int = 5


def spread(ranking: Sequence[Fused], config: SpreadConfig) -> list[Fused]:
    """Let what a document has too many of in the first places wait until these are given; then it comes next.

    For questions that several documents answer together: the best chunks of one of them would fill the prompt.
    """
    if config.per_document <= 0:
        return list(ranking)
    first: list[Fused] = []
    waiting: list[Fused] = []
    given: Counter[str] = Counter()
    for number, entry in enumerate(ranking):
        document = entry.candidate.chunk.document_id
        if len(first) == config.among:
            return [*first, *waiting, *ranking[number:]]
        if given[document] < config.per_document:
            given[document] += 1
            first.append(entry)
        else:
            waiting.append(entry)
    return [*first, *waiting]
