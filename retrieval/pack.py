"""A ranking of chunks in, readable passages out: repeats collapsed, neighbours joined, cut to a number and a length."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ingest.document import Chunk, Span, chunk_id
from retrieval.fuse import Fused
from retrieval.repeats import RepeatConfig, Repeats
from retrieval.retrieval import Dropped


@dataclass(frozen=True, slots=True)
class PackingConfig:
    """`max_passage_characters` bounds a passage made of neighbours; 0 leaves every chunk on its own."""

    max_passage_characters: int = 1200
    repeats: RepeatConfig = field(default_factory=RepeatConfig)


@dataclass(slots=True)
class Passage:
    """A chunk or several neighbouring ones, joined. `first` and `last` are chunk positions in the document, `found` the
    span before the passage was widened, if it was.
    """

    fused: Fused
    chunk: Chunk
    first: int
    last: int
    found: Span | None = None


@dataclass(slots=True)
class TokenBudget:
    """How many tokens all passages may have together; `count` counts those of a text, `used` are taken."""

    tokens: int
    count: Callable[[str], int]
    used: int = 0

    def missing(self, text: str) -> int:
        """Take what `text` needs and give 0, or take nothing and give how many tokens are missing for it."""
        needed = self.count(text)
        if self.used + needed > self.tokens:
            return self.used + needed - self.tokens
        self.used += needed
        return 0


# Give the text of a document between two offsets.
TextBetween = Callable[[str, Span], str]


def pack(
    ranking: Sequence[Fused],
    top_k: int,
    config: PackingConfig,
    text_between: TextBetween,
    budget: TokenBudget | None = None,
) -> tuple[list[Passage], list[Dropped]]:
    """Take the best `top_k` chunks that say different things and fit into the budget; join neighbours to one passage.

    A chunk that doesn't fit is left out, and shorter ones after it may still fit. Only chunks that earned a place are
    joined: filling freed places with the neighbours of better ones cost 8 of 38 sample questions their evidence in a
    prompt of 700 tokens (benchmarks/LOG.md, 2026-11-22).
    """
    passages: list[Passage] = []
    dropped: list[Dropped] = []
    kept = Repeats(config.repeats)
    for entry in ranking:
        reason = _why_not(entry, kept, top_k, budget)
        if reason:
            dropped.append(_dropped(entry, reason))
            continue
        kept.add(entry.candidate.chunk, entry.candidate.source)
        neighbour = _neighbour(passages, entry, config)
        if neighbour is None:
            position = entry.candidate.position
            passages.append(Passage(entry, entry.candidate.chunk, position, position))
        else:
            _join(passages[neighbour], entry, text_between)
            dropped.append(_dropped(entry, f"joined to passage {neighbour + 1}, its neighbour"))
    return passages, dropped


def _why_not(entry: Fused, kept: Repeats, top_k: int, budget: TokenBudget | None) -> str:
    """Say why a chunk gets no place; empty when it gets one, and then its tokens are taken."""
    chunk = entry.candidate.chunk
    is_full = len(kept) == top_k
    if repeated := kept.repeated_by(chunk, entry.candidate.source, only_same_words=is_full):
        return repeated
    if is_full:
        return f"below the best {top_k}"
    if budget and (missing := budget.missing(chunk.text)):
        return f"{missing} tokens too many for the budget of {budget.tokens}"
    return ""


def _neighbour(passages: Sequence[Passage], entry: Fused, config: PackingConfig) -> int | None:
    """Give the index of the passage this chunk directly precedes or follows, if both together aren't too long."""
    chunk, position = entry.candidate.chunk, entry.candidate.position
    for index, passage in enumerate(passages):
        if passage.chunk.document_id != chunk.document_id or position not in (passage.first - 1, passage.last + 1):
            continue
        length = max(passage.chunk.span.end, chunk.span.end) - min(passage.chunk.span.start, chunk.span.start)
        if length <= config.max_passage_characters:
            return index
    return None


def _join(passage: Passage, entry: Fused, text_between: TextBetween) -> None:
    chunk = entry.candidate.chunk
    span = Span(min(passage.chunk.span.start, chunk.span.start), max(passage.chunk.span.end, chunk.span.end))
    earlier = chunk if chunk.span < passage.chunk.span else passage.chunk
    text = text_between(chunk.document_id, span)
    passage.chunk = replace(
        earlier, id=chunk_id(chunk.document_id, span, text), span=span, text=text, headings=earlier.headings
    )
    passage.first = min(passage.first, entry.candidate.position)
    passage.last = max(passage.last, entry.candidate.position)


def _dropped(entry: Fused, reason: str) -> Dropped:
    return Dropped(entry.candidate.chunk.id, entry.candidate.source, "packed", reason)
