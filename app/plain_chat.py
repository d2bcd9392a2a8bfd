"""What `chat --no-documents` and the page share: a reply of the configured model alone."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.engine import Engine
from generation.answer import Answer
from generation.extractive import Extractive
from generation.llm import Message
from generation.media import Picture
from generation.plain_chat import stream_plain
from ingest.errors import ModelError

LONGEST_REPLY_TOKENS = 1024  # a reply isn't held to the few sentences of an answer from documents


def ask_model(
    engine: Engine,
    question: str,
    *,
    history: Sequence[Message] = (),
    pictures: Sequence[Picture] = (),
    max_tokens: int = LONGEST_REPLY_TOKENS,
) -> Iterator[str | Answer]:
    """Yield the reply as it is written, then the Answer that says it comes from no document. Raises ModelError."""
    llm = engine.llm()
    if isinstance(llm, Extractive):
        raise ModelError("extractive only quotes documents; choose a language model with llm_model, or ask documents")
    sampling = replace(engine.settings.answer.sampling, max_tokens=max_tokens)
    yield from stream_plain(question, llm, sampling, history=history, pictures=pictures)
