"""A prompt in, what a model goes on with out, without a chat template. For base models.

`OpenAIServer.continue_text` asks /v1/completions, `LlamaCpp.continue_text` the engine in this process.
"""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from generation.llm import LLM, SamplingConfig
from ingest.errors import ModelError


@runtime_checkable
class Continues(Protocol):
    """An LLM that goes on with a text as it stands."""

    def continue_text(self, text: str, sampling: SamplingConfig) -> Iterator[str]:
        """Yield what follows `text`, piece by piece; closing the iterator stops the model. Raises ModelError."""


def continue_text(llm: LLM, text: str, sampling: SamplingConfig) -> Iterator[str]:
    """Yield what follows `text`. Raises ModelError, also where the model only chats."""
    if not isinstance(llm, Continues):
        raise ModelError(f"{llm.name} can't go on with a text; name a GGUF file or a server with /v1/completions")
    yield from llm.continue_text(text, sampling)
