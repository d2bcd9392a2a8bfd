"""The seam to language models: messages in, text out as it is written. Knows nothing about documents.

Implementations: `generation/llama_cpp.py` (GGUF in this process), `generation/openai_server.py` (vLLM and every other
OpenAI-compatible server), `generation/extractive.py` (quoted sentences only, no model).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from generation.media import Media, Picture
from retrieval.retrieval import Hit


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation, with the pictures and recordings that go with it."""

    role: Literal["system", "user", "assistant"]
    content: str
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked: the messages to send, and the question, passages and pictures they were made from."""

    messages: tuple[Message, ...]
    question: str
    passages: tuple[Hit, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class SamplingConfig:
    """How a model writes. `temperature` 0 is greedy; the same seed gives the same text on the same machine."""

    max_tokens: int = 384
    temperature: float = 0.0
    seed: int = 0
    stop: tuple[str, ...] = field(default=())


class LLM(Protocol):
    """A model that writes. Closing the iterator stops the model, on its server too."""

    @property
    def name(self) -> str:
        """The model's name as shown to the user and kept in `Answer.model`."""

    @property
    def context_tokens(self) -> int:
        """How many tokens prompt and answer may have together."""

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Yield the answer piece by piece. Raises ModelError with the server's own reason.

        A model that reads long may yield "" meanwhile, so that whoever listens can close the iterator.
        """

    def next_tokens(self, prompt: Prompt) -> Iterator[Mapping[str, float]]:
        """Yield the likeliest first tokens of the answer with their probabilities, or nothing where they can't be had.

        A model that reads long may yield {} meanwhile, as `stream` yields "". Raises ModelError.
        """

    def count_tokens(self, text: str) -> int:
        """Give the token count of `text`, exact or rounded up."""


def closable(pieces: Iterator[str]) -> Any:  # the LLMs' streams are generators; a test's may be a plain iterator
    """Give the pieces as an iterator that can be closed, which stops the model."""
    return pieces if hasattr(pieces, "close") else (piece for piece in pieces)


def complete(llm: LLM, messages: Sequence[Message], sampling: SamplingConfig) -> str:
    """Give the whole text at once, for short internal calls such as rewriting a question."""
    question = messages[-1].content if messages else ""
    return "".join(llm.stream(Prompt(tuple(messages), question), sampling))
