"""An LLM and the texts of a question in, their tokens counted together out, by models that ask a server for counts."""

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from generation.llm import LLM, Message
from ingest.sentences import split_sentences
from retrieval.retrieval import Hit


@runtime_checkable
class CountsAhead(Protocol):
    """An LLM that counts many texts at once, and knows their counts when `count_tokens` is asked for them."""

    def count_ahead(self, texts: Iterable[str]) -> None:
        """Count the texts. What can't be counted is estimated later."""


def count_ahead(llm: LLM, question: str, history: Sequence[Message], hits: Sequence[Hit] = ()) -> None:
    """Count what a prompt is put together from: the question, the turns before it and every sentence of the hits."""
    if isinstance(llm, CountsAhead):
        said = (question, *(message.content for message in history))
        llm.count_ahead((*said, *(span.of(h.chunk.text) for h in hits for span in split_sentences(h.chunk.text))))
