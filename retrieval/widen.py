"""Passages in, the same ones with the text around them out, for people and programs that read them whole. Pure.

Not for prompts: there the neighbours of good chunks displaced better ones (benchmarks/LOG.md, 2026-11-22).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ingest.document import Chunk, Span, chunk_id
from ingest.sentences import split_sentences
from retrieval.pack import Passage, TextBetween, TokenBudget
from retrieval.retrieval import Dropped

# Give the chunk in a place of a document, None before its first and after its last one.
ChunkAt = Callable[[str, int], Chunk | None]


@dataclass(frozen=True, slots=True)
class ContextConfig:
    """`max_characters`: how long a passage may become with the text around it; 0 leaves passages as they are."""

    max_characters: int = 0


@dataclass(slots=True)
class _Growing:
    """A passage on its way: the places it reaches from and to, their span, and the page where it begins."""

    passage: Passage
    first: int
    last: int
    span: Span
    headings: tuple[str, ...]
    page: int | None


def widen(
    passages: Sequence[Passage],
    config: ContextConfig,
    chunk_at: ChunkAt,
    text_between: TextBetween,
    budget: TokenBudget | None = None,
) -> tuple[list[Passage], list[Dropped]]:
    """Let each passage, best first, take in whole chunks around it, those of its own section first, then those of the
    section above, never more; a lower passage that it reaches becomes part of it. Then whole sentences, where no chunk
    fits any more.

    The text stays the document's own. What a budget has left goes to the best passages, in whole chunks.
    """
    if config.max_characters <= 0:
        return list(passages), []
    waiting = list(passages)
    widened: list[Passage] = []
    dropped: list[Dropped] = []
    while waiting:
        growing = _start(waiting.pop(0))
        while taken := _next(growing, widened, waiting, config, chunk_at, budget):
            _grow(growing, taken)
            for reached in [other for other in waiting if _is_inside(other, growing)]:
                waiting.remove(reached)
                reason = f"became part of passage {len(widened) + 1}"
                dropped.append(Dropped(reached.chunk.id, reached.fused.candidate.source, "widened", reason))
        if budget is None:
            _fill(growing, widened, waiting, config, chunk_at)
        widened.append(_finish(growing, text_between))
    return widened, dropped


@dataclass(frozen=True, slots=True)
class _Step:
    """What a passage could take in next: a chunk or a lower passage beside it, with the headings both share.

    `n_deeper` headings are its own alone. `new_text` is what takes tokens of the budget; those of a lower passage are
    taken already.
    """

    first: int
    last: int
    span: Span
    headings: tuple[str, ...]
    page: int | None
    n_deeper: int = 0
    new_text: str = ""


def _next(
    growing: _Growing,
    above: Sequence[Passage],
    below: Sequence[Passage],
    config: ContextConfig,
    chunk_at: ChunkAt,
    budget: TokenBudget | None,
) -> _Step | None:
    """Give the step that keeps most of the headings and adds fewest, of equal ones that to the following text; None at
    the end.
    """
    steps = []
    for place in (growing.last + 1, growing.first - 1):
        step = _step(growing, place, above, below, chunk_at)
        if step is not None and len(_together(growing.span, step.span)) <= config.max_characters:
            steps.append(step)
    for step in sorted(steps, key=lambda step: (-len(step.headings), step.n_deeper)):
        if not step.new_text or budget is None or not budget.missing(step.new_text):
            return step
    return None


def _step(
    growing: _Growing, place: int, above: Sequence[Passage], below: Sequence[Passage], chunk_at: ChunkAt
) -> _Step | None:
    if any(_holds(passage, growing, place) for passage in above):
        return None
    chunk = chunk_at(growing.passage.chunk.document_id, place)
    if chunk is None:
        return None
    found = growing.passage.chunk.headings
    shared = _shared(growing.headings, chunk.headings)
    if len(shared) < max(len(found) - 1, min(len(found), 1)):
        return None
    other = next((passage for passage in below if _holds(passage, growing, place)), None)
    if other is not None:
        whole = other.chunk
        return _Step(other.first, other.last, whole.span, _shared(shared, whole.headings), whole.page)
    return _Step(place, place, chunk.span, shared, chunk.page, len(chunk.headings) - len(shared), chunk.text)


def _holds(passage: Passage, growing: _Growing, place: int) -> bool:
    same = passage.chunk.document_id == growing.passage.chunk.document_id
    return same and passage.first <= place <= passage.last


def _is_inside(passage: Passage, growing: _Growing) -> bool:
    same = passage.chunk.document_id == growing.passage.chunk.document_id
    return same and growing.first <= passage.first and passage.last <= growing.last


def _start(passage: Passage) -> _Growing:
    chunk = passage.chunk
    return _Growing(passage, passage.first, passage.last, chunk.span, chunk.headings, chunk.page)


def _grow(growing: _Growing, step: _Step) -> None:
    if step.first < growing.first:
        growing.page = step.page
    growing.first, growing.last = min(growing.first, step.first), max(growing.last, step.last)
    growing.span = _together(growing.span, step.span)
    growing.headings = step.headings


def _fill(
    growing: _Growing,
    above: Sequence[Passage],
    below: Sequence[Passage],
    config: ContextConfig,
    chunk_at: ChunkAt,
) -> None:
    """Take in what fits of the chunks that don't fit whole, the sentences after the passage first.

    Of a chunk that begins on an earlier page nothing: on which page its last sentences stand isn't known here.
    """
    after, before = growing.last + 1, growing.first - 1
    for place in (after, before):
        step = _step(growing, place, above, below, chunk_at)
        if step is None or not step.new_text or (place == before and step.page != growing.page):
            continue
        sentences = [
            Span(step.span.start + sentence.start, step.span.start + sentence.end)
            for sentence in split_sentences(step.new_text)
        ]
        fitting = [
            joined
            for sentence in (sentences if place == after else reversed(sentences))
            if len(joined := _together(growing.span, sentence)) <= config.max_characters
        ]
        if fitting:
            _grow(growing, replace(step, span=fitting[-1]))


def _finish(growing: _Growing, text_between: TextBetween) -> Passage:
    passage, chunk = growing.passage, growing.passage.chunk
    if growing.span == chunk.span:
        return passage
    text = text_between(chunk.document_id, growing.span)
    name = chunk_id(chunk.document_id, growing.span, text)
    whole = Chunk(name, chunk.document_id, growing.span, text, growing.headings, growing.page)
    return Passage(passage.fused, whole, growing.first, growing.last, found=chunk.span)


def _together(one: Span, other: Span) -> Span:
    return Span(min(one.start, other.start), max(one.end, other.end))


def _shared(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """Give the headings that both paths begin with."""
    n_shared = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return tuple(one[:n_shared])
