"""Small recording fakes and builders of values, shared by the tests of generation and app."""

from collections.abc import Iterator, Mapping, Sequence

from generation.llm import Prompt, SamplingConfig
from ingest.document import Chunk, Span, chunk_id, document_id
from retrieval.retrieval import Hit, Retrieval


class ScriptedLLM:
    """Writes given texts, one a call (the last one again when they run out), and records what it was asked."""

    name = "scripted"
    context_tokens = 4096

    def __init__(self, *texts: str, piece_size: int = 3, tokens: Mapping[str, float] | None = None) -> None:
        self.texts = texts or ("",)
        self.piece_size = piece_size
        self.tokens = tokens or {}
        self.asked_for_tokens: list[Prompt] = []
        self.prompts: list[Prompt] = []
        self.samplings: list[SamplingConfig] = []
        self.closed = 0

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Yield the next text in pieces of equal size."""
        text = self.texts[min(len(self.prompts), len(self.texts) - 1)]
        self.prompts.append(prompt)
        self.samplings.append(sampling)
        try:
            for at in range(0, len(text), self.piece_size):
                yield text[at : at + self.piece_size]
        finally:
            self.closed += 1

    def next_tokens(self, prompt: Prompt) -> Iterator[Mapping[str, float]]:
        """Yield the probabilities it was made with, if any, after a while of reading."""
        self.asked_for_tokens.append(prompt)
        yield from ({}, self.tokens) if self.tokens else ()

    def count_tokens(self, text: str) -> int:
        """Count a token for every 4 characters begun."""
        return -(-len(text) // 4)


def passage(
    text: str,
    rank: int = 1,
    *,
    source: str | None = None,
    title: str = "Handbook",
    headings: Sequence[str] = (),
    page: int | None = None,
    start: int = 0,
) -> Hit:
    """Give a hit whose chunk lies at `start` of its document."""
    source = source or f"{title.lower()}-{rank}.md"
    span = Span(start, start + len(text))
    chunk = Chunk(chunk_id(document_id(source), span, text), document_id(source), span, text, tuple(headings), page)
    return Hit(chunk, source, title, rank, 1.0 / rank, {})


def retrieval_of(question: str, *passages: str | Hit, evidence: dict[str, float] | None = None) -> Retrieval:
    """Give a retrieval of the passages in the order given."""
    hits = tuple(p if isinstance(p, Hit) else passage(p, n) for n, p in enumerate(passages, 1))
    return Retrieval(question, (question,), hits, ("fused",), (), "generation-1", evidence or {})


def fixed_clock() -> float:
    """A clock that stands still, so that answers compare equal."""
    return 0.0
