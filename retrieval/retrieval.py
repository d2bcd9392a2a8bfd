"""What a search gives back: hits with their way through every stage, and what was dropped and why. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.document import Chunk, Span
from retrieval.filters import EVERYWHERE, Filters


@dataclass(frozen=True, slots=True)
class StageScore:
    """A chunk's place in one stage: `rank` from 1, `score` in that stage's own unit (higher is better)."""

    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that answers the question best: `rank` from 1, `stages` by name (dense, lexical, fused, ...).

    `score` is what both legs say together ("fused"); a reranker changes ranks, and its own scores are in `stages`.
    `found` is where the words that were found stand, in a passage that was widened around them, else None.
    `newer_edition` names the source of a later edition of the same text among the hits, "" where there is none.
    `page_label` is what is printed on the chunk's page where that differs from its number. `seconds` say from when to
    when a recording's words are spoken. `kb` names the knowledge base that holds it.
    """

    chunk: Chunk
    source: str
    title: str
    rank: int
    score: float
    stages: Mapping[str, StageScore]
    matched_terms: tuple[str, ...] = ()
    newer_edition: str = ""
    page_label: str = ""
    seconds: tuple[float, float] | None = None
    kb: str = ""
    found: Span | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A candidate that didn't make it: at which stage, and why, in words a user understands."""

    chunk_id: str
    source: str
    stage: str
    reason: str
    kb: str = ""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """All that is needed to redraw or explain a search. `timings` are seconds by stage.

    `filters` are what it was limited to, `n_documents` how many documents fit them, None where all were looked at.
    `kbs` names the knowledge bases that were searched. `queries` are what was searched: the question, rewritten where
    it is a follow-up, and its translation; `parts` are the questions it is made of, which were searched too.
    """

    question: str
    queries: tuple[str, ...]
    hits: tuple[Hit, ...]
    stages: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    generation: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    filters: Filters = EVERYWHERE
    n_documents: int | None = None
    kbs: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
